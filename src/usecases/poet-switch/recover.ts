import { cancelled, ExitCode, SmeshError } from '../../domain/errors.ts';
import type { PoetFatal } from '../../domain/poet/switch/node-log.ts';
import type { Stranded } from '../../domain/poet/switch/recover.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { withoutChanges, withProjectLock } from '../project-lock.ts';
import { isCurrent } from './observe.ts';
import { applyRecovery, lookForRecovery, type RecoveryLook } from './recovery.ts';

export interface RecoverOptions {
  readonly dryRun: boolean;
  /** The cure that costs an epoch: the registrations go instead of their PoETs coming back. */
  readonly deleteRegistrations: boolean;
  readonly timeoutMs: number;
}

/**
 * Gets a node to run that ends again and again because of its PoETs, after somebody has edited them by hand: other addresses
 * while a round runs, a server without its key or of another phase (spacemesh.md §6.4, §7.2, §14.7). Loses nothing unless
 * asked to.
 */
export function runRecover(context: Context, options: RecoverOptions): Promise<ExitCode> {
  if (options.dryRun) return withoutChanges(context, () => recover(context, options));
  // What was stopped for a recovery that was interrupted is started by this one, with the settings that it needs.
  return withProjectLock(context, 'poet recover', () => recover(context, options), { startPending: false });
}

/** A node between two of its lives cannot be told from one that starts. */
const BETWEEN_LIVES_MS = 60_000;
const LOOK_EVERY_MS = 1000;

