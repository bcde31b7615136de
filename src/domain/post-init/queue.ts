import type { JobState } from './job-state.ts';

/** One job as the queue sees it. */
export interface QueueJob {
  readonly name: string;
  /** Jobs of the same word are parts of one identity: they may write to one disk together. */
  readonly group: string;
  readonly disk: string;
  readonly card: string;
  readonly state: JobState;
  readonly running: boolean;
  /** What shares it shares its free bytes; absent with them: nothing is known. */
  readonly fileSystem?: string;
  readonly freeBytes?: number;
  /** It is not started for now, and why: somebody on its disk has yet to prove. */
  readonly held?: string;
  /** It is not started again: why it has ended, or who stopped it. */
  readonly givenUp?: string;
}

export type Place =
  | { readonly kind: 'complete' }
  | { readonly kind: 'runs' }
  /** Its turn has come. */
  | { readonly kind: 'starts' }
  /** Behind others, or held for a time: goes on by itself. */
  | { readonly kind: 'waits'; readonly why: string; readonly held?: true }
  /** Somebody has to do something. */
  | { readonly kind: 'stuck'; readonly why: string };

/**
 * Whether postcli can be let at the files as they are, and would do something. Of a set whose labels it has all computed
 * without finding a nonce it goes on beyond the data, which is what is missing.
 */
export function isRunnable(state: JobState): boolean {
  return state.kind === 'not-begun' || state.kind === 'unfinished' || state.kind === 'needs-nonce';
}

/** Bytes that a job has yet to write. */
export function missingBytes(state: JobState): number {
  return 'progress' in state && state.progress !== undefined
    ? Math.max(0, state.progress.expectedBytes - state.progress.bytes)
    : 0;
}

/**
 * Who starts now, who waits for what, and who needs somebody. On a disk the parts of one identity write, and nobody else:
 * two writers on one spindle make both slow, but a split exists so that several cards fill one disk. A card computes for
 * one job. What has been begun goes first, then the order of smesh.yaml. Room that those who run will still take is gone.
 */
export function decideQueue(jobs: readonly QueueJob[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const writers = new Map<string, QueueJob>();
  const cards = new Map<string, QueueJob>();
  const taken = new Map<string, number>();
  const take = (job: QueueJob): void => {
    writers.set(job.disk, job);
    cards.set(job.card, job);
    if (job.fileSystem === undefined) return;
    taken.set(job.fileSystem, (taken.get(job.fileSystem) ?? 0) + missingBytes(job.state));
  };
  for (const job of jobs) {
    if (!job.running) continue;
    places.set(job.name, { kind: 'runs' });
    take(job);
  }
  const running = new Set([...writers.values()].map(({ group }) => group));
  const rank = (job: QueueJob) => (running.has(job.group) ? 0 : job.state.kind === 'not-begun' ? 2 : 1);
  const rest = jobs.filter(({ running: runs }) => !runs).sort((a, b) => rank(a) - rank(b));
  for (const job of rest) {
    const place = placeOf(job, writers.get(job.disk), cards.get(job.card), taken);
    places.set(job.name, place);
    if (place.kind === 'starts') take(job);
  }
  return places;
}

function placeOf(
  job: QueueJob,
  writer: QueueJob | undefined,
  onCard: QueueJob | undefined,
  taken: ReadonlyMap<string, number>,
): Place {
  if (job.state.kind === 'complete') return { kind: 'complete' };
  if (job.givenUp !== undefined) return { kind: 'stuck', why: job.givenUp };
  if (!isRunnable(job.state)) return { kind: 'stuck', why: stuckWords(job.state) };
  const room = roomFault(job, taken);
  if (room !== undefined) return { kind: 'stuck', why: room };
  if (job.held !== undefined) return { kind: 'waits', why: job.held, held: true };
  if (writer !== undefined && writer.group !== job.group) {
    return { kind: 'waits', why: `waits for ${job.disk} (${writer.name})` };
  }
  if (onCard !== undefined) return { kind: 'waits', why: `waits for ${job.card} (${onCard.name})` };
  return { kind: 'starts' };
}

/** What is missing where a job would fill its file system; `undefined`: it fits, or nothing is known. */
function roomFault(job: QueueJob, taken: ReadonlyMap<string, number>): string | undefined {
  const { freeBytes, fileSystem } = job;
  if (freeBytes === undefined || fileSystem === undefined) return undefined;
  const others = taken.get(fileSystem) ?? 0;
  const short = missingBytes(job.state) - (freeBytes - others);
  if (short <= 0) return undefined;
  return `${fileSystem} is too small: ${short} bytes are missing${others > 0 ? ' beside what runs already' : ''}`;
}

/** Why a state is nobody's turn. */
export function stuckWords(state: JobState): string {
  switch (state.kind) {
    case 'away':
      return state.why;
    case 'refused':
      return state.message;
    case 'odd-size':
      return `ends in the middle of a label: ${state.files.map(({ path }) => path).join(', ')}`;
    default:
      return '';
  }
}
