import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { type BackupEntry, CONTENTS_ENTRY, type Contents, SEAL_ENTRY } from '../../domain/backup/contents.ts';
import { TAR_BLOCK, tarHeader } from '../../domain/doctor/tar.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { FilesPort } from '../../ports/files.ts';
import type { BackupSource } from './sources.ts';

/** With the size and digest of what will be packed. Large files are read once for it. */
export async function measure(files: FilesPort, source: BackupSource): Promise<BackupEntry> {
  const hash = sha256.create();
  let size = 0;
  for await (const piece of contentOf(files, source)) {
    hash.update(piece);
    size += piece.length;
  }
  return { ...source.entry, size, sha256: bytesToHex(hash.digest()) };
}

async function* contentOf(files: FilesPort, { content }: BackupSource): AsyncIterable<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* files.readChunks(content.file);
}

/**
 * The archive, piece by piece: the list of contents first, then every file. Rejects where a file is not what was measured
 * a moment ago: a backup whose digests lie is none.
 */
export async function* packArchive(
  files: FilesPort,
  contents: Contents,
  sources: readonly BackupSource[],
): AsyncGenerator<Uint8Array> {
  const modified = Date.parse(contents.createdAt) / 1000;
  const list = utf8ToBytes(`${JSON.stringify(contents, undefined, 2)}\n`);
  yield tarHeader(CONTENTS_ENTRY, list.length, modified);
  yield list;
  yield padding(list.length);
  const entries = new Map(contents.entries.map((entry) => [entry.path, entry]));
  for (const source of sources) {
    const entry = entries.get(source.entry.path);
    if (entry === undefined) throw new Error(`${source.entry.path} was not measured`);
    yield tarHeader(entry.path, entry.size, modified);
    const hash = sha256.create();
    let size = 0;
    for await (const piece of contentOf(files, source)) {
      hash.update(piece);
      size += piece.length;
      if (size > entry.size) throw changedMeanwhile(entry);
      yield piece;
    }
    if (size !== entry.size || bytesToHex(hash.digest()) !== entry.sha256) throw changedMeanwhile(entry);
    yield padding(entry.size);
  }
  // Of a plain archive it alone says that the list of contents is as it was written.
  const seal = utf8ToBytes(`${bytesToHex(sha256(list))}\n`);
  yield tarHeader(SEAL_ENTRY, seal.length, modified);
  yield seal;
  yield padding(seal.length);
  yield new Uint8Array(2 * TAR_BLOCK);
}

function padding(size: number): Uint8Array {
  return new Uint8Array((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}

function changedMeanwhile({ origin }: BackupEntry): SmeshError {
  return new SmeshError(
    'changed-meanwhile',
    ExitCode.refused,
    `${origin} was changed while the backup was made: no backup was kept`,
    { hint: 'Try again. For state.sql stop the node first: smesh-compose stop node' },
  );
}
