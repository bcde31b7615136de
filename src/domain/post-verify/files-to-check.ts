import type { ScannedDirectory } from '../post/types.ts';

/** Numbers of data files, inclusive. */
export interface FileRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The files of a directory whose labels can be looked at: all of a whole set, of an initialisation that has not ended those
 * that are full. `undefined` where files are missing in the middle, surplus or of a wrong size: there no position is certain.
 */
export function filesToCheck({
  files,
  metadata,
  verdict,
  hasNonce,
}: ScannedDirectory): FileRange | undefined {
  if (files === undefined || metadata === undefined) return undefined;
  // What is damaged and has its VRF nonce is so for its files.
  if (files.surplus.length > 0 || (verdict === 'damaged' && hasNonce)) return undefined;
  let [from, to] = [0, files.expected - 1];
  for (const [first, last] of files.missing) {
    if (first === 0) from = last + 1;
    else if (last === files.expected - 1) to = first - 1;
    else return undefined;
  }
  for (const { index, size, expected } of files.wrongSized) {
    if (index !== to || size > expected) return undefined;
    to -= 1;
  }
  return from <= to ? { from, to } : undefined;
}

/** What of a range somebody asked for; `undefined` where nothing is left. */
export function within(range: FileRange, asked: Partial<FileRange>): FileRange | undefined {
  const from = Math.max(range.from, asked.from ?? range.from);
  const to = Math.min(range.to, asked.to ?? range.to);
  return from <= to ? { from, to } : undefined;
}

/** Whether postcli would stumble over the key beside the data before it looks at a label (spacemesh.md §14.4). */
export function keyHinders({ verdict, key }: ScannedDirectory): boolean {
  if (verdict !== 'key-mismatch' && verdict !== 'key-malformed') return false;
  return key === undefined || key.path.endsWith('/identity.key');
}
