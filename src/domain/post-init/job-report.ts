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
  /** It runs and has written nothing for longer than any batch takes, milliseconds: its card hangs, or its disk. */
  readonly silentMs?: number;
  /** Why it is not done although its container has ended. */
  readonly end?: JobEnd;
}

/** Whether somebody has to do something, so that a job gets on; one that a person stopped waits for that person. */
export function needsSomebody({ place, end, silentMs, container }: JobReport): boolean {
  if (place.kind === 'runs') return silentMs !== undefined || container === 'paused';
  if (place.kind === 'complete' || place.kind === 'waits') return false;
  return (place.kind === 'stuck' || end !== undefined) && end?.code !== 'stopped';
}

/** A name for the disk of a job: one that is not known is a disk of its own. */
export function diskOf({ disk, fileSystem, job }: JobLook): string {
  return disk ?? fileSystem ?? job.data;
}

/** A batch of 2^20 labels takes seconds on a card; on one core of a processor it can take an hour (spacemesh.md §14.4). */
const LONGEST_BATCH_MS = { card: 15 * 60_000, cpu: 2 * 3600_000 };

/**
 * For how long a running job has written nothing, when that is longer than a batch can take; `undefined`: all is well, or
 * nobody can tell. Who looks for a nonce writes next to nothing.
 */
export function silenceOf(facts: {
  readonly now: number;
  readonly onCpu: boolean;
  readonly searches: boolean;
  readonly startedAt?: number;
  readonly writtenAt?: number;
}): number | undefined {
  const { now, onCpu, searches, startedAt, writtenAt } = facts;
  if (searches || startedAt === undefined) return undefined;
  const silent = now - Math.max(startedAt, writtenAt ?? 0);
  return silent > (onCpu ? LONGEST_BATCH_MS.cpu : LONGEST_BATCH_MS.card) ? silent : undefined;
}
