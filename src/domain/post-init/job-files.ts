import { type DataFile, expectedFiles } from '../post/completeness.ts';
import type { PostMetadata } from '../post/types.ts';
import type { InitialisationJob, Network } from '../project/types.ts';

/** The files that a job has to write, by its flags alone (spacemesh.md §2.2, §8.1). */
export interface JobFiles {
  /** Of the whole set. */
  readonly count: number;
  /** Inclusive. */
  readonly from: number;
  readonly to: number;
  /** All files of the set: such a job needs a VRF nonce. */
  readonly whole: boolean;
  /** Of the range. */
  readonly bytes: number;
  sizeOf(index: number): number;
}

/** Metadata as postcli writes it for a job, without a nonce. */
export function metadataOf(job: InitialisationJob, network: Network): PostMetadata {
  return {
    smesherId: job.id,
    commitmentAtx: job.commitmentAtx.toLowerCase(),
    labelsPerUnit: network.post.labelsPerUnit,
    units: job.units,
    maxFileSize: job.maxFileSize,
  };
}

export function jobFiles(job: InitialisationJob, network: Network): JobFiles {
  const { count, sizeOf } = expectedFiles(metadataOf(job, network));
  const from = job.fromFile ?? 0;
  const to = Math.min(job.toFile ?? count - 1, count - 1);
  // Only the last file of the set has a size of its own, so nothing is added up file by file.
  const bytes = to < from ? 0 : (to - from) * sizeOf(from) + sizeOf(to);
  return { count, from, to, whole: from === 0 && to === count - 1, bytes, sizeOf };
}

/** Bytes of a job's range that are there; what is longer than it should be counts as full. */
export function bytesOf(files: JobFiles, found: readonly DataFile[]): number {
  return found.reduce(
    (sum, { index, size }) =>
      index < files.from || index > files.to ? sum : sum + Math.min(size, files.sizeOf(index)),
    0,
  );
}

export function dataFilePath(folder: string, index: number): string {
  return `${folder}/postdata_${index}.bin`;
}
