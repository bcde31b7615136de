import type { ImageUse } from './check.ts';

/** A service that has not got its new image, and why. */
export interface Waiting {
  readonly service: string;
  readonly why: string;
}

export interface RollFacts {
  readonly upgraded: readonly string[];
  readonly waiting: readonly Waiting[];
  readonly warnings: readonly string[];
}

export type RollResult = RollFacts &
  (
    | { readonly kind: 'done' | 'waiting' | 'timed-out' }
    /** A gate failed; `back` says whether the former image runs again. */
    | { readonly kind: 'failed'; readonly use: ImageUse; readonly why: string; readonly back: WayBackResult }
  );

export type WayBackResult =
  | { readonly kind: 'back' }
  /** smesh.yaml names the former image again, but it does not run well either, or not everywhere yet. */
  | { readonly kind: 'not-well'; readonly why: string }
  /** The new one stays: the former would not take the databases. */
  | { readonly kind: 'impossible'; readonly why: string };
