import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Context } from './context.ts';
import { finishInterrupted } from './journal.ts';

/**
 * Runs an act that changes the project while nobody else does (exit 75 when somebody else is at it), after finishing
 * what a killed command left half done.
 */
export async function withProjectLock<T>(
  context: Context,
  command: string,
  act: () => Promise<T>,
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
    const finished = await finishInterrupted(context.ports, context.directory);
    if (finished !== undefined) {
      context.out.note(
        `An earlier ${finished.command} (${finished.startedAt}) was interrupted; it has been finished first.`,
      );
    }
    return await act();
  } finally {
    await lock.release();
  }
}
