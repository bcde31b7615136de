import { basename } from 'node:path';
import type { FileStep } from '../../domain/plan/steps.ts';
import type { JobLook, OddFile } from '../../domain/post-init/job-state.ts';
import type { Context } from '../context.ts';
import { runJournaled, stateFolder } from '../journal.ts';
import { projectOwner } from '../owners.ts';
import { withProjectLock } from '../project-lock.ts';

interface Torn {
  readonly look: JobLook;
  readonly files: readonly OddFile[];
}

/**
 * Cuts files of jobs that end in the middle of a label, when that was agreed to: by `--repair`, or in a terminal. Less than
 * a label goes, which nobody could use; it is kept. Answers whether anything was cut. Nobody may be writing: the caller
 * leaves out jobs that run.
 */
export async function repairOdd(
  context: Context,
  looks: readonly JobLook[],
  consent: boolean,
): Promise<boolean> {
  const torn = looks.flatMap((look): Torn[] =>
    look.state.kind === 'odd-size' ? [{ look, files: look.state.files }] : [],
  );
  if (torn.length === 0) return false;
  const agreed = consent || context.yes || (context.out.interactive && (await ask(context, torn)));
  if (!agreed) return false;
  const steps = torn.flatMap(({ look, files }) => files.map((file) => stepOf(context, look, file)));
  const owner = await projectOwner(context);
  await withProjectLock(
    context,
    'post init',
    () =>
      runJournaled(context.ports, {
        directory: context.directory,
        command: 'post init',
        at: context.clock.now(),
        steps,
        ...(owner === undefined ? {} : { owner }),
      }),
    { startPending: false },
  );
  for (const { look, files } of torn)
    for (const { path, size, cutTo } of files)
      context.out.note(
        `${look.job.name}: ${path} cut from ${size} to ${cutTo} bytes; the piece is kept in ${stateFolder(context.directory)}/cut`,
      );
  return true;
}

function stepOf({ directory }: Context, { job }: JobLook, { path, size, cutTo }: OddFile): FileStep {
  return {
    kind: 'cut-file',
    path,
    size,
    cutTo,
    keep: `${stateFolder(directory)}/cut/${job.name}-${basename(path)}.${size}`,
    what: `${size - cutTo} bytes of a label that was not finished`,
  };
}

async function ask({ ports, out }: Context, torn: readonly Torn[]): Promise<boolean> {
  out.note('Files that end in the middle of a label, as after a power cut:');
  for (const { files } of torn)
    for (const { path, size, cutTo } of files)
      out.note(`  ${path}: ${size} bytes, whole labels until ${cutTo}`);
  out.note(
    'postcli would write on behind such a piece, and all that follows would be misplaced and worthless.',
  );
  return ports.prompt.confirm({
    message: 'Cut that piece off (less than 16 bytes; it is kept) and go on?',
    flag: '--repair',
    initial: true,
  });
}
