import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

export interface RunJobsRequest {
  /** Names of jobs; empty: all that are not complete. */
  readonly names: readonly string[];
  /** Start what can start and end, without staying to watch. */
  readonly detach: boolean;
  /** Consent to cut files whose size is no multiple of 16 (`--repair`); else it is asked for in a terminal. */
  readonly repair?: boolean;
  /** Start jobs beside provers that have yet to prove in the gap, too (`--during-gap`). */
  readonly duringGap?: boolean;
}

/**
 * Creates, starts and watches initialisation jobs, one per disk and card at a time, until all are complete or nothing can
 * go on; joins parts, and answers the exit code: 0 all complete (or, detached, started), 6 one failed or waits for
 * somebody, 130 Ctrl-C: what runs goes on by itself. smesh.yaml and the generated files are up to date before it is called.
 * The caller does NOT hold the project's lock: watching takes days, so it is taken here for each act alone. Jobs that run
 * already are adopted.
 */
export async function runJobs(
  _context: Context,
  _project: Project,
  _request: RunJobsRequest,
): Promise<number> {
  throw new Error('not written yet');
}
