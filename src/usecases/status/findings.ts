import type { EpochTimeline } from '../../domain/poet/epochs.ts';
import { lostWork } from '../../domain/proving/lost-work.ts';
import type { IdentityReport, NodeReport, StatusFinding } from '../../domain/proving/status-report.ts';
import { hasLostItsData } from '../../domain/proving/stop-risk.ts';
import { formatDuration } from '../../ui/units.ts';
import type { Observation } from '../observe.ts';
import { neededFrom, startThem } from './stopped.ts';

interface Trouble {
  readonly code: string;
  readonly severity: StatusFinding['severity'];
  readonly message: string;
  /** As a function: of all services that share the trouble. */
  readonly next?: string | ((services: readonly string[]) => string);
}

interface Known {
  readonly node: NodeReport;
  readonly timeline: EpochTimeline;
  readonly identities: readonly IdentityReport[];
  readonly network: string;
}

const MINUTE = 60_000;

/** The ports open after migrations and up to 18 minutes per PoET that is away (spacemesh.md §4). */
const NODE_START_MS = 20 * MINUTE;

/** A database that cannot grow stops the node in the middle of an epoch. */
const LEAST_FREE_BYTES = 5 * 2 ** 30;

/** All troubles of a project, problems first, those of many identities told once. */
export function findTrouble(observation: Observation, known: Known): readonly StatusFinding[] {
  const { engineFault } = observation;
  const general: Trouble[] =
    engineFault === undefined
      ? nodeTrouble(observation, known)
      : [
          {
            code: engineFault.code,
            severity: 'problem',
            message: `${engineFault.message.replace(/\.?( Nothing was changed)?\.$/, '')}; nothing is known of any container`,
            ...(engineFault.hint === undefined ? {} : { next: engineFault.hint }),
          },
        ];
  const findings: StatusFinding[] = general.map((trouble) => toFinding(trouble, []));
  const shared = new Map<string, { trouble: Trouble; of: IdentityReport[] }>();
  for (const identity of known.identities) {
    for (const trouble of identityTrouble(identity, known, observation)) {
      const key = `${trouble.code} ${trouble.message}`;
      const entry = shared.get(key) ?? { trouble, of: [] };
      entry.of.push(identity);
      shared.set(key, entry);
    }
  }
  for (const { trouble, of } of shared.values()) findings.push(toFinding(trouble, of));
  if (observation.strays.length > 0) findings.push(strayFinding(observation));
  return findings.sort((a, b) => Number(a.severity === 'notice') - Number(b.severity === 'notice'));
}

function toFinding({ next, ...trouble }: Trouble, of: readonly IdentityReport[]): StatusFinding {
  const services = of.map(({ name }) => name);
  return {
    ...trouble,
    smeshers: of.map(({ smesher }) => smesher),
    services,
    ...(next === undefined ? {} : { next: typeof next === 'string' ? next : next(services) }),
  };
}

function problem(code: string, message: string, next?: Trouble['next']): Trouble {
  return { code, severity: 'problem', message, ...(next === undefined ? {} : { next }) };
}

function notice(code: string, message: string, next?: Trouble['next']): Trouble {
  return { code, severity: 'notice', message, ...(next === undefined ? {} : { next }) };
}

function strayFinding({ strays }: Observation): StatusFinding {
  const services = strays.map(({ service, name }) => service ?? name);
  const trouble = notice(
    'not-in-project',
    'has a container, but smesh.yaml no longer has its identity',
    'smesh-compose up   (removes it once that is safe)',
  );
  return { ...toFinding(trouble, []), services };
}

