import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadOnlyDatabase, SqliteDriver } from './driver.ts';
import { copyDatabaseFiles, isInWalMode } from './whole-copy.ts';

/**
 * Reads a database that a node may be writing, and leaves nothing beside it.
 *
 * In WAL mode a copy is read. Opening the file itself, even read-only, makes `-wal` and `-shm` where there are none, and
 * keeps those of a node that stops meanwhile from being removed (libsql closes late): files of ours, perhaps of root, that
 * the node then stumbles over.
 */
export async function readSafely<T>(
  driver: SqliteDriver,
  path: string,
  read: (database: ReadOnlyDatabase) => T,
): Promise<T> {
  if (!(await isInWalMode(path))) return withDatabase(driver, path, read);
  const folder = await mkdtemp(join(tmpdir(), 'smesh-compose-'));
  try {
    const copy = join(folder, 'local.sql');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (await copyDatabaseFiles(path, copy)) return withDatabase(driver, copy, read);
    }
    throw new Error('it changed each time while it was copied');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function withDatabase<T>(
  driver: SqliteDriver,
  path: string,
  read: (database: ReadOnlyDatabase) => T,
): T {
  const database = driver.open(path);
  try {
    return read(database);
  } finally {
    database.close();
  }
}
