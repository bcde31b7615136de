import { LABEL_BYTES } from './metadata.ts';
import type { DataFiles, PostMetadata } from './types.ts';

/** A `postdata_<index>.bin` and its size in bytes. */
export interface DataFile {
  readonly index: number;
  readonly size: number;
}

const DATA_FILE_NAME = /^postdata_(\d{1,15})\.bin$/;

/** The index in the name of a data file; `undefined` for any other name (spacemesh.md §2.2). */
export function dataFileIndex(name: string): number | undefined {
  const digits = DATA_FILE_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export interface ExpectedFiles {
  readonly count: number;
  readonly bytes: number;
  sizeOf(index: number): number;
}

/** How many files of which size a whole set has (spacemesh.md §2.2: only the last may be smaller). */
export function expectedFiles(metadata: PostMetadata): ExpectedFiles {
  const bytes = metadata.units * metadata.labelsPerUnit * LABEL_BYTES;
  const fileBytes = metadata.maxFileSize - (metadata.maxFileSize % LABEL_BYTES);
  const count = Math.ceil(bytes / fileBytes);
  const last = bytes - (count - 1) * fileBytes;
  return { count, bytes, sizeOf: (index) => (index === count - 1 ? last : fileBytes) };
}

/** What the files alone say of a set, before its siblings and its key are looked at. */
export type DataState =
  | { readonly kind: 'whole' }
  /** An initialisation that has not ended; the files are one range, all full but perhaps the last. */
  | {
      readonly kind: 'unfinished';
      /** Inclusive; absent when there is no file yet. */
      readonly range?: readonly [number, number];
      readonly shortLast?: { readonly index: number; readonly size: number; readonly expected: number };
    }
  | { readonly kind: 'damaged'; readonly faults: readonly string[] };

export interface DataInspection {
  readonly files: DataFiles;
  readonly state: DataState;
}

const LISTED = 5;

function listShort(items: readonly string[]): string {
  const more = items.length - LISTED;
  return items.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** `3`, `0–479`. */
export function formatRange([from, to]: readonly [number, number]): string {
  return from === to ? `${from}` : `${from}–${to}`;
}

/** `file 3 is`, `files 0–4, 7 are`: for the head of a sentence. */
export function formatRanges(ranges: readonly (readonly [number, number])[]): string {
  const [first] = ranges;
  const single = ranges.length === 1 && first !== undefined && first[0] === first[1];
  return `${single ? 'file' : 'files'} ${listShort(ranges.map(formatRange))}`;
}

function findMissing(indices: readonly number[], count: number): [number, number][] {
  const missing: [number, number][] = [];
  let next = 0;
  for (const index of indices) {
    if (index > next) missing.push([next, index - 1]);
    next = index + 1;
  }
  if (next < count) missing.push([next, count - 1]);
  return missing;
}

/**
 * Compares the files with what the metadata promises. Never loops over promised files, whose number a broken metadata
 * file can make astronomic.
 */
export function inspectData(metadata: PostMetadata, found: readonly DataFile[]): DataInspection {
  const expected = expectedFiles(metadata);
  const sorted = found.toSorted((a, b) => a.index - b.index);
  const twice = sorted.filter((file, place) => sorted[place - 1]?.index === file.index);
  const present = sorted.filter((file) => file.index < expected.count && !twice.includes(file));
  const surplus = sorted.filter((file) => file.index >= expected.count).map((file) => file.index);
  const indices = present.map((file) => file.index);
  const missing = findMissing(indices, expected.count);
  const wrongSized = present
    .filter((file) => file.size !== expected.sizeOf(file.index))
    .map((file) => ({ ...file, expected: expected.sizeOf(file.index) }));
  const files: DataFiles = {
    expected: expected.count,
    present: present.length,
    bytes: sorted.reduce((sum, file) => sum + file.size, 0),
    expectedBytes: expected.bytes,
    wrongSized,
    surplus,
    missing,
  };

  const first = indices[0];
  const last = indices.at(-1);
  const shortLast = wrongSized.find((file) => file.index === last && file.size < file.expected);
  const faults: string[] = [];
  if (first !== undefined && last !== undefined) {
    const inside = missing.filter(([from]) => from > first && from < last);
    if (inside.length > 0) {
      const verb = inside.length === 1 && inside[0]?.[0] === inside[0]?.[1] ? 'is' : 'are';
      faults.push(`${formatRanges(inside)} of ${expected.count} ${verb} missing in the middle`);
    }
  }
  const wrong = wrongSized.filter((file) => file !== shortLast);
  if (wrong.length > 0) {
    faults.push(
      `wrong size: ${listShort(wrong.map((file) => `file ${file.index} has ${file.size} bytes instead of ${file.expected}`))}`,
    );
  }
  if (surplus.length > 0) {
    faults.push(
      `${formatRanges(surplus.map((index) => [index, index]))} beyond the ${expected.count} expected`,
    );
  }
  if (twice.length > 0)
    faults.push(`index ${listShort(twice.map((file) => `${file.index}`))} is there twice`);
  if (faults.length > 0) return { files, state: { kind: 'damaged', faults } };
  if (missing.length === 0 && shortLast === undefined) return { files, state: { kind: 'whole' } };
  return {
    files,
    state: {
      kind: 'unfinished',
      ...(first === undefined || last === undefined ? {} : { range: [first, last] as const }),
      ...(shortLast === undefined ? {} : { shortLast }),
    },
  };
}