function nodeTrouble(observation: Observation, { node, network }: Known): Trouble[] {
  const { container } = node;
  if (container === undefined) {
    return [problem('node-not-created', 'The node has no container yet', 'smesh-compose up')];
  }
  if (container.state === 'paused') {
    // `up` would not start it: a paused container can only be unpaused (spacemesh.md §14.6).
    return [
      problem(
        'node-down',
        'The node is paused: it publishes and registers nothing until it goes on',
        `docker unpause ${container.name}`,
      ),
    ];
  }
  if (container.state !== 'running') {
    const exit = container.exitCode === undefined ? '' : ` (exit ${container.exitCode})`;
    const why = container.startError ?? `its container is ${container.state}${exit}`;
    const next =
      container.exitCode === 0 || container.exitCode === undefined ? 'smesh-compose up' : LOG_OF_NODE;
    return [problem('node-down', `The node is down: ${why}`, next)];
  }
  const upFor = container.startedAt === undefined ? 0 : observation.at - container.startedAt;
  const found: Trouble[] = [];
  if (node.fault !== undefined) {
    const message = `The node's container runs, but the node does not answer (${node.fault})`;
    // A node that failed may linger for half a minute: only its log tells (spacemesh.md §14.2).
    found.push(
      upFor < NODE_START_MS
        ? notice('node-starting', `${message}: it may still be starting`, LOG_OF_NODE)
        : problem('node-silent', message, LOG_OF_NODE),
    );
  } else {
    const states = observation.node.answers?.postStates;
    if (states?.ok === false) {
      found.push(
        problem(
          'post-states-unknown',
          `The node does not say what it wants of its identities (${states.error.message})`,
          'smesh-compose generate, then: smesh-compose up',
        ),
      );
    }
    if (node.synced === false) {
      const message = 'The node is not synced: it neither wants proofs nor publishes any';
      found.push(
        upFor < NODE_START_MS ? notice('not-synced', message) : problem('not-synced', message, LOG_OF_NODE),
      );
    }
    if (node.peers === 0 && network !== 'standalone' && upFor >= NODE_START_MS) {
      found.push(problem('no-peers', 'The node has no peers', 'Is its p2p port reachable from outside?'));
    }
  }
  if (node.freeBytes !== undefined && node.freeBytes < LEAST_FREE_BYTES) {
    found.push(
      problem('disk-full', 'Less than 5 GiB are free where the node keeps its databases', 'Make room there'),
    );
  }
  return found;
}

const LOG_OF_NODE = 'smesh-compose logs node';

function identityTrouble(
  identity: IdentityReport,
  known: Known,
  observation: Observation,
): readonly Trouble[] {
  const { node, timeline } = known;
  const { state, progress, container, name } = identity;
  const { activity, wants } = state;
  const logs = `smesh-compose logs ${name}`;
  const found: Trouble[] = [];
  if (progress.malfeasance !== undefined) {
    found.push(
      problem(
        'cancelled',
        `is cancelled by the network for ever (${progress.malfeasance.what})`,
        'Find out where else its key was used before the same happens to the others',
      ),
    );
  }
  if (identity.dataSeen === 'absent') {
    const wanted =
      wants === 'a-proof' ? `is wanted${wantedFor(progress.wantedSince, observation.at)}, but ` : '';
    const disk = identity.disk === undefined ? 'its disk' : `disk ${identity.disk}`;
    found.push(
      problem(
        'data-away',
        `${wanted}has no data where smesh.yaml says: is ${disk} mounted?`,
        'mount it, then: smesh-compose up',
      ),
    );
  }
  if (wants === 'unlisted') {
    found.push(
      problem(
        'unknown-to-node',
        'is not among the identities of the node: its key is not installed, or was installed after the node started',
        'smesh-compose up',
      ),
    );
  }
  switch (activity.kind) {
    case 'down':
    case 'not-created':
      if (identity.dataSeen !== 'absent') found.push(...downTrouble(identity, known, observation));
      break;
    case 'failed':
      found.push(
        activity.stuck
          ? problem(
              'proof-stuck',
              `cannot prove (${activity.reason}) and stays so until it is restarted`,
              `smesh-compose restart ${name}`,
            )
          : problem(
              'proof-failed',
              `failed to prove (${activity.reason}); the node asks again in the next layer`,
              logs,
            ),
      );
      break;
    case 'not-connected':
      if (node.certainty === 'settled' || node.certainty === 'fresh') {
        found.push(
          problem(
            'not-connected',
            `is wanted, but not connected to the node: ${activity.reason}`,
            `${logs}, then: smesh-compose restart ${name}`,
          ),
        );
      }
      break;
    case 'paused':
      found.push(
        (wants === 'nothing' ? notice : problem)(
          'paused',
          'is paused: it keeps its proof, and plain docker compose up fails until it goes on',
          `docker compose unpause ${name}`,
        ),
      );
      break;
    case 'silent':
      found.push(notice('silent', 'takes the connection and does not answer; nothing says why', logs));
      break;
    case 'unknown':
      if (observation.engineFault === undefined) {
        found.push(notice('service-unknown', `cannot be asked what it does: ${activity.reason}`, logs));
      }
      break;
    default:
  }
  const { log } = identity;
  if (log !== undefined && log.unreadable.length > 0) {
    found.push(
      problem(
        'data-unreadable',
        `cannot read its data (${log.unreadable[0]}): proofs will fail`,
        `smesh-compose scan ${identity.data}`,
      ),
    );
  } else if (log !== undefined && hasLostItsData(log, identity.dataBytes)) {
    found.push(
      problem(
        'data-vanished',
        'finishes its passes without reading anything: its disk is gone, and it burns CPU for nothing',
        `smesh-compose stop ${name}, then look after the disk`,
      ),
    );
  }
  if (progress.failedAt !== undefined && wants === 'a-proof' && activity.kind !== 'failed') {
    found.push(
      problem(
        'last-proof-failed',
        'made no valid proof the last time and is at it again: its data may be damaged',
        `smesh-compose scan ${identity.data}`,
      ),
    );
  }
  found.push(...lostWorkTrouble(identity));
  if (container?.health === 'unhealthy' && container.state === 'running') {
    found.push(notice('unhealthy', 'is unhealthy by its healthcheck', logs));
  }
  if (identity.registration === 'miss' && observation.at < timeline.deadlines.registerBy) {
    found.push(notice('will-miss', 'will be done too late to register: it loses the epoch after the next'));
  }
  return found;
}

