import type { ServiceStatus } from './service-status.ts';

/** What one look found of one prover, as far as durations are counted from it. */
export interface StopLook {
  readonly container: string;
  /** Another start is another life: nothing that was seen before it counts. */
  readonly startedAt?: number;
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  readonly status: ServiceStatus['kind'] | 'unasked';
}

interface Remembered {
  readonly look: StopLook;
  readonly since: number;
  readonly seenAt: number;
}

/** Since when each prover has answered the same, over looks that follow each other closely. Keyed by container. */
export type StopMemory = ReadonlyMap<string, Remembered>;

export const NO_MEMORY: StopMemory = new Map();

/** Between looks further apart a whole proof may have come and gone, and nothing would tell. */
const LONGEST_PAUSE_MS = 30_000;

/** The memory after one more look at all provers; whoever is not among them is forgotten. */
export function remember(memory: StopMemory, looks: readonly StopLook[], now: number): StopMemory {
  return new Map(
    looks.map((look) => {
      const before = memory.get(look.container);
      const goesOn =
        before !== undefined &&
        now >= before.seenAt &&
        now - before.seenAt <= LONGEST_PAUSE_MS &&
        before.look.startedAt === look.startedAt &&
        before.look.wanted === look.wanted &&
        before.look.status === look.status;
      return [look.container, { look, since: goesOn ? before.since : now, seenAt: now }];
    }),
  );
}

/** For how long it has answered the same at every look, milliseconds; 0 at the first. */
export function unchangedFor(memory: StopMemory, container: string): number {
  const found = memory.get(container);
  return found === undefined ? 0 : found.seenAt - found.since;
}
