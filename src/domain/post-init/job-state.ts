import type { InitialisationJob } from '../project/types.ts';

/** How far the files of a job are, in bytes of its own range. */
export interface JobProgress {
  readonly bytes: number;
  readonly expectedBytes: number;
}

/**
 * What the files say of a job, which is all that counts: postcli ends with 0 where it failed (spacemesh.md §8.1).
 * `refused` has its own code for each thing that postcli would do to the data without asking (§14.4).
 */
export type JobState =
  /** The disk is not mounted, or the place cannot be looked at. */
  | { readonly kind: 'away'; readonly why: string }
  /** Nothing has been written; the directory may not even be there. */
  | { readonly kind: 'not-begun'; readonly progress: JobProgress }
  /** Can be gone on with, with the same flags. */
  | { readonly kind: 'unfinished'; readonly progress: JobProgress }
  /** A file whose size is no multiple of 16: resumed as it is it would be corrupt from there on. */
  | {
      readonly kind: 'odd-size';
      readonly progress: JobProgress;
      readonly files: readonly { readonly path: string; readonly size: number; readonly cutTo: number }[];
    }
  /** All files of the range are there; of a whole set the VRF nonce is missing. */
  | { readonly kind: 'needs-nonce'; readonly progress: JobProgress }
  /** All files of the range, and of a whole set its VRF nonce. */
  | { readonly kind: 'complete'; readonly progress: JobProgress }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

export interface JobLook {
  readonly job: InitialisationJob;
  readonly state: JobState;
  /** Free bytes where its data lies; absent: unknown. */
  readonly freeBytes?: number;
  readonly writable?: boolean;
}
