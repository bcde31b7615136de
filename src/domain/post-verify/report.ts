import type { SmesherId } from '../identity/smesher-id.ts';
import type { ScannedDirectory } from '../post/types.ts';
import type { FileRange } from './files-to-check.ts';
import type { VerifiedRecord, WrongLabel } from './record.ts';

/** One directory of PoST data, or a place where there is none. */
export interface VerifyPlace {
  readonly path: string;
  /** Of its identity or job. */
  readonly name?: string;
  /** It has an identity in the project that is worked in, so a post-service may serve it. */
  readonly served?: boolean;
  /** Container of somebody else that serves it now. */
  readonly servedBy?: string;
  /** As `scan` judges it; absent: see `fault`. */
  readonly directory?: ScannedDirectory;
  readonly fault?: string;
  /** What may have one reader at a time. */
  readonly disk: string;
  /** Its own name, where smesh.yaml calls it otherwise. */
  readonly device?: string;
  /** `uid:gid` that may read it. */
  readonly user?: string;
  /** N that its labels were made with; absent: not known. */
  readonly scryptN?: number;
}

/** How far a check of the labels came. */
export interface LabelResult {
  /** `stopped`: ended from outside, nothing is known to be wrong. `failed`: postcli or the engine could not. */
  readonly kind: 'checked' | 'stopped' | 'failed';
  /** Files that were looked at to their end; absent: none. */
  readonly range?: FileRange;
  /** The first wrong label of each file that has one. */
  readonly wrong: readonly WrongLabel[];
  /** Of what was stopped or failed. */
  readonly why?: string;
}

export type LabelsLook = LabelResult | { readonly kind: 'not-checked'; readonly why: string };

export interface PlaceReport {
  readonly place: VerifyPlace;
  readonly labels: LabelsLook;
  /** Of the last time, where this time says nothing newer. */
  readonly last?: VerifiedRecord;
}

export interface VerifyReport {
  readonly at: number;
  /** Percent. */
  readonly fraction: number;
  /** The last file that was asked for; absent: the last one that there is. */
  readonly toFile?: number;
  readonly places: readonly PlaceReport[];
  /** Written to the project's `.smesh`. */
  readonly kept: boolean;
}

/** Whether files, metadata, nonce and key are as a prover needs them. */
export function structureIsWhole({ directory }: VerifyPlace): boolean {
  return directory?.verdict === 'ready';
}

export type ReportVerdict = 'right' | 'wrong' | 'not-known';

/** `wrong`: something found here costs proofs. `not-known`: something was not looked at that should have been. */
export function verdictOf({ places }: Pick<VerifyReport, 'places'>): ReportVerdict {
  const wrong = places.some(
    ({ place, labels }) =>
      (place.directory !== undefined && !structureIsWhole(place)) ||
      (labels.kind !== 'not-checked' && labels.wrong.length > 0),
  );
  if (wrong) return 'wrong';
  return places.some(({ place, labels }) => place.fault !== undefined || labels.kind !== 'checked')
    ? 'not-known'
    : 'right';
}

/** What is remembered of a check; `undefined` where nothing was looked at. */
export function recordOf(
  { path, directory }: VerifyPlace,
  { range, wrong }: LabelResult,
  fraction: number,
  at: number,
): VerifiedRecord | undefined {
  const id: SmesherId | undefined = directory?.metadata?.smesherId;
  if (id === undefined || directory?.files === undefined || range === undefined) return undefined;
  return { path, smesherId: id, at, fraction, ...range, files: directory.files.expected, wrong };
}
