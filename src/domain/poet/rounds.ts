import { type EpochClock, openRoundAt, roundEnd } from './epochs.ts';

/** The round that has begun and not ended at that time; `undefined` in a cycle gap and before the first round. */
export function runningRound(clock: EpochClock, now: number): number | undefined {
  const round = openRoundAt(clock, now) - 1;
  return round >= 0 && now < roundEnd(clock, round) ? round : undefined;
}

/** The last rounds that have ended by then, the latest first; fewer where the network is young (spacemesh.md §7.1). */
export function finishedRounds(clock: EpochClock, now: number, count: number): readonly number[] {
  const begun = openRoundAt(clock, now) - 1;
  const last = runningRound(clock, now) === undefined ? begun : begun - 1;
  return Array.from({ length: count }, (_, index) => last - index).filter((round) => round >= 0);
}
