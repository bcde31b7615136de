import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DataFile, dataFileIndex } from '../../domain/post/completeness.ts';
import type { DirectoryFacts } from '../../domain/post/facts.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { FoundKey } from '../../domain/post/types.ts';
import type { CryptoPort } from '../../ports/crypto.ts';
import { describeOwner, errorCode, mayRead, modeAllowsReading, type User } from './access.ts';
import { readKey } from './key-reader.ts';

/** Facts of one directory before its disk is known. */
export type BareFacts = Omit<DirectoryFacts, 'disk' | 'notes'>;

/** Names found in a directory, sorted by what they mean. */
export interface PostNames {
  readonly hasMetadata: boolean;
  readonly data: readonly string[];
  readonly keys: readonly string[];
}

export interface ReadOptions {
  readonly crypto: CryptoPort;
  readonly user: User;
  /** On a network share root may be nobody: a file is tried, whatever its mode says. */
  readonly tryReading: boolean;
}

function readMetadataText(path: string): DirectoryFacts['metadata'] {
  try {
    return { kind: 'present', text: readFileSync(path, 'utf8') };
  } catch {
    return { kind: 'unreadable' };
  }
}

function readDataFiles(path: string, names: readonly string[], options: ReadOptions) {
  const files: DataFile[] = [];
  let refused: string | undefined;
  let tried = !options.tryReading;
  for (const name of names) {
    const file = `${path}/${name}`;
    let stats: Stats | undefined;
    try {
      stats = statSync(file, { throwIfNoEntry: false });
    } catch (error) {
      refused ??= `its data files (${errorCode(error)})`;
    }
    if (stats === undefined || !stats.isFile()) continue;
    files.push({ index: dataFileIndex(name) ?? -1, size: stats.size });
    if (refused !== undefined) continue;
    if ((!tried || !modeAllowsReading(stats, options.user)) && !mayRead(file)) {
      refused = `its data files (${describeOwner(stats)})`;
    }
    tried = true;
  }
  return { files, refused };
}

const KEY_ORDER = ['identity.key', 'key.bin'];

function keyRank(name: string): number {
  const rank = KEY_ORDER.indexOf(name);
  return rank < 0 ? KEY_ORDER.length : rank;
}

/** Sees all that is to be seen in a PoST directory, opening only metadata and keys. */
export function readPostDirectory(
  place: { readonly path: string; readonly realPath: string; readonly stats: Stats },
  names: PostNames,
  options: ReadOptions,
): BareFacts {
  const { path, realPath, stats } = place;
  const metadata = names.hasMetadata
    ? readMetadataText(join(path, METADATA_FILE))
    : ({ kind: 'absent' } as const);
  const unreadable: string[] = [];
  if (metadata.kind === 'unreadable') unreadable.push(describeFile(path, METADATA_FILE));
  const { files, refused } = readDataFiles(path, names.data, options);
  if (refused !== undefined) unreadable.push(refused);
  const keys: FoundKey[] = [];
  for (const name of names.keys.toSorted((a, b) => keyRank(a) - keyRank(b) || (a < b ? -1 : 1))) {
    const where = name === 'key.bin' ? 'beside-data-old-name' : 'beside-data';
    const reading = readKey(join(path, name), where, options.crypto);
    if (reading.kind === 'read') keys.push(reading.key);
    else unreadable.push(describeFile(path, name));
  }
  const owner = { uid: stats.uid, gid: stats.gid };
  return { path, realPath, owner, mode: stats.mode & 0o7777, metadata, files, keys, unreadable };
}

function describeFile(folder: string, name: string): string {
  try {
    return `${name} (${describeOwner(statSync(join(folder, name)))})`;
  } catch (error) {
    return `${name} (${errorCode(error)})`;
  }
}

/** A folder that cannot be listed but may be entered tells whether it holds PoST data; `undefined` when it does not. */
export function readLockedDirectory(path: string, realPath: string, stats: Stats): BareFacts | undefined {
  try {
    statSync(join(path, METADATA_FILE));
  } catch {
    return undefined;
  }
  return {
    path,
    realPath,
    owner: { uid: stats.uid, gid: stats.gid },
    mode: stats.mode & 0o7777,
    metadata: { kind: 'unreadable' },
    files: [],
    keys: [],
    unreadable: [`the folder (${describeOwner(stats)})`],
  };
}
