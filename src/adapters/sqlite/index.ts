import { access } from 'node:fs/promises';
import type { LocalDatabaseFacts, LocalDatabasePort } from '../../ports/local-database.ts';
import { loadDriver, type SqliteDriver } from './driver.ts';
import { readIdentities } from './identity-rows.ts';
import { readSafely } from './read-safely.ts';

/** LocalDatabasePort on the SQLite of the runtime or libsql. */
export function createLocalDatabase(
  findDriver: () => Promise<SqliteDriver | undefined> = loadDriver,
): LocalDatabasePort {
  let driver: Promise<SqliteDriver | undefined> | undefined;
  return {
    async read(path: string): Promise<LocalDatabaseFacts> {
      try {
        await access(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
        return { kind: 'unknown', reason: `it may not be looked at (${code})` };
      }
      driver ??= findDriver();
      const sqlite = await driver;
      if (sqlite === undefined) {
        return { kind: 'unknown', reason: 'no SQLite: use Node 22.13 or newer, or npm install libsql' };
      }
      try {
        const { userVersion, identities } = await readSafely(sqlite, path, readIdentities);
        return { kind: 'read', userVersion, identities };
      } catch (error) {
        return { kind: 'unknown', reason: `it cannot be read (${(error as Error).message})` };
      }
    },
  };
}
