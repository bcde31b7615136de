import { type FileHandle, open } from 'node:fs/promises';
import type { DatabaseVersion, DatabaseVersionPort } from '../../ports/database-version.ts';

/*
 * SQLite keeps the version in the first page, at byte 60. In WAL mode the newest first page may still be in the -wal file
 * (sqlite.org/fileformat2.html §1.3, §4): opening the file would settle that, but makes files of ours beside it, and
 * copying it is out of the question.
 */

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 64;
const VERSION_AT = 60;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const WAL_MAGIC = 0x377f0682;

export function createDatabaseVersion(): DatabaseVersionPort {
  return {
    async read(path): Promise<DatabaseVersion> {
      try {
        const version = (await versionInWal(`${path}-wal`)) ?? (await versionInFile(path));
        return version === undefined
          ? { kind: 'unknown', reason: 'it is no SQLite database' }
          : { kind: 'read', version };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
        if (code === undefined) throw error;
        return { kind: 'unknown', reason: message };
      }
    },
  };
}

async function versionInFile(path: string): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    return versionInPage(await readAt(file, 0, HEADER_BYTES));
  } finally {
    await file.close();
  }
}

function versionInPage(page: Buffer | undefined): number | undefined {
  if (page === undefined || page.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  return page.readUInt32BE(VERSION_AT);
}

/** Of the last committed first page in it; `undefined` when there is none, or no such file. */
async function versionInWal(path: string): Promise<number | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return await scanWal(file);
  } finally {
    await file.close();
  }
}

async function scanWal(file: FileHandle): Promise<number | undefined> {
  const header = await readAt(file, 0, WAL_HEADER_BYTES);
  // The lowest bit says which byte order the checksums have.
  if (header === undefined || (header.readUInt32BE(0) & ~1) >>> 0 !== WAL_MAGIC) return undefined;
  const pageSize = header.readUInt32BE(8);
  const salt = header.subarray(16, 24);
  let committed: number | undefined;
  let pending: number | undefined;
  for (let at = WAL_HEADER_BYTES; ; at += FRAME_HEADER_BYTES + pageSize) {
    const frame = await readAt(file, at, FRAME_HEADER_BYTES);
    // Frames of an earlier round, which a checkpoint has moved into the file, have another salt.
    if (frame === undefined || !frame.subarray(8, 16).equals(salt)) return committed;
    if (frame.readUInt32BE(0) === 1) {
      pending = versionInPage(await readAt(file, at + FRAME_HEADER_BYTES, HEADER_BYTES)) ?? pending;
    }
    if (frame.readUInt32BE(4) !== 0) committed = pending ?? committed;
  }
}

/** `undefined` where the file ends before. */
async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer | undefined> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at);
  return bytesRead === length ? buffer : undefined;
}
