import { LABEL_BYTES } from '../post/metadata.ts';

/** How much of a job was there at a moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly bytes: number;
}

/** Samples of the last minutes, oldest first, one per change: postcli writes in batches of 2^20 labels. */
export type Growth = readonly Sample[];

const WINDOW_MS = 5 * 60_000;

/** A batch that ends right behind the first look would count as done in no time. */
const SHORTEST_MS = 1500;

/** Pauses of so many usual ones mean that it has become slower, or hangs. */
const STALLED = 3;

/** With what has just been seen. Two samples are kept however old they are: a batch of one CPU core takes minutes. */
export function withSample(growth: Growth, sample: Sample): Growth {
  const last = growth.at(-1);
  // A clock that was set back would hide all growth until it is there again.
  if (last !== undefined && (sample.bytes < last.bytes || sample.at < last.at)) return [sample];
  if (last !== undefined && (sample.bytes === last.bytes || sample.at <= last.at)) return growth;
  const next = [...growth, sample];
  while (next.length > 2 && (next[1]?.at ?? 0) < sample.at - WINDOW_MS) next.shift();
  return next;
}

/** Bytes per second between the first and the last change in the window; `undefined`: too early to tell. */
export function growthRate(growth: Growth, now: number): number | undefined {
  const [first] = growth;
  const last = growth.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < SHORTEST_MS) return undefined;
  const usual = (last.at - first.at) / (growth.length - 1);
  const since = now - last.at;
  const span = since > usual * STALLED + 2000 ? now - first.at : last.at - first.at;
  return ((last.bytes - first.bytes) * 1000) / span;
}

export interface Pace {
  readonly bytesPerSecond: number;
  readonly labelsPerSecond: number;
  /** Milliseconds since 1970; absent where nothing is written. */
  readonly doneAt?: number;
}

/** Speed and end of what is under way; `undefined` where nothing can be told yet. */
export function paceOf(growth: Growth, missingBytes: number, now: number): Pace | undefined {
  const rate = growthRate(growth, now);
  if (rate === undefined) return undefined;
  return {
    bytesPerSecond: rate,
    labelsPerSecond: rate / LABEL_BYTES,
    ...(rate > 0 ? { doneAt: now + (missingBytes * 1000) / rate } : {}),
  };
}
