import { dataFileIndex } from '../post/completeness.ts';
import { METADATA_FILE, readMetadata } from '../post/metadata.ts';
import type { PostMetadata } from '../post/types.ts';

/** What is seen at a path that somebody named for new data. */
export interface PlaceSeen {
  readonly kind: 'absent' | 'directory' | 'other';
  /** A disk is mounted here. */
  readonly isMountPoint: boolean;
  /** Of a directory. */
  readonly entries: readonly { readonly name: string; readonly isDirectory: boolean }[];
  /** Text of its metadata, where it has some. */
  readonly metadata?: string;
}

export type PlaceUse =
  /** New data goes into this very directory. */
  | { readonly kind: 'directory' }
  /** New data goes into folders of their own in it, named after the identities. */
  | { readonly kind: 'parent' }
  /** It holds data: that is gone on with, never something new. */
  | { readonly kind: 'data'; readonly metadata: PostMetadata }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly hint: string };

/** What file systems make by themselves. */
const NOTHING: ReadonlySet<string> = new Set(['lost+found', '.Trash-0', '.Trash-1000', '$RECYCLE.BIN']);

/** What a run that was killed leaves where it looked whether it can write. */
export const WRITE_TEST = '.smesh-write-test';

function isNothing(name: string): boolean {
  return NOTHING.has(name) || name === WRITE_TEST || name.startsWith(`.smesh-${WRITE_TEST}`);
}

/** What a place can be used for. @param path absolute, for the messages */
export function judgePlace(path: string, seen: PlaceSeen): PlaceUse {
  if (seen.kind === 'absent') return { kind: 'directory' };
  if (seen.kind === 'other')
    return refused(
      'not-a-directory',
      `${path} is no directory`,
      'Name a directory, or the mount point of a disk.',
    );
  if (seen.metadata !== undefined) return withData(path, seen.metadata);
  const entries = seen.entries.filter(({ name }) => !isNothing(name));
  if (entries.some(({ name }) => dataFileIndex(name) !== undefined))
    return refused(
      'data-without-metadata',
      `${path} holds data files, but no ${METADATA_FILE}: nobody can say whose they are or what they were made with`,
      'Put the metadata back beside them; or name another directory.',
    );
  if (seen.isMountPoint) return { kind: 'parent' };
  if (entries.length === 0) return { kind: 'directory' };
  const file = entries.find(({ isDirectory, name }) => !isDirectory && !name.startsWith('.'));
  if (file === undefined) return { kind: 'parent' };
  return refused(
    'directory-not-empty',
    `${path} is neither empty nor a disk: ${file.name} lies there`,
    `Name a directory of its own: ${path}/post`,
  );
}

function withData(path: string, text: string): PlaceUse {
  const reading = readMetadata(text);
  if (reading.kind === 'read') return { kind: 'data', metadata: reading.metadata };
  return refused(
    'metadata-malformed',
    `${path} holds data whose metadata cannot be read: ${reading.reasons.join('; ')}`,
    'Put a good copy of it there (backups hold one); or name another directory.',
  );
}

function refused(code: string, message: string, hint: string): PlaceUse {
  return { kind: 'refused', code, message, hint };
}

/** How many of so many identities go to each place: as evenly as possible, the first ones get one more. */
export function spread(count: number, places: number): readonly number[] {
  return Array.from(
    { length: places },
    (_, index) => Math.floor(count / places) + (index < count % places ? 1 : 0),
  );
}
