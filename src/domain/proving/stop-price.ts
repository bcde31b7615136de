import type { EpochTimeline } from '../poet/epochs.ts';
import type { IdentityProgress } from './identity-progress.ts';
import type { ProofLog } from './proof-log.ts';

/** What a stop of this prover would cost, as far as it is known; nothing is made up. */
export interface StopPrice {
  /** Work thrown away since the proof was asked for, milliseconds. */
  readonly workedMs?: number;
  /** When it is done if it is left alone. */
  readonly doneAt?: number;
  /** When it is done if it begins anew at once. */
  readonly againAt?: number;
  readonly deadline: ProofDeadline;
}

/** What the proof is for, and until when (spacemesh.md §7.1, operators.md §0.2). */
export interface ProofDeadline {
  /**
   * `register`: published and registered before the round starts, else `epoch` earns nothing. `publish`: that is over,
   * and what is left is to publish before the epoch ends. `initial`: its first proof, needed to register at all.
   */
  readonly kind: 'register' | 'publish' | 'initial';
  readonly at: number;
  /** The epoch whose rewards depend on it. */
  readonly epoch: number;
}

export interface PriceFacts {
  readonly now: number;
  readonly timeline: EpochTimeline;
  readonly progress: Pick<IdentityProgress, 'due' | 'initialProof' | 'published'>;
  readonly log?: ProofLog;
  /** Only while it reads at a known speed. */
  readonly doneAt?: number;
}

export function priceOfStop(facts: PriceFacts): StopPrice {
  const { now, log, doneAt } = facts;
  const began = log?.proofSince;
  const workedMs = began === undefined || began > now ? undefined : now - began;
  return {
    deadline: proofDeadline(facts),
    ...(workedMs === undefined ? {} : { workedMs }),
    ...(doneAt === undefined ? {} : { doneAt }),
    // All of it once more, from now on.
    ...(doneAt === undefined || began === undefined ? {} : { againAt: now + (doneAt - began) }),
  };
}

function proofDeadline({ now, timeline, progress }: PriceFacts): ProofDeadline {
  const { gap, deadlines } = timeline;
  // Somebody who has nothing to publish in this epoch makes the proof that the first registration needs.
  if (progress.initialProof === 'no' || progress.due === 'no') {
    return { kind: 'initial', at: gap.closes, epoch: gap.epoch + 2 };
  }
  if (now < deadlines.registerBy) {
    return { kind: 'register', at: deadlines.registerBy, epoch: deadlines.epoch + 2 };
  }
  return { kind: 'publish', at: deadlines.publishBy, epoch: deadlines.epoch + 1 };
}

/** Whether beginning anew would miss what leaving it alone would reach; absent: not known. */
export function missesByStop({ doneAt, againAt, deadline }: StopPrice): boolean | undefined {
  if (againAt === undefined || doneAt === undefined) return undefined;
  return againAt > deadline.at && doneAt <= deadline.at;
}
