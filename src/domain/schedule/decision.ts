import type { SmesherId } from '../identity/smesher-id.ts';
import type { RestartReason } from './observation.ts';

/** What is to be done now to one container, and why, in words for the log. */
export type ScheduleAct = {
  readonly id: SmesherId;
  readonly name: string;
  readonly containerId: string;
  /** One line for a person: continues `post-0002  started: …`. */
  readonly reason: string;
} & (
  | {
      readonly kind: 'start' /** Its disk is busy: it is to be held before it reads. */;
      readonly ahead: boolean;
    }
  /** Only of one that has nothing to lose; asked once more before it is done. */
  | { readonly kind: 'stop' }
  /** By CPU quota. `deep`: it would read at the usual crawl, too. */
  | { readonly kind: 'hold'; readonly deep: boolean }
  /** Lifts the quota. */
  | { readonly kind: 'release' }
  /** Only where nothing is lost by it; asked once more before it is done. */
  | { readonly kind: 'restart'; readonly mends: RestartReason }
);

/** Why an identity that the node wants a proof of does not work on it. */
export interface Waiting {
  readonly id: SmesherId;
  readonly name: string;
  readonly why: WaitReason;
  /** `waits for sda`, `waits for a k2pow slot`. */
  readonly words: string;
}

export type WaitReason =
  | 'disk'
  | 'k2pow'
  | 'memory'
  | 'threads'
  | 'data-away'
  | 'stopped-by-person'
  | 'no-container'
  | 'invalid-proofs'
  | 'trouble';

/** Something that a person must look at. Stable code, said once for as long as it holds. */
export interface ScheduleAlarm {
  readonly code: string;
  readonly id?: SmesherId;
  readonly name?: string;
  /** Whom it is about where there may be several; fewer of them are no news. */
  readonly names?: readonly string[];
  readonly message: string;
  readonly next?: string;
}

export interface Decision {
  readonly acts: readonly ScheduleAct[];
  /** In the order in which they will have their turn. */
  readonly waiting: readonly Waiting[];
  readonly alarms: readonly ScheduleAlarm[];
  /** Milliseconds since 1970: nothing changes by time alone before; a look at an event comes earlier. */
  readonly lookAgainAt: number;
}
