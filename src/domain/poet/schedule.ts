import { cycleGap, deadlines, type EpochClock, epochAt, epochStart, roundEnd } from './epochs.ts';

/** What is due in one publish epoch, in milliseconds since 1970 (spacemesh.md §7.1). */
export interface ScheduleRow {
  /** Publish epoch, and number of the gap and of the round that follows it. */
  readonly epoch: number;
  readonly epochStarts: number;
  readonly epochEnds: number;
  /** The round before ends here: its proof is fetched, and proofs are due. */
  readonly gapOpens: number;
  /** From here the node registers. */
  readonly registrationOpens: number;
  /** End of gap and registration. */
  readonly roundStarts: number;
  readonly roundEnds: number;
  /** The node stops asking for the proof of the round before. */
  readonly poetProofBy: number;
  /** Later than this nothing is earned in the epoch that follows. */
  readonly publishBy: number;
}

/** The epoch that runs, unless it is the first, which has no gap, and those after it. */
export function scheduleRows(clock: EpochClock, now: number, count: number): readonly ScheduleRow[] {
  const first = Math.max(epochAt(clock, now), 1);
  return Array.from({ length: count }, (_, index) => scheduleRow(clock, first + index));
}

export function scheduleRow(clock: EpochClock, epoch: number): ScheduleRow {
  const { opens, closes } = cycleGap(clock, epoch);
  const { registrationOpens, poetProofBy, publishBy } = deadlines(clock, epoch);
  return {
    epoch,
    epochStarts: epochStart(clock, epoch),
    epochEnds: epochStart(clock, epoch + 1),
    gapOpens: opens,
    registrationOpens,
    roundStarts: closes,
    roundEnds: roundEnd(clock, epoch),
    poetProofBy,
    publishBy,
  };
}

/** What is wrong with times for a network; `undefined` when they fit each other (the rule of smesh.yaml). */
export function faultOfTimes(clock: EpochClock): string | undefined {
  if (clock.phaseShift >= clock.epoch) return 'the phase shift must be shorter than an epoch';
  if (clock.cycleGap >= clock.epoch) return 'the cycle gap must be shorter than an epoch';
  if (clock.cycleGap <= 0) return 'the cycle gap must be longer than nothing';
  return clock.gracePeriod < clock.cycleGap
    ? undefined
    : 'the grace period must be shorter than the cycle gap';
}