function lostWorkTrouble({ state, container, log, progress }: IdentityReport): readonly Trouble[] {
  const lost = lostWork({
    wanted: state.wants === 'a-proof' ? 'proving' : 'unknown',
    ...(container?.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(log === undefined ? {} : { log }),
    ...(progress.askedAt === undefined ? {} : { askedAt: progress.askedAt }),
  });
  if (lost === undefined) return [];
  const work = lost.workedMs === undefined ? 'its work' : `${formatDuration(lost.workedMs)} of work`;
  return [
    notice(
      'work-lost',
      `was restarted while it proved: ${work} is lost, it began anew`,
      'smesh-compose guard   (before whatever restarts it: cron, updates, reboots)',
    ),
  ];
}

function downTrouble(
  { state, progress, name }: IdentityReport,
  { timeline }: Known,
  { at }: Observation,
): readonly Trouble[] {
  const { activity, wants } = state;
  const reason = activity.kind === 'down' ? activity.reason : 'it has no container yet';
  const fails = /fail|crash|killed/.test(reason);
  if (wants === 'a-proof') {
    return [
      problem(
        'wanted-but-down',
        `is wanted${wantedFor(progress.wantedSince, at)}, but its service is down: ${reason}`,
        fails ? `smesh-compose logs ${name}` : 'smesh-compose up',
      ),
    ];
  }
  // Nothing is lost by it yet, but nobody starts it when the gap opens, least of all at night.
  if (reason === 'stopped' && wants === 'nothing') {
    return [
      notice('stopped', `is stopped; ${neededFrom(timeline, progress.published === 'yes')}`, startThem),
    ];
  }
  const next = fails ? `smesh-compose logs ${name}` : 'smesh-compose up';
  return [problem('service-down', `is down: ${reason}`, next)];
}

function wantedFor(since: number | undefined, now: number): string {
  if (since === undefined) return '';
  const minutes = Math.floor((now - since) / MINUTE);
  return minutes < 1 ? '' : minutes < 120 ? ` for ${minutes} min` : ` for ${Math.floor(minutes / 60)} h`;
}
