import { shortId } from '../identity/smesher-id.ts';
import { formatRanges } from '../post/completeness.ts';
import { quoteForShell } from '../shell-quote.ts';
import { type Check, checksOf } from './check.ts';
import type { IdentityEvidence, LabelsChecked, NodeEvidence, ProjectEvidence } from './facts.ts';
import { plural } from './journey.ts';
import { checkService, DOCTOR } from './service.ts';

const MINUTE = 60_000;

/** The ports open after migrations and up to 18 minutes per PoET that is away (spacemesh.md §4). */
const NODE_START_MS = 20 * MINUTE;

/** The node says at least every 20 s that it misses a service that it needs (spacemesh.md §9.1). */
const MISSED_RECENTLY_MS = MINUTE;

const LOG_OF_NODE = 'smesh-compose logs node';

/** Node, account and keys of strangers: what all identities have in common. */
export function checkProject(evidence: ProjectEvidence): readonly Check[] {
  return [checkNode(evidence.node, evidence.now), checkCoinbase(evidence), checkStrangers(evidence)];
}

function checkNode(node: NodeEvidence, now: number): Check {
  const check = checksOf('node');
  const upFor = node.startedAt === undefined ? undefined : now - node.startedAt;
  if (node.container === 'unknown' && node.synced === undefined) {
    const why = node.engineFault ?? 'the engine cannot be asked';
    return check.unknown('The node cannot be looked at: Docker cannot be asked', why, DOCTOR);
  }
  if (node.container === 'absent') {
    return check.costs('node-absent', 'The node has no container', [], 'smesh-compose up');
  }
  if (node.container === 'not-running') {
    return check.costs(
      'node-down',
      'The node does not run: nothing is proved, published or registered',
      [],
      `smesh-compose up   (why it ended: ${LOG_OF_NODE})`,
    );
  }
  if (node.synced === undefined) {
    const starting = upFor !== undefined && upFor < NODE_START_MS;
    return check.unknown(
      starting ? 'The node does not answer yet' : 'The node runs, but does not answer',
      node.fault ?? 'no answer',
      LOG_OF_NODE,
    );
  }
  if (!node.synced) {
    const message = 'The node is not synced: until it is, it proves, publishes and registers nothing';
    return upFor === undefined || upFor < NODE_START_MS
      ? check.warning('not-synced', message)
      : check.costs('not-synced', message, [], LOG_OF_NODE);
  }
  return check.ok('The node is synced');
}

function checkCoinbase({ coinbase, node }: ProjectEvidence): Check {
  const check = checksOf('coinbase');
  if (node.coinbase === undefined) {
    return check.unknown('The account that the node smeshes for is not known', node.fault ?? 'not asked');
  }
  if (node.coinbase === '') {
    return check.costs(
      'no-coinbase',
      'The node has no coinbase: it refuses every post-service',
      ['spacemesh: connection not allowed: node has no coinbase set in config'],
      'smesh-compose generate, then: smesh-compose up',
    );
  }
  if (node.coinbase !== coinbase) {
    return check.warning(
      'other-coinbase',
      'The node smeshes for another account than smesh.yaml names',
      [`node: ${node.coinbase}`, `smesh.yaml: ${coinbase}`],
      'smesh-compose generate, then: smesh-compose up',
    );
  }
  return check.ok(`The node smeshes for ${coinbase}`);
}

function checkStrangers({ strangers }: ProjectEvidence): Check {
  const check = checksOf('other-keys');
  if (strangers.kind === 'unknown') {
    return check.unknown("The node's folder of keys cannot be read", strangers.why, 'run it as root');
  }
  if (strangers.value.length === 0) return check.ok("The node's keys are those of smesh.yaml");
  const count = strangers.value.length;
  return check.warning(
    'key-not-in-project',
    count === 1
      ? 'A key is installed whose identity is not in smesh.yaml: the node wants its proofs, and no service of this project makes them'
      : `${count} keys are installed whose identities are not in smesh.yaml: the node wants their proofs, and no service of this project makes them`,
    strangers.value.map(({ file, smesher }) => `${shortId(smesher)}  ${file}`),
    'smesh-compose add <its PoST directory>, or, if it is smeshed with elsewhere, take the key away: twice is cancelled for ever',
  );
}

/** What has to stand where before an identity can prove anything. */
export function checkSetup(identity: IdentityEvidence, project: ProjectEvidence): readonly Check[] {
  return [
    checkKey(identity),
    checkData(identity),
    checkKnown(identity, project),
    checkService(identity, project),
    checkConnection(identity, project),
  ];
}

function checkKey({ key }: IdentityEvidence): Check {
  const check = checksOf('key');
  switch (key.kind) {
    case 'installed':
      return check.ok('has its key installed', [key.file]);
    case 'absent':
      return check.costs(
        'key-absent',
        "has no key in the node's folder: the node cannot sign for it",
        [],
        'smesh-compose generate, then: smesh-compose up',
      );
    case 'unknown':
      return check.unknown('has a key that cannot be checked', key.why);
  }
}

/** `post verify, 2026-11-27: 0.2 % of the labels, all right` */
function labelsLine(labels: LabelsChecked | undefined): readonly string[] {
  if (labels === undefined) return [];
  const found =
    labels.wrongIn.length === 0 ? 'all right' : `${plural(labels.wrongIn.length, 'file')} with wrong ones`;
  return [
    `post verify, ${new Date(labels.at).toISOString().slice(0, 10)}: ${labels.fraction} % of the labels, ${found}`,
  ];
}

