import type { PoetInfo } from '../domain/doctor/poet-info.ts';
import type { PoetProofFacts } from '../domain/poet/proof-reader.ts';

/** Nobody there, too late, or somebody who does not answer as a PoET does. */
export type PoetSilence =
  /** Nobody there, no such name, a certificate that is not trusted. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'late'; readonly afterMs: number }
  /** Somebody answers, but not as a PoET does. */
  | { readonly kind: 'malformed'; readonly reason: string };

export type PoetAnswer =
  | {
      readonly kind: 'answered';
      readonly info: PoetInfo;
      readonly elapsedMs: number;
      /** From the answer's `Date` header, whole seconds, against the middle of question and answer. */
      readonly clock?: { readonly offsetMs: number; readonly uncertaintyMs: number };
    }
  | PoetSilence;

export type PoetProofAnswer =
  | { readonly kind: 'proof'; readonly facts: PoetProofFacts }
  /** 404: the round has not ended for this server, or it never ran it. */
  | { readonly kind: 'none' }
  | PoetSilence;

/** PoET servers (spacemesh.md §7.3). */
export interface PoetApiPort {
  /** `GET <address>/v1/info`. Never rejects, reads 64 KiB at most. */
  info(address: string, timeoutMs: number): Promise<PoetAnswer>;
  /**
   * `GET <address>/v1/proofs/<round>`. Never rejects; the answer holds the round's members and is read, not kept, up to
   * 256 MiB.
   */
  proof(address: string, round: number, timeoutMs: number): Promise<PoetProofAnswer>;
}
