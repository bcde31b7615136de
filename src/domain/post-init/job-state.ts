import type { InitialisationJob } from '../project/types.ts';

/** How far the files of a job are, in bytes of its own range. */
export interface JobProgress {
  readonly bytes: number;
  readonly expectedBytes: number;
}

/** A file that ends in the middle of a label, and what is left when that piece is cut off. */
export interface OddFile {
  readonly path: string;
  readonly size: number;
  readonly cutTo: number;
}

/**
 * What the files say of a job, which is all that counts: postcli ends with 0 where it failed (spacemesh.md §8.1).
 * `refused` has its own code for each thing that postcli would do to the data without asking (§14.4).
 */
export type JobState =
  /** The disk is not mounted, the directory is not there, or it cannot be looked at. */
  | { readonly kind: 'away'; readonly why: string; readonly next: string }
  /** No label has been written yet. */
  | { readonly kind: 'not-begun'; readonly progress: JobProgress }
  /** Can be gone on with, with the same flags. */
  | { readonly kind: 'unfinished'; readonly progress: JobProgress }
  /** A file whose size is no multiple of 16: resumed as it is it would be corrupt from there on. */
  | { readonly kind: 'odd-size'; readonly progress: JobProgress; readonly files: readonly OddFile[] }
  /**
   * All files are there, and the VRF nonce is missing. `searching`: postcli looks for one beyond the data (LastPosition)
   * and goes on with that when it is run again.
   */
  | { readonly kind: 'needs-nonce'; readonly progress: JobProgress; readonly searching: boolean }
  /** All files of the range, and of a whole set its VRF nonce. `joined`: a part whose files have been moved to `into`. */
  | { readonly kind: 'complete'; readonly progress: JobProgress; readonly joined?: true }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly hint: string;
      readonly progress?: JobProgress;
    };

export type RefusalCode =
  | 'metadata-malformed'
  | 'metadata-missing'
  | 'other-identity'
  | 'other-commitment'
  | 'other-labels-per-unit'
  | 'other-file-size'
  | 'fewer-units'
  | 'more-units'
  | 'surplus-files'
  | 'files-outside-range'
  | 'file-too-long'
  | 'file-twice'
  | 'partly-joined'
  | 'read-only';

export interface JobLook {
  readonly job: InitialisationJob;
  readonly state: JobState;
  /** Free bytes where its data lies; absent: unknown. */
  readonly freeBytes?: number;
  /** Whether this user may write there; absent: not known. A job runs as another user, which may. */
  readonly writable?: boolean;
  /** Of the files in its directory, by index; absent where that could not be looked at. */
  readonly sizes?: ReadonlyMap<number, number>;
  /** When one of them was last written to, milliseconds since 1970. */
  readonly writtenAt?: number;
  /** As `scan` names it; absent: unknown, and then a disk of its own. */
  readonly disk?: string;
  /** Mount point of its file system: what shares it shares its free bytes. */
  readonly fileSystem?: string;
}
