import type { Network, PoetSettings } from '../project/types.ts';

/** Everything the arithmetic needs, in milliseconds since 1970 and milliseconds (spacemesh.md §7.1). */
export interface EpochClock {
  readonly genesis: number;
  readonly epoch: number;
  readonly layer: number;
  readonly phaseShift: number;
  readonly cycleGap: number;
  readonly gracePeriod: number;
}

export function epochClock(
  network: Pick<Network, 'genesisTime' | 'layerSeconds' | 'layersPerEpoch'>,
  poet: Pick<PoetSettings, 'phaseShift' | 'cycleGap' | 'gracePeriod'>,
): EpochClock {
  return {
    genesis: Date.parse(network.genesisTime),
    epoch: network.layerSeconds * network.layersPerEpoch * 1000,
    layer: network.layerSeconds * 1000,
    phaseShift: poet.phaseShift * 1000,
    cycleGap: poet.cycleGap * 1000,
    gracePeriod: poet.gracePeriod * 1000,
  };
}

/** Negative before genesis. */
export function epochAt(clock: EpochClock, now: number): number {
  return Math.floor((now - clock.genesis) / clock.epoch);
}

export function epochStart(clock: EpochClock, epoch: number): number {
  return clock.genesis + epoch * clock.epoch;
}

/** Negative before genesis. */
export function layerAt(clock: EpochClock, now: number): number {
  return Math.floor((now - clock.genesis) / clock.layer);
}

/** A round carries the number of the epoch in which it starts, as long as the phase shift is below an epoch. */
export function roundStart(clock: EpochClock, round: number): number {
  return clock.genesis + clock.phaseShift + round * clock.epoch;
}

export function roundEnd(clock: EpochClock, round: number): number {
  return roundStart(clock, round + 1) - clock.cycleGap;
}

/** The round that takes registrations at that time: the next one to start. */
export function openRoundAt(clock: EpochClock, now: number): number {
  const sinceFirst = now - clock.genesis - clock.phaseShift;
  return sinceFirst < 0 ? 0 : Math.floor(sinceFirst / clock.epoch) + 1;
}

export interface CycleGap {
  /** Publish epoch of the ATXs made in this gap, and number of the round that follows it. */
  readonly epoch: number;
  /** The round whose proof is fetched in it ends here. */
  readonly opens: number;
  /** The next round starts here: who has not registered by then earns nothing in epoch + 2. */
  readonly closes: number;
}

/** Gap k: from the end of round k−1 to the start of round k. */
export function cycleGap(clock: EpochClock, epoch: number): CycleGap {
  return { epoch, opens: roundEnd(clock, epoch - 1), closes: roundStart(clock, epoch) };
}

/** The gap that is open at that time, else the next one. */
export function currentOrNextGap(clock: EpochClock, now: number): CycleGap & { readonly open: boolean } {
  const gap = cycleGap(clock, openRoundAt(clock, now));
  return { ...gap, open: now >= gap.opens };
}

export interface Deadlines {
  /** Publish epoch k that they belong to. */
  readonly epoch: number;
  /** From here the node builds the challenge and registers (grace period before the round). */
  readonly registrationOpens: number;
  /** PoST done, ATX out and registered: later means the next round is missed, no rewards in epoch k + 2. */
  readonly registerBy: number;
  /** The node stops asking PoETs for the proof of round k−1. */
  readonly poetProofBy: number;
  /** ATX out: later means no rewards in epoch k + 1. */
  readonly publishBy: number;
}

/** Deadlines of the ATX with publish epoch k (spacemesh.md §7.1). */
export function deadlines(clock: EpochClock, epoch: number): Deadlines {
  const registerBy = roundStart(clock, epoch);
  const publishBy = epochStart(clock, epoch + 1);
  return {
    epoch,
    registrationOpens: registerBy - clock.gracePeriod,
    registerBy,
    poetProofBy: publishBy - clock.cycleGap,
    publishBy,
  };
}

/** Where in the two-week rhythm a moment lies; what `status` draws. */
export type EpochPhase =
  | { readonly kind: 'before-genesis'; readonly until: number }
  /** The gap is open: proofs are due. */
  | { readonly kind: 'cycle-gap'; readonly since: number; readonly until: number }
  /** The round runs, but what was made late in this epoch's gap can still be published. */
  | { readonly kind: 'late'; readonly since: number; readonly until: number }
  /** Nothing is due until the next gap. */
  | { readonly kind: 'waiting'; readonly until: number };

export interface EpochTimeline {
  readonly epoch: number;
  readonly layer: number;
  readonly epochStarts: number;
  readonly epochEnds: number;
  readonly phase: EpochPhase;
  /** The gap that is open or comes next. */
  readonly gap: CycleGap & { readonly open: boolean };
  /** Of the publish epoch that is being worked on: this one while its gap is open or just over, else the next gap's. */
  readonly deadlines: Deadlines;
}

/** Everything `status` says about time, for one moment. */
export function epochTimeline(clock: EpochClock, now: number): EpochTimeline {
  const epoch = epochAt(clock, now);
  const gap = currentOrNextGap(clock, now);
  const phase = phaseAt(clock, now, gap);
  return {
    epoch,
    layer: layerAt(clock, now),
    epochStarts: epochStart(clock, epoch),
    epochEnds: epochStart(clock, epoch + 1),
    phase,
    gap,
    deadlines: deadlines(clock, phase.kind === 'late' ? gap.epoch - 1 : gap.epoch),
  };
}

function phaseAt(clock: EpochClock, now: number, gap: CycleGap & { readonly open: boolean }): EpochPhase {
  if (now < clock.genesis) return { kind: 'before-genesis', until: clock.genesis };
  if (gap.open) return { kind: 'cycle-gap', since: gap.opens, until: gap.closes };
  const lastGap = cycleGap(clock, gap.epoch - 1);
  // Publish epoch 0 has no gap: nobody has a proof of a round before the first.
  const lastChance = epochStart(clock, lastGap.epoch + 1);
  if (lastGap.epoch > 0 && now < lastChance) {
    return { kind: 'late', since: lastGap.closes, until: Math.min(lastChance, gap.opens) };
  }
  return { kind: 'waiting', until: gap.opens };
}