async function lookUntilClear(context: Context, deletes: boolean): Promise<RecoveryLook> {
  const until = context.clock.now() + BETWEEN_LIVES_MS;
  for (;;) {
    const found = await lookForRecovery(context, deletes);
    const { look, lenient, stranded } = found;
    // In its first life it answers until it looks at its registrations.
    const isDoomed = stranded.length > 0 && isCurrent(look, lenient.project);
    const isClear = look.stand !== 'up' || (look.snapshot?.status.ok === true && !isDoomed);
    if (isClear || context.clock.now() >= until) return found;
    await context.clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}

async function recover(context: Context, options: RecoverOptions): Promise<ExitCode> {
  const found = await lookUntilClear(context, options.deleteRegistrations);
  const { look, recovery, configDiffers, stranded } = found;
  if (look.stand === 'up' && !endsWhenStarted(found))
    return nothing(context, 'The node runs: there is nothing to recover.');
  const fatal = look.fatal ?? fatalToCome(stranded);
  if (look.stand !== 'failing' && fatal === undefined) {
    return nothing(
      context,
      'The node is down, and did not end because of its PoETs. Start it: smesh-compose up',
    );
  }
  // Without a word of its log nothing is changed for it: another fault is not cured by another list.
  if (fatal === undefined) throw notThePoets(undefined);
  if (recovery.kind === 'stuck') throw stuck(found, recovery.why);
  const deletes = options.deleteRegistrations && stranded.length > 0;
  if (recovery.kind === 'nothing' && !configDiffers && !deletes) throw notThePoets(fatal);
  const lines = [
    fatalWords(fatal, stranded),
    ...(recovery.kind === 'settings' ? recovery.reasons : []),
    ...(configDiffers
      ? [
          'node/config.json names other PoETs than smesh.yaml: it is written anew, what it says now is kept in .smesh/backups',
        ]
      : []),
    ...(deletes ? [deletionWords(stranded)] : []),
  ];
  if (options.dryRun) return preview(context, found, lines, deletes);
  for (const line of lines) context.out.note(`· ${line}`);
  if (deletes) await agree(context, stranded);
  const made = await applyRecovery(context, found, { deletes, timeoutMs: options.timeoutMs });
  if (context.json) {
    context.out.json({ schemaVersion: 1, outcome: 'recovered', done: lines, stranded, ...made });
    return ExitCode.ok;
  }
  const lost = deletes ? deletionWords(stranded) : 'Nothing is lost.';
  context.out.result(`The node runs again. ${lost}`);
  context.out.note('To change PoETs in a moment in which it costs nothing: smesh-compose poet switch --to …');
  return ExitCode.ok;
}

/**
 * It is starting, which takes 9 to 18 min for each PoET that is away (spacemesh.md §9.1), and then it ends: it is neither failing
 * yet nor healthy.
 */
export function endsWhenStarted({
  look,
  lenient,
  stranded,
}: Pick<RecoveryLook, 'look' | 'lenient' | 'stranded'>): boolean {
  return stranded.length > 0 && look.snapshot?.status.ok !== true && isCurrent(look, lenient.project);
}

/** A node that is down and would end as soon as it is started. */
function fatalToCome(stranded: readonly Stranded[]): PoetFatal | undefined {
  if (stranded.length === 0) return undefined;
  return {
    kind: 'no-listed-registration',
    registrations: [...new Set(stranded.flatMap(({ addresses }) => addresses))],
    configured: [],
  };
}

function nothing(context: Context, words: string): ExitCode {
  if (context.json) context.out.json({ schemaVersion: 1, outcome: 'nothing', why: words });
  else context.out.result(words);
  return ExitCode.ok;
}

function fatalWords(fatal: PoetFatal, stranded: readonly Stranded[]): string {
  switch (fatal.kind) {
    case 'no-listed-registration': {
      const names = stranded.length === 0 ? 'An identity' : enumerate(stranded.map(({ name }) => name));
      const where = fatal.registrations.join(', ') || 'PoETs that the list does not have';
      return `${names} ${stranded.length > 1 ? 'are' : 'is'} registered with ${where} for a round that has begun, and the node ends at every start because the list does not lead there`;
    }
    case 'missing-pubkey':
      return 'A PoET in the list has no public key: the node crashes when it looks for its proof, again and again until it has one';
    case 'other-phase':
      return 'A PoET in the list has another phase shift than the node is configured with, and the node ends at every start';
  }
}

/** What the deletion costs, by epoch. */
export function deletionWords(stranded: readonly Stranded[]): string {
  const epochs = [...new Set(stranded.map(({ publishEpoch }) => publishEpoch + 1))].sort((a, b) => a - b);
  const names = enumerate(stranded.map(({ name }) => name));
  return `The registrations of ${names} are deleted: no ATX comes of the running round, and the rewards of epoch ${epochs.join(', ')} are lost.`;
}

async function agree(context: Context, stranded: readonly Stranded[]): Promise<void> {
  if (context.yes) return;
  const agreed = await context.ports.prompt.confirm({
    message: 'Delete them?',
    explanation: `${deletionWords(stranded)} Without --delete-registrations nothing would be lost.`,
    flag: '--yes',
    initial: false,
  });
  if (!agreed) throw cancelled('smesh-compose poet recover');
}

function preview(
  context: Context,
  found: RecoveryLook,
  lines: readonly string[],
  deletes: boolean,
): ExitCode {
  const { recovery, stranded } = found;
  if (context.json) {
    context.out.json({ schemaVersion: 1, dryRun: true, would: lines, stranded, recovery });
    return ExitCode.ok;
  }
  const steps = [
    'take a backup',
    'stop the node, which ends by itself anyway',
    'write smesh.yaml and node/config.json',
    ...(deletes ? ['delete the rows in local.sql'] : []),
    'start the node',
  ];
  context.out.result(
    ['Would do this:', ...lines.map((line) => `  ${line}`), '', ...steps.map((step) => `  · ${step}`)].join(
      '\n',
    ),
  );
  context.out.note('Nothing has been changed. Apply it without --dry-run.');
  return ExitCode.ok;
}

function stuck({ stranded }: RecoveryLook, why: string): SmeshError {
  return new SmeshError(
    'cannot-recover',
    ExitCode.unhealthy,
    `The node cannot be helped from here: ${why}. Nothing was changed.`,
    {
      details: stranded.map(
        ({ name, addresses, publishEpoch }) =>
          `${name} is registered with ${addresses.join(', ')} for its ATX of epoch ${publishEpoch}`,
      ),
      hint:
        stranded.length === 0
          ? 'Correct poet.servers in smesh.yaml, then: smesh-compose up'
          : 'When the PoET answers again: smesh-compose poet recover   To give the running round up: --delete-registrations',
    },
  );
}

function notThePoets(fatal: PoetFatal | undefined): SmeshError {
  const why = fatal === undefined ? 'its log says nothing of PoETs' : 'smesh.yaml has what it needs by now';
  return new SmeshError(
    'not-the-poets',
    ExitCode.unhealthy,
    `The node ends again and again, but not because of its PoETs: ${why}. Nothing was changed.`,
    {
      hint:
        fatal === undefined
          ? 'smesh-compose logs node'
          : 'Start it with what smesh.yaml says: smesh-compose up',
    },
  );
}
