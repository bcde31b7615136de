import { cycleGap, type EpochClock, epochStart, openRoundAt } from '../poet/epochs.ts';

export type OldDatabase =
  /** Nobody can have published since: the database is as good as on the day. */
  | { readonly kind: 'current' }
  /** ATXs of this epoch can have been published since the backup. */
  | {
      readonly kind: 'published-since';
      readonly epoch: number;
      readonly opens: number;
      readonly until: number;
    }
  /** The backup is of the future: one of the clocks is wrong. */
  | { readonly kind: 'clock' };

/**
 * Whether an identity can have published since a local.sql was copied. A node that gets the older one back does not know
 * of that ATX and can make another for the same epoch (spacemesh.md §9.1.2). Publishing is possible from the opening of a
 * gap, when the round's proof is fetched, to the end of the epoch.
 */
export function judgeOldDatabase(clock: EpochClock, madeAt: number, now: number): OldDatabase {
  if (now < madeAt) return { kind: 'clock' };
  const next = openRoundAt(clock, madeAt);
  for (const epoch of [next - 1, next]) {
    const { opens } = cycleGap(clock, epoch);
    const until = epochStart(clock, epoch + 1);
    if (opens <= now && until > madeAt) return { kind: 'published-since', epoch, opens, until };
  }
  return { kind: 'current' };
}
