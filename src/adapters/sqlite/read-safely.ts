import { constants } from 'node:fs';
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadOnlyDatabase, SqliteDriver } from './driver.ts';

/** Byte 18 of the header: 2 when the file is in WAL mode. */
const WAL_MODE = 2;

/**
 * Reads a database that a node may be writing, and leaves no file beside it.
 *
 * In WAL mode with `-shm` present somebody has it open (or died with it open): read in place, as SQLite provides for.
 * Without `-shm` nobody has it open, and opening it, even read-only, would make `-wal` and `-shm` and leave them there,
 * perhaps owned by root, for a node that then cannot start: so a copy is read.
 */
export async function readSafely<T>(
  driver: SqliteDriver,
  path: string,
  read: (database: ReadOnlyDatabase) => T,
): Promise<T> {
  if ((await journalByte(path)) !== WAL_MODE || (await sizeOf(`${path}-shm`)) !== undefined) {
    return withDatabase(driver, path, read);
  }
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const result = await readCopy(driver, path, read);
    if (result !== undefined) return result.value;
  }
  // It was opened meanwhile, so there is a `-shm` now.
  return withDatabase(driver, path, read);
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
    if ((await sizeOf(`${path}-wal`)) !== undefined) await copyFile(`${path}-wal`, `${copy}-wal`);
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
  const main = await stat(path, { bigint: true });
  const beside = await Promise.all([sizeOf(`${path}-wal`), sizeOf(`${path}-shm`)]);
  return [main.size, main.mtimeNs, main.ino, ...beside].join(' ');
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (facts) => facts.size,
    () => undefined,
  );
}