function checkData({ dataHere, data, smesher, labels, name }: IdentityEvidence): Check {
  const check = checksOf('data');
  switch (dataHere.kind) {
    case 'own':
      return labels === undefined || labels.wrongIn.length === 0
        ? check.ok('has its data where smesh.yaml says', [
            `${data}: ${plural(dataHere.units, 'unit')}`,
            ...labelsLine(labels),
          ])
        : check.warning(
            'data-labels-wrong',
            `has wrong labels in ${formatRanges(labels.wrongIn.map((file) => [file, file] as const))}: a proof that meets one is invalid`,
            labelsLine(labels),
            `smesh-compose post verify --last ${name}`,
          );
    case 'of-another':
      return check.costs(
        'data-of-another',
        `has data of another identity (${shortId(dataHere.smesher)}) where smesh.yaml says that its own are`,
        [`${data}: ${dataHere.smesher}`, `smesh.yaml: ${smesher}`],
        `smesh-compose scan ${quoteForShell(data)}`,
      );
    case 'absent':
      return check.costs(
        'data-away',
        'has no data where smesh.yaml says: it cannot prove',
        [data],
        'is its disk mounted? Then: smesh-compose up',
      );
    case 'malformed':
      return check.costs(
        'data-malformed',
        'has metadata that cannot be used',
        [dataHere.why],
        `smesh-compose scan ${quoteForShell(data)}`,
      );
    case 'unknown':
      return check.unknown('has data that cannot be looked at from here', `${data}: ${dataHere.why}`);
  }
}

function checkKnown({ listed, wanted, key }: IdentityEvidence, { node }: ProjectEvidence): Check {
  const check = checksOf('known-to-node');
  if (listed === 'no' || wanted === 'unlisted') {
    const why =
      key.kind === 'installed'
        ? 'its key was installed after the node started'
        : 'its key is not in the folder of the node';
    return check.costs(
      'not-known',
      'is not among the identities that the node smeshes with',
      [why],
      'smesh-compose up',
    );
  }
  if (listed === 'unknown' || wanted === 'unknown') {
    return check.unknown('may or may not be known to the node', node.fault ?? 'the node does not say');
  }
  return check.ok('is known to the node', [`wants ${wanted === 'proving' ? 'a proof' : 'nothing'} of it`]);
}

/**
 * A connection that only one side believes in is found where the node waits: it says so every 20 s in its log, or the
 * service has been idle for two minutes while it is wanted (operators.md d.6, spacemesh.md §9.1).
 */
function checkConnection(
  { connection, state, wanted, name, leftToSchedule }: IdentityEvidence,
  { now }: ProjectEvidence,
): Check {
  const check = checksOf('connection');
  const { activity } = state;
  const { service, missedByNodeAt } = connection;
  // Idle now may be proving when it is typed: the tool looks once more, Compose does not.
  const restart = `smesh-compose restart ${name} --wait`;
  if (activity.kind === 'not-connected') {
    return service.kind === 'connected'
      ? check.costs(
          'half-open',
          'believes to be connected, but the node does not reach it',
          [activity.reason],
          restart,
        )
      : check.costs('not-connected', 'is not connected to the node', [activity.reason], logsOf(name));
  }
  const missed = missedByNodeAt !== undefined && now - missedByNodeAt <= MISSED_RECENTLY_MS;
  // What the service says about its connection since then is newer.
  const answeredSince =
    service.kind === 'connected' && service.since !== undefined && service.since > (missedByNodeAt ?? 0);
  if (wanted === 'proving' && missed && !answeredSince && isIdle(activity.kind)) {
    const said = `the node's log: post service not connected, ${Math.round((now - missedByNodeAt) / 1000)} s ago`;
    return service.kind === 'connected'
      ? check.costs(
          'half-open',
          'believes to be connected, but the node does not reach it',
          [said, 'its own log: connected'],
          restart,
        )
      : check.costs('not-connected', 'is wanted, but not connected to the node', [said], logsOf(name));
  }
  switch (activity.kind) {
    case 'down':
    case 'not-created':
    case 'paused':
    case 'starting':
      return check.notDue('connection-not-due', 'is not connected: its service does not run');
    case 'idle':
    case 'about-to-prove':
      break;
    case 'silent':
    case 'unknown':
      // With a hundredth of a CPU an answer takes longer than anybody waits.
      if (state.held && leftToSchedule !== undefined) {
        return check.notDue('connection-not-due', 'need not be connected before it goes on');
      }
      return check.unknown('may or may not be connected', 'its service does not say what it does');
    default:
      // Whoever works on a proof was asked for it.
      return check.ok('is connected', ['works on what the node asked for']);
  }
  switch (service.kind) {
    case 'connected':
      return check.ok('is connected', ['its log: connected to the node']);
    case 'lost':
      return wanted === 'proving'
        ? check.costs('not-connected', 'is not connected to the node', [service.reason], logsOf(name))
        : check.warning('not-connected', 'is not connected to the node', [service.reason], logsOf(name));
    case 'unseen':
      return check.unknown('may or may not be connected', 'its log no longer reaches back to that');
  }
}

function isIdle(kind: string): boolean {
  return kind === 'idle' || kind === 'about-to-prove';
}

function logsOf(name: string): string {
  return `smesh-compose logs ${name}`;
}
