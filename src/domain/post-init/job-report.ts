import type { ContainerState } from '../compose/observed.ts';
import type { JobEnd } from './explain-end.ts';
import type { Pace } from './growth.ts';
import type { JobLook } from './job-state.ts';
import type { Place } from './queue.ts';

/** Everything that is said of one job at a moment. */
export interface JobReport extends JobLook {
  /** What computes its labels. */
  readonly card: string;
  readonly place: Place;
  /** Absent: it has no container. */
  readonly container?: ContainerState;
  /** Only while it runs, and once something can be told. */
  readonly pace?: Pace;
  /** All labels are there, and it looks for a VRF nonce beyond them. */
  readonly searches?: boolean;
  /** Why it is not done although its container has ended. */
  readonly end?: JobEnd;
}

/** Whether somebody has to do something, so that a job gets on; one that a person stopped waits for that person. */
export function needsSomebody({ place, end }: JobReport): boolean {
  if (place.kind === 'complete' || place.kind === 'runs' || place.kind === 'waits') return false;
  return (place.kind === 'stuck' || end !== undefined) && end?.code !== 'stopped';
}

/** A name for the disk of a job: one that is not known is a disk of its own. */
export function diskOf({ disk, fileSystem, job }: JobLook): string {
  return disk ?? fileSystem ?? job.data;
}
