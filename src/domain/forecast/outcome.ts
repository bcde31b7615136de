import type { SmesherId } from '../identity/smesher-id.ts';
import { deadlines } from '../poet/epochs.ts';
import { lowerBound } from '../simulation/bound.ts';
import { drawFarm } from '../simulation/farm.ts';
import { seededRandom } from '../simulation/random.ts';
import { farmOf } from './farm-of.ts';
import type { ForecastInput, ForecastRuns } from './input.ts';
import { type QuickRun, quickRun } from './quick-run.ts';
import { withinCores } from './scanning.ts';

/** What many runs say together. Moments are milliseconds since 1970. */
export interface Outcome {
  /** Everybody registers in at least nine of ten runs. */
  readonly fits: boolean;
  /** Identities that miss the registration, on the average of all runs. */
  readonly missing: number;
  /** Identities that miss the whole publish epoch, on the average. */
  readonly missingEpoch: number;
  /** When the last one has published. */
  readonly doneP50: number;
  readonly doneP90: number;
  readonly peakMemoryBytes: number;
  readonly mostAtOnce: number;
}

/** The runs behind an outcome. */
export interface Drawn {
  readonly outcome: Outcome;
  readonly runs: readonly QuickRun[];
  /** The run whose end is the median. */
  readonly typical: QuickRun;
  /** The lower bound of that run's luck, milliseconds. */
  readonly boundMs: number;
  /** Moment from which the runs count their time. */
  readonly begins: number;
  readonly registerBy: number;
  readonly publishBy: number;
}

/** From publication to registration the node takes seconds. */
const REGISTER_MS = 5000;

export const FITS_SHARE = 0.9;

/** When provers can begin: the node has the PoET proof. */
export function beginOf(input: ForecastInput): number {
  const opens = farmOf(input).node.startsAt;
  return opens + Math.max(0, input.poetDelayMs);
}

/** Draws everybody's luck again and again and runs the schedule on it. */
export function draw(given: ForecastInput, { runs, seed }: ForecastRuns, scale = 1): Drawn {
  const input = withinCores(given);
  const farm = farmOf(input);
  const { registerBy, publishBy } = deadlines(input.clock, input.epoch);
  const begins = beginOf(input);
  const random = seededRandom(seed);
  const all = Array.from({ length: Math.max(runs, 1) }, () => {
    const luck = drawFarm(farm, random);
    const run = quickRun(input, luck, (registerBy - begins) / scale);
    return { run, luck };
  });
  const byEnd = all.toSorted((a, b) => a.run.endMs - b.run.endMs);
  const at = (ms: number) => begins + ms * scale;
  const late = (by: number) =>
    all.map(({ run }) => run.jobs.filter(({ doneAt = Number.POSITIVE_INFINITY }) => at(doneAt) > by).length);
  const lateToRegister = late(registerBy - REGISTER_MS);
  const inTime = lateToRegister.filter((count) => count === 0).length;
  const typical = percentile(byEnd, 0.5);
  return {
    outcome: {
      fits: inTime >= FITS_SHARE * all.length,
      missing: mean(lateToRegister),
      missingEpoch: mean(late(publishBy)),
      doneP50: at(typical.run.endMs),
      doneP90: at(percentile(byEnd, 0.9).run.endMs),
      peakMemoryBytes: Math.max(...all.map(({ run }) => run.peakMemoryBytes)),
      mostAtOnce: Math.max(...all.map(({ run }) => run.mostAtOnce)),
    },
    runs: all.map(({ run }) => run),
    typical: typical.run,
    boundMs: lowerBound(farm, typical.luck, input.policy).ms,
    begins,
    registerBy,
    publishBy,
  };
}

/** Of identities by ID: moments of publication in all runs, sorted. */
export function doneMoments(drawn: Drawn, scale: number): ReadonlyMap<SmesherId, readonly number[]> {
  const moments = new Map<SmesherId, number[]>();
  for (const { jobs } of drawn.runs) {
    for (const { identity, doneAt } of jobs) {
      const known = moments.get(identity.id) ?? [];
      known.push(doneAt === undefined ? Number.POSITIVE_INFINITY : drawn.begins + doneAt * scale);
      moments.set(identity.id, known);
    }
  }
  for (const known of moments.values()) known.sort((a, b) => a - b);
  return moments;
}

/** The part of sorted moments that lies before a deadline. */
export function shareBefore(moments: readonly number[], deadline: number): number {
  return moments.filter((moment) => moment <= deadline).length / Math.max(moments.length, 1);
}

export function registersBefore(registerBy: number): number {
  return registerBy - REGISTER_MS;
}

/** Of a sorted list: the value that this part of it does not exceed. */
export function percentile<T>(sorted: readonly T[], part: number): T {
  const value = sorted[Math.min(Math.ceil(part * sorted.length), sorted.length) - 1] ?? sorted[0];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
