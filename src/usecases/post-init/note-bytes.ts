import { JOB_RECORD, withBytes, writeJobRecord } from '../../domain/post-init/job-record.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { projectOwner } from '../owners.ts';
import { loadJobRecord } from './look-at-jobs.ts';

/**
 * Remembers that there was data, so that an empty mount point is not begun anew. A fault of it harms nobody.
 *
 * @param begun names of jobs that have just been started: nobody may be watching when they write
 */
export async function noteBytes(
  context: Context,
  looks: readonly JobLook[],
  begun: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { ports, directory } = context;
  const record = await loadJobRecord(context);
  const next = withBytes(
    record,
    looks.map(({ job, state, fileSystem }) => ({
      job,
      begun: begun.has(job.name),
      ...(fileSystem === undefined ? {} : { fileSystem }),
      bytes: 'progress' in state ? (state.progress?.bytes ?? 0) : 0,
    })),
  );
  const text = writeJobRecord(next);
  if (text === writeJobRecord(record)) return;
  try {
    const owner = (await projectOwner(context)) ?? {};
    await ports.files.makeDirectory(stateFolder(directory), { mode: 0o700, ...owner });
    await ports.files.writeAtomic(`${directory}/${JOB_RECORD}`, text, { mode: 0o644, ...owner });
  } catch (error) {
    context.out.warn(`${directory}/${JOB_RECORD} could not be written: ${(error as Error).message}`);
  }
}
