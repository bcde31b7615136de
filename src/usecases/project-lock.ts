import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Context } from './context.ts';
import { finishInterrupted, readInterrupted } from './journal.ts';
import { finishPendingStarts } from './up/pending-starts.ts';

/** Who takes a key away or over, or is about to stop what is up, does not want the node to be started before. */
const LEAVES_NODE_DOWN: ReadonlySet<string> = new Set(['keys adopt', 'merge', 'remove', 'stop', 'restart']);

/**
 * Who starts and stops what serves. A join of new data whose disk has died keeps none of them from it: all proofs of the
 * gap would hang on a disk that holds none of them.
 */
const PASSES_OVER_DATA: ReadonlySet<string> = new Set(['run', 'up', 'down', 'stop', 'restart']);

/**
 * Runs an act that changes the project while nobody else does (exit 75 when somebody else is at it), after finishing
 * what a killed command left half done: its files, and the containers that it had recreated and not yet started.
 *
 * @param options.startPending false for who takes the containers down anyway, and clears what was to be started
 */
export async function withProjectLock<T>(
  context: Context,
  command: string,
  act: () => Promise<T>,
  options: { readonly startPending: boolean } = { startPending: true },
): Promise<T> {
  const { files, system } = context.ports;
  const startedAt = new Date(context.clock.now()).toISOString();
  const lock = await files.lock(context.directory, `${command} (pid ${system.pid}, since ${startedAt})`);
  if ('heldBy' in lock) {
    throw new SmeshError(
      'project-busy',
      ExitCode.busy,
      `${context.directory} is being changed by ${lock.heldBy}. Nothing was changed.`,
      { hint: 'Try again when it has ended.' },
    );
  }
  try {
    const finished = await finishInterrupted(
      context.ports,
      context.directory,
      PASSES_OVER_DATA.has(command) ? (error) => warnOfUnfinished(context, error) : undefined,
    );
    if (finished !== undefined) {
      context.out.note(
        `An earlier ${finished.command} (${finished.startedAt}) was interrupted; it has been finished first.`,
      );
      for (const { path, backup } of finished.kept)
        context.out.warn(`${path} had been changed since then; what it said is kept in ${backup}`);
    }
    if (options.startPending)
      await finishPendingStarts(context, undefined, { startNode: !LEAVES_NODE_DOWN.has(command) });
    return await act();
  } finally {
    await lock.release();
  }
}

function warnOfUnfinished({ out }: Context, { message, details, hint = '' }: SmeshError): void {
  out.warn([`${message}. This command goes on without that.`, ...details, hint].join('\n  '));
}

/** The one or the other, as `--dry-run` says. */
export function lockedUnlessDry<T>(
  context: Context,
  command: string,
  dryRun: boolean,
  act: () => Promise<T>,
): Promise<T> {
  return dryRun ? withoutChanges(context, act) : withProjectLock(context, command, act);
}

/**
 * Runs a dry run, which changes nothing and therefore needs no lock. Where a killed command is not finished the files say
 * nothing that a plan could be made from: exit 10, as `generate --check` does.
 */
export async function withoutChanges<T>(context: Context, act: () => Promise<T>): Promise<T> {
  const interrupted = await readInterrupted(context.ports, context.directory);
  if (interrupted === undefined) return act();
  throw new SmeshError(
    'interrupted',
    ExitCode.changesPending,
    `An earlier ${interrupted.command} (${interrupted.startedAt}) was interrupted and is not finished; a dry run cannot see past that.`,
    { hint: 'Nothing was changed. Finish it first: smesh-compose generate' },
  );
}
