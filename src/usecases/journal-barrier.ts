import { SmeshError } from '../domain/errors.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import { executeFileStep, type FileStepPorts } from './file-steps.ts';
import { carryOut, finishInterrupted, type JournaledAct, stoppedHalfway, writeJournal } from './journal.ts';

/** What keeps everybody else out while an act is carried out, and how it is taken back. */
export interface Barrier {
  readonly steps: readonly FileStep[];
  /** Each may be done without its step having been done. */
  readonly undo: readonly FileStep[];
  /** The last look, behind the barrier: rejects where the act must not happen. */
  readonly look: () => Promise<void>;
}

/**
 * Carries out file steps that must not begin before everybody else is kept out, and nobody is inside any more. What has
 * been looked at before may be otherwise a moment later; what is looked at behind the barrier stays so.
 *
 * At first the journal holds how the barrier is taken down: a run that is killed before or in the look, or whose look finds
 * fault, changes nothing. Then the journal is replaced by the act's own in one step, and from that moment on the next
 * command finishes the act.
 */
export async function runBehindBarrier(
  ports: FileStepPorts,
  act: JournaledAct,
  barrier: Barrier,
): Promise<void> {
  const takenDown: JournaledAct = { ...act, command: `start of ${act.command}`, steps: barrier.undo };
  await writeJournal(ports, takenDown);
  let path: string;
  try {
    for (const step of barrier.steps) await executeFileStep(ports, step);
    await barrier.look();
    // A disk that is full by now must not leave everybody shut out.
    path = await writeJournal(ports, act);
  } catch (error) {
    const finished = await finishInterrupted(ports, act.directory);
    // The journal had taken its place all the same, so the act is done.
    if (finished?.command === act.command) return;
    // Whoever refused has said so; what the file system refused has yet to be explained.
    throw error instanceof SmeshError ? error : stoppedHalfway(error, act.command, 0, act.steps.length);
  }
  await carryOut(ports, act, async () => {
    await writeJournal(ports, takenDown);
    await finishInterrupted(ports, act.directory);
  });
  await ports.files.removeOwn(path);
}
