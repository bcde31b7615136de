import type { SmesherId } from '../identity/smesher-id.ts';
import type { RestartReason } from './observation.ts';

/** A speed, and when it was measured. */
export interface Measured {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Bytes or hashes per second. */
  readonly rate: number;
}

/** A container that the schedule stopped, so that nobody takes it for stopped by a person. */
export interface OwnStop {
  readonly container: string;
  /** When it was about to be stopped: a loop that was killed right then has no more than this. */
  readonly at: number;
  /** When it had ended, as the engine says. */
  readonly finishedAt?: number;
}

/** What was done about a proof that the node wants, until it has it. */
export interface Demand {
  /** Epoch in which its ATX is published: another one is another demand. */
  readonly epoch: number;
  /** When it was first seen to be wanted. */
  readonly since: number;
  readonly restarts: Readonly<
    Partial<Record<RestartReason, { readonly times: number; readonly at: number }>>
  >;
  /** When proofs were found invalid. */
  readonly invalidAt: readonly number[];
}

/**
 * What the schedule remembers beside what Docker, node and services hold: courtesies and measurements. It may be lost at
 * any time: then a person's stop is forgotten, and speeds are the stated defaults (design §7).
 */
export interface ScheduleHistory {
  /** When the schedule first looked at this project: who was down before was not stopped in spite of it. */
  readonly since?: number;
  /** By disk, oldest first. */
  readonly disks: ReadonlyMap<string, readonly Measured[]>;
  /** Of the whole host, oldest first. */
  readonly k2pow: readonly Measured[];
  readonly stops: readonly OwnStop[];
  readonly demands: ReadonlyMap<SmesherId, Demand>;
  /** On which disk each identity was last seen: while it is away nobody can tell. */
  readonly diskOf: ReadonlyMap<SmesherId, string>;
}

export const NO_HISTORY: ScheduleHistory = {
  disks: new Map(),
  k2pow: [],
  stops: [],
  demands: new Map(),
  diskOf: new Map(),
};

/** Of each speed so many are kept: a dozen passes, and the middle one of them does not care for a bad night. */
const KEPT = 12;

export function withDiskRate(
  history: ScheduleHistory,
  disk: string,
  rate: number,
  at: number,
): ScheduleHistory {
  if (!(rate > 0) || !Number.isFinite(rate)) return history;
  const disks = new Map(history.disks);
  disks.set(disk, [...(disks.get(disk) ?? []), { at, rate }].slice(-KEPT));
  return { ...history, disks };
}

export function withK2powRate(history: ScheduleHistory, rate: number, at: number): ScheduleHistory {
  if (!(rate > 0) || !Number.isFinite(rate)) return history;
  return { ...history, k2pow: [...history.k2pow, { at, rate }].slice(-KEPT) };
}

/** What planning goes by: the middle one of the kept measurements; nothing where nothing was measured. */
export function measuredRates(history: ScheduleHistory): {
  readonly hashesPerSecond?: number;
  readonly diskBytesPerSecond: ReadonlyMap<string, number>;
} {
  const hashesPerSecond = middle(history.k2pow);
  const disks = [...history.disks].flatMap(([disk, measured]): [string, number][] => {
    const rate = middle(measured);
    return rate === undefined ? [] : [[disk, rate]];
  });
  return {
    ...(hashesPerSecond === undefined ? {} : { hashesPerSecond }),
    diskBytesPerSecond: new Map(disks),
  };
}

function middle(measured: readonly Measured[]): number | undefined {
  const rates = measured.map(({ rate }) => rate).sort((a, b) => a - b);
  const half = Math.floor(rates.length / 2);
  const upper = rates[half];
  if (upper === undefined) return undefined;
  return rates.length % 2 === 1 ? upper : (upper + (rates[half - 1] ?? upper)) / 2;
}

/** Before it is done: a loop that is killed in the act must not take its own stop for a person's. */
export function withStopIntended(history: ScheduleHistory, container: string, at: number): ScheduleHistory {
  return { ...history, stops: [...otherStops(history, container), { container, at }] };
}

/** @param finishedAt as the engine says; absent: it was not stopped after all */
export function withStopDone(
  history: ScheduleHistory,
  container: string,
  finishedAt: number | undefined,
): ScheduleHistory {
  const others = otherStops(history, container);
  const intended = history.stops.find((stop) => stop.container === container);
  if (finishedAt === undefined) return { ...history, stops: others };
  return { ...history, stops: [...others, { container, at: intended?.at ?? finishedAt, finishedAt }] };
}

function otherStops(history: ScheduleHistory, container: string): readonly OwnStop[] {
  return history.stops.filter((stop) => stop.container !== container);
}

export function withRestart(
  history: ScheduleHistory,
  id: SmesherId,
  reason: RestartReason,
  at: number,
): ScheduleHistory {
  const demand = history.demands.get(id);
  if (demand === undefined) return history;
  const times = (demand.restarts[reason]?.times ?? 0) + 1;
  const demands = new Map(history.demands);
  demands.set(id, { ...demand, restarts: { ...demand.restarts, [reason]: { times, at } } });
  return { ...history, demands };
}
