import type { SmesherId } from '../identity/smesher-id.ts';
import type { EpochClock } from '../poet/epochs.ts';
import type { ProvingSettings } from '../schedule/observation.ts';
import type { SchedulePolicy } from '../schedule/policy.ts';

/** One identity as the forecast sees it. */
export interface ForecastIdentity {
  readonly id: SmesherId;
  readonly name: string;
  /** Who has the same word shares one reader. */
  readonly disk: string;
  readonly units: number;
  readonly bytes: number;
  readonly settings: ProvingSettings;
  /** Its metadata could not be read: units are a guess. */
  readonly unitsGuessed?: true;
}

/** From where a rate is known. */
export type RateSource = 'measured' | 'configured' | 'default';

/** Everything that a forecast follows from: the same input gives the same forecast. */
export interface ForecastInput {
  /** Those that prove in the gap. */
  readonly identities: readonly ForecastIdentity[];
  readonly policy: SchedulePolicy;
  readonly clock: EpochClock;
  /** Publish epoch of the gap. */
  readonly epoch: number;
  /** Milliseconds since 1970: when provers may begin; before the gap opens it is the opening. */
  readonly from: number;
  /** From the gap's opening until the node has the PoET proof. */
  readonly poetDelayMs: number;
  readonly sources: {
    readonly k2pow: RateSource;
    readonly disks: ReadonlyMap<string, RateSource>;
  };
  /** k2pow-services that identities use: how fast they are is a guess. */
  readonly remoteHashesPerSecond: number;
}

/** How often the luck of all is drawn; from the same seed the same luck. */
export interface ForecastRuns {
  readonly runs: number;
  readonly seed: number;
}

/**
 * Bytes per second that one core scans with so many nonces: the profiler's table (operators.md d.3: 64 nonces 0.19 GiB/s,
 * 128 nonces 0.12), between and beyond in a straight line of time per group.
 */
export function scanRate(nonces: number): number {
  const secondsPerGib = 2.19 + 0.768 * (nonces / 16);
  return 2 ** 30 / secondsPerGib;
}

/** The node has a PoET proof minutes after the round's end (operators.md d.2); on private networks within seconds. */
export function assumedPoetDelay({ cycleGap }: EpochClock): number {
  return Math.min(5 * 60_000, cycleGap / 100);
}
