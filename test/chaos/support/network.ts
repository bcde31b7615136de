/** The fast network of the chaos: an epoch of 36 seconds, in which everything of an epoch happens. */

export const LAYER_MS = 1000;
const LAYERS_PER_EPOCH = 36;
export const EPOCH_MS = LAYERS_PER_EPOCH * LAYER_MS;
/** From an epoch's start to the start of its PoET round: the cycle gap closes. */
export const PHASE_SHIFT_MS = 22_000;
const CYCLE_GAP_MS = 17_000;
const GRACE_MS = 2000;

/**
 * An IDLE of the node counts for nothing for two layers and the time of a start, 22 s here (operators.md d.6). A little
 * less, as container and program do not begin at the same moment.
 */
export const FRESH_MS = 20_000;

/** As smesh.yaml has it. */
export const NETWORK_SETTINGS = { layer: '1s', layersPerEpoch: LAYERS_PER_EPOCH } as const;
export const POET_SETTINGS = {
  phaseShift: `${PHASE_SHIFT_MS / 1000}s`,
  cycleGap: `${CYCLE_GAP_MS / 1000}s`,
  gracePeriod: `${GRACE_MS / 1000}s`,
  positioningAtxTimeout: '1s',
} as const;

/**
 * How long the work of identity n takes. All different, so that at any moment of the gap some do k2pow, some read and
 * some hold a proof. With two nonce groups the slowest is done within 12 s of the gap's 17.
 */
export function workOf(index: number, pace: number): Readonly<Record<string, string>> {
  const spread = index % 12;
  return {
    SIM_K2POW_MS_PER_UNIT_GROUP: String(pace * (400 + 40 * spread)),
    SIM_READ_MS: String(pace * (2000 + 120 * ((spread * 5) % 12))),
    SIM_VERIFY_MS: '2500',
  };
}

/**
 * Undisturbed for so long in an epoch after its gap has opened, an identity must have published: twelve seconds of work,
 * two until the node sees its prover, four for a busy machine.
 */
export const ENOUGH_TO_PUBLISH_MS = 18_000;

/** Moments of one network. Times are milliseconds since 1970. */
export class NetworkTimes {
  readonly genesis: number;

  constructor(genesis: number) {
    this.genesis = genesis;
  }

  epochAt(at: number): number {
    return Math.floor((at - this.genesis) / EPOCH_MS);
  }

  epochStart(epoch: number): number {
    return this.genesis + epoch * EPOCH_MS;
  }

  /** The proofs of the epoch are wanted from here. */
  gapOpens(epoch: number): number {
    return this.gapCloses(epoch) - CYCLE_GAP_MS;
  }

  /** The epoch's round starts: who has not published and registered by now misses the next epoch. */
  gapCloses(epoch: number): number {
    return this.epochStart(epoch) + PHASE_SHIFT_MS;
  }

  windowOpens(epoch: number): number {
    return this.gapCloses(epoch) - GRACE_MS;
  }

  /** In words for the log: `e3 gap +4.2 s`, `e3 +1.0 s`, `e3 after the gap +2.0 s`. */
  describe(at: number): string {
    const epoch = this.epochAt(at);
    const since = (from: number) => `+${((at - from) / 1000).toFixed(1)} s`;
    if (at >= this.gapCloses(epoch)) return `e${epoch} after the gap ${since(this.gapCloses(epoch))}`;
    if (at >= this.gapOpens(epoch)) return `e${epoch} gap ${since(this.gapOpens(epoch))}`;
    return `e${epoch} before the gap ${since(this.epochStart(epoch))}`;
  }
}
