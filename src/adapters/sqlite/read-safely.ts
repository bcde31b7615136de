import { constants } from 'node:fs';
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadOnlyDatabase, SqliteDriver } from './driver.ts';

/** Byte 18 of the header: 2 when the file is in WAL mode. */
const WAL_MODE = 2;

/**
 * Reads a database that a node may be writing, and leaves nothing beside it.
 *
 * In WAL mode a copy is read. Opening the file itself, even read-only, makes `-wal` and `-shm` where there are none, and
 * keeps those of a node that stops meanwhile from being removed (libsql closes late): files of ours, perhaps of root, that
 * the node then stumbles over. A copy is whole although the node writes: `-wal` is only appended to, and what of it is
 * copied half counts as not written; the file itself changes at checkpoints alone, which its time of change gives away.
 */
export async function readSafely<T>(
  driver: SqliteDriver,
  path: string,
  read: (database: ReadOnlyDatabase) => T,
): Promise<T> {
  if ((await journalByte(path)) !== WAL_MODE) return withDatabase(driver, path, read);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const result = await readCopy(driver, path, read);
    if (result !== undefined) return result.value;
  }
  throw new Error('it changed each time while it was copied');
}

/** `undefined` when the database changed while it was copied. */
async function readCopy<T>(
  driver: SqliteDriver,
  path: string,
  read: (database: ReadOnlyDatabase) => T,
): Promise<{ readonly value: T } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'smesh-compose-'));
  try {
    const before = await fingerprint(path);
    const copy = join(folder, 'local.sql');
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    await copyIfThere(`${path}-wal`, `${copy}-wal`);
    if ((await fingerprint(path)) !== before) return undefined;
    return { value: withDatabase(driver, copy, read) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function withDatabase<T>(driver: SqliteDriver, path: string, read: (database: ReadOnlyDatabase) => T): T {
  const database = driver.open(path);
  try {
    return read(database);
  } finally {
    database.close();
  }
}

async function journalByte(path: string): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(20), 0, 20, 0);
    return bytesRead === 20 ? buffer[18] : undefined;
  } finally {
    await file.close();
  }
}

async function fingerprint(path: string): Promise<string> {
  const { size, mtimeNs, ino } = await stat(path, { bigint: true });
  return [size, mtimeNs, ino].join(' ');
}

/** A `-wal` that goes away was written into the file itself: the fingerprint tells. */
async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
