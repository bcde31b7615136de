import type { SmesherId } from '../identity/smesher-id.ts';
import { type CycleGap, cycleGap } from '../poet/epochs.ts';
import { diskRate } from '../schedule/estimates.ts';
import { checkModel, type ModelCheck } from './check.ts';
import type { ForecastInput, ForecastRuns, RateSource } from './input.ts';
import { doneMoments, draw, type Outcome, percentile, registersBefore, shareBefore } from './outcome.ts';
import type { JobSpan } from './quick-job.ts';
import { findRemedies, type Remedy } from './remedies.ts';

/** One identity: chances from all runs, moments at the median and at nine of ten. */
export interface ForecastOfIdentity {
  readonly id: SmesherId;
  readonly name: string;
  readonly disk: string;
  readonly units: number;
  readonly unitsGuessed?: true;
  readonly doneP50: number;
  readonly doneP90: number;
  /** Part of the runs in which it registers for the next round. */
  readonly registers: number;
  /** Part of the runs in which it publishes within the epoch. */
  readonly publishes: number;
}

/** One disk: what happens on it in the typical run, in the order in which its identities read. */
export interface ForecastOfDisk {
  readonly disk: string;
  readonly bytesPerSecond: number;
  readonly source: RateSource;
  readonly units: number;
  readonly bytes: number;
  readonly lane: readonly {
    readonly id: SmesherId;
    readonly name: string;
    /** Milliseconds since 1970. */
    readonly spans: readonly JobSpan[];
    readonly doneAt: number;
  }[];
}

export interface Forecast {
  readonly gap: CycleGap;
  /** When provers can begin. */
  readonly begins: number;
  readonly registerBy: number;
  readonly publishBy: number;
  readonly outcome: Outcome;
  readonly runs: number;
  readonly check?: ModelCheck;
  /** No schedule ends sooner, in the typical run. */
  readonly bound: number;
  /** In the order of smesh.yaml. */
  readonly identities: readonly ForecastOfIdentity[];
  readonly disks: readonly ForecastOfDisk[];
  /** Best first; empty where everything fits. */
  readonly remedies: readonly Remedy[];
}

export interface ForecastWish {
  readonly seed?: number;
  /** Default: as many as take a few seconds. */
  readonly runs?: number;
  /** Compare with the schedule itself. Default: yes. */
  readonly check?: boolean;
  /** Default: all. */
  readonly remedies?: 'all' | 'quick' | 'none';
}

const DEFAULT_SEED = 1;

/** So many runs of so many identities take about two seconds. */
export function affordableRuns(identities: number): number {
  return Math.min(Math.max(Math.round(12_000 / identities ** 1.25), 25), 200);
}

/**
 * What the next cycle gap will be like: everybody's luck is drawn many times, and the schedule runs on it (operators.md
 * d.3 to d.5). Pure; needs at least one identity.
 */
export function forecast(input: ForecastInput, wish: ForecastWish = {}): Forecast {
  const seed = wish.seed ?? DEFAULT_SEED;
  const plan: ForecastRuns = { runs: wish.runs ?? affordableRuns(input.identities.length), seed };
  const check = wish.check === false ? undefined : checkModel(input, seed);
  const scale = check?.ratio ?? 1;
  const drawn = draw(input, plan, scale);
  const { outcome, typical, begins, registerBy, publishBy } = drawn;
  const moments = doneMoments(drawn, scale);
  const identities = input.identities.map(({ id, name, disk, units, unitsGuessed }): ForecastOfIdentity => {
    const own = moments.get(id) ?? [];
    return {
      id,
      name,
      disk,
      units,
      ...(unitsGuessed === undefined ? {} : { unitsGuessed }),
      doneP50: percentile(own, 0.5),
      doneP90: percentile(own, 0.9),
      registers: shareBefore(own, registersBefore(registerBy)),
      publishes: shareBefore(own, publishBy),
    };
  });
  const lateDisks = new Set(identities.filter(({ registers }) => registers < 0.9).map(({ disk }) => disk));
  const depth = outcome.fits ? 'none' : (wish.remedies ?? 'all');
  return {
    gap: cycleGap(input.clock, input.epoch),
    begins,
    registerBy,
    publishBy,
    outcome,
    runs: drawn.runs.length,
    ...(check === undefined ? {} : { check }),
    bound: begins + drawn.boundMs,
    identities,
    disks: disksOf(input, typical.jobs, (ms) => begins + ms * scale),
    remedies: depth === 'none' ? [] : findRemedies(input, { lateDisks, seed, scale, depth, begins }),
  };
}

function disksOf(
  input: ForecastInput,
  jobs: readonly {
    readonly identity: ForecastInput['identities'][number];
    readonly spans: readonly JobSpan[];
    readonly doneAt: number | undefined;
  }[],
  at: (ms: number) => number,
): readonly ForecastOfDisk[] {
  const disks = [...new Set(input.identities.map(({ disk }) => disk))];
  return disks.map((disk): ForecastOfDisk => {
    const own = jobs.filter(({ identity }) => identity.disk === disk);
    const lane = own.map(({ identity: { id, name }, spans, doneAt }) => ({
      id,
      name,
      spans: spans.map(({ kind, from, to }) => ({ kind, from: at(from), to: at(to) })),
      doneAt: at(doneAt ?? Number.POSITIVE_INFINITY),
    }));
    return {
      disk,
      bytesPerSecond: diskRate(disk, input.policy),
      source: input.sources.disks.get(disk) ?? 'default',
      units: own.reduce((sum, { identity }) => sum + identity.units, 0),
      bytes: own.reduce((sum, { identity }) => sum + identity.bytes, 0),
      lane: lane.toSorted((a, b) => a.doneAt - b.doneAt),
    };
  });
}
