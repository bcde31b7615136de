import { restartMargin } from '../plan/node-change.ts';
import { currentOrNextGap, type EpochClock } from '../poet/epochs.ts';

/** Whether disks may be read for a check now. */
export type VerifyMoment =
  /** Until then, milliseconds since 1970: a check that goes on is ended there. */
  | { readonly kind: 'free'; readonly until: number }
  | { readonly kind: 'gap'; readonly open: boolean; readonly opens: number; readonly closes: number };

/** In the cycle gap, and shortly before it, disks are for proofs alone (operators.md: frozen from half an hour before). */
export function verifyMoment(clock: EpochClock, now: number): VerifyMoment {
  const { opens, closes, open } = currentOrNextGap(clock, now);
  const until = opens - restartMargin(clock);
  return now < until ? { kind: 'free', until } : { kind: 'gap', open, opens, closes };
}
