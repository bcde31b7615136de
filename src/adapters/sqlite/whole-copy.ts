import { constants } from 'node:fs';
import { copyFile, open, rm, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Byte 18 of the header: 2 when the file is in WAL mode. */
const WAL_MODE_AT = 18;
const WAL_MODE = 2;

const WAL_HEADER_BYTES = 32;

/** Longer than the ticks in which a file system counts times of change. */
const QUIET_MS = 30;

/**
 * What stands in `-wal`, or `-journal`, of a database belongs to it: a copy of the file alone is an older database, or half
 * of one. Copies all there is, under the same endings; `false` when the database changed meanwhile: then try again.
 *
 * A copy is whole although the node writes. The file itself changes at checkpoints alone, and its time of change gives
 * those away, once it is older than a tick. `-wal` is only appended to, and what of it is copied half counts as not
 * written; where it is begun anew, its first bytes are others (sqlite.org/fileformat2.html §4).
 */
export async function copyDatabaseFiles(from: string, to: string): Promise<boolean> {
  const before = await fingerprint(from);
  if (before === undefined) return false;
  await Promise.all(['', '-wal', '-journal'].map((ending) => rm(`${to}${ending}`, { force: true })));
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await copyIfThere(`${from}-wal`, `${to}-wal`);
  await copyIfThere(`${from}-journal`, `${to}-journal`);
  return (await fingerprint(from)) === before;
}

/** Whether it is kept with a `-wal`, as a node's is. */
export async function isInWalMode(path: string): Promise<boolean> {
  const header = await firstBytes(path, WAL_MODE_AT + 1);
  return header?.[WAL_MODE_AT] === WAL_MODE;
}

/** Of at most so many bytes; `undefined` where there is no such file. */
export async function firstBytes(path: string, length: number): Promise<Buffer | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What changes with the database; `undefined` while it has just been written: a further write might not show. */
async function fingerprint(path: string): Promise<string | undefined> {
  const { size, mtimeMs, mtimeNs, ino } = await stat(path, { bigint: true });
  const age = Date.now() - Number(mtimeMs);
  if (age >= 0 && age < QUIET_MS) {
    await pause(QUIET_MS - age);
    if ((await stat(path, { bigint: true })).mtimeNs !== mtimeNs) return undefined;
  }
  const wal = await firstBytes(`${path}-wal`, WAL_HEADER_BYTES);
  const journal = await stat(`${path}-journal`, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return [size, mtimeNs, ino, wal?.toString('hex'), journal?.size, journal?.mtimeNs].join(' ');
}

/** A `-wal` that goes away was written into the file itself: the fingerprint tells. */
async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
