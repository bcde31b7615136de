import { restartMargin } from '../plan/node-change.ts';
import { type EpochClock, openRoundAt, roundEnd, roundStart } from '../poet/epochs.ts';
import type { PoetSettings } from '../project/types.ts';

/** How time runs on the private network of a rehearsal. Seconds. */
export interface RehearsalTiming {
  readonly epochSeconds: number;
  readonly layerSeconds: number;
  readonly layersPerEpoch: number;
  readonly poet: Pick<PoetSettings, 'phaseShift' | 'cycleGap' | 'gracePeriod' | 'positioningAtxTimeout'>;
}

/** Layers of the preset `standalone`: the node's consensus needs that long (spacemesh.md §1.3). */
const USUAL_LAYER_SECONDS = 6;
const LAYERS_OF_SHORT_EPOCHS = 10;

/**
 * Half an epoch of round, half an epoch of cycle gap, a sixth to register: the proportions in which the real programs ran
 * (spacemesh.md §10). Rounded to whole layers.
 */
export function rehearsalTiming(wantedEpochSeconds: number): RehearsalTiming {
  const layerSeconds = Math.min(
    USUAL_LAYER_SECONDS,
    Math.max(1, Math.round(wantedEpochSeconds / LAYERS_OF_SHORT_EPOCHS)),
  );
  const layersPerEpoch = Math.max(1, Math.round(wantedEpochSeconds / layerSeconds));
  const epochSeconds = layerSeconds * layersPerEpoch;
  const half = Math.floor(epochSeconds / 2);
  const gracePeriod = Math.max(2, Math.floor(epochSeconds / 6));
  return {
    epochSeconds,
    layerSeconds,
    layersPerEpoch,
    poet: {
      phaseShift: half,
      cycleGap: half,
      gracePeriod,
      positioningAtxTimeout: Math.max(1, Math.floor(gracePeriod * 0.6)),
    },
  };
}

const BASE_LEAD_SECONDS = 12;
const LEAD_SECONDS_PER_IDENTITY = 1;

/**
 * From the choice of the genesis, which the data are made for, to the genesis itself: time to make them and to start all.
 * Half an epoch more passes before the first round begins, so that a slow start costs nothing yet.
 */
export function leadSeconds(identities: number): number {
  return Math.ceil(BASE_LEAD_SECONDS + LEAD_SECONDS_PER_IDENTITY * identities);
}

/** RFC 3339, whole seconds, as the node wants it. */
export function genesisTimeAt(ms: number): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

const LAST_PROOFS_SECONDS = 8;
const TAKE_DOWN_SECONDS = 8;

/**
 * The whole rehearsal: the first round ends one epoch after genesis, the identity that is added then registers for the
 * third, which ends two epochs later.
 */
export function estimateSeconds(timing: RehearsalTiming, identities: number): number {
  const { phaseShift, cycleGap } = timing.poet;
  return (
    leadSeconds(identities) +
    3 * timing.epochSeconds +
    (phaseShift - cycleGap) +
    LAST_PROOFS_SECONDS +
    TAKE_DOWN_SECONDS
  );
}

/**
 * How long a round must have run before the node may be restarted: its in-process PoET does not survive a stop within the
 * first seconds of a round (spacemesh.md §14.7).
 */
export function settleMs(timing: RehearsalTiming): number {
  return Math.min(Math.max(timing.epochSeconds * 100, 4000), 15_000);
}

/**
 * When the node may be restarted next, at the earliest now: a round runs and has not just begun, and the cycle gap is not
 * so near that the node would not be back before it opens: twice the margin that `up` keeps, which looks a little later.
 */
export function nextRestartAt(clock: EpochClock, now: number, settle: number): number {
  const running = openRoundAt(clock, now) - 1;
  const earliest = roundStart(clock, running) + settle;
  const latest = roundEnd(clock, running) - Math.max(settle, 2 * restartMargin(clock));
  return now <= latest ? Math.max(now, earliest) : roundStart(clock, running + 1) + settle;
}
