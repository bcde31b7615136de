import type { PoetInfo } from '../domain/doctor/poet-info.ts';

export type PoetAnswer =
  | {
      readonly kind: 'answered';
      readonly info: PoetInfo;
      readonly elapsedMs: number;
      /** From the answer's `Date` header, whole seconds, against the middle of question and answer. */
      readonly clock?: { readonly offsetMs: number; readonly uncertaintyMs: number };
    }
  /** Nobody there, no such name, a certificate that is not trusted. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'late'; readonly afterMs: number }
  /** Somebody answers, but not as a PoET does. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** PoET servers (spacemesh.md §7.3). */
export interface PoetApiPort {
  /** `GET <address>/v1/info`. Never rejects, reads 64 KiB at most. */
  info(address: string, timeoutMs: number): Promise<PoetAnswer>;
}
