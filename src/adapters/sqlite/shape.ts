import { access } from 'node:fs/promises';
import type { DatabaseShape, DatabaseShapePort } from '../../ports/database-shape.ts';
import { numberIn, text, textIn } from './columns.ts';
import { loadDriver, type ReadOnlyDatabase } from './driver.ts';
import { readSafely } from './read-safely.ts';

/** DatabaseShapePort on the SQLite of the runtime or libsql. */
export function createDatabaseShape(): DatabaseShapePort {
  return {
    async shape(path): Promise<DatabaseShape> {
      try {
        await access(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
        return { kind: 'unknown', reason: `it may not be looked at (${code})` };
      }
      const sqlite = await loadDriver();
      if (sqlite === undefined) return { kind: 'unknown', reason: 'no SQLite in this Node.js' };
      try {
        return { kind: 'read', ...(await readSafely(sqlite, path, countRows)) };
      } catch (error) {
        return { kind: 'unknown', reason: `it cannot be read (${(error as Error).message})` };
      }
    },
  };
}

function countRows(database: ReadOnlyDatabase): { userVersion: number; rows: Record<string, number> } {
  const userVersion = numberIn(database.all('PRAGMA user_version')[0] ?? {}, 'user_version');
  const tables = database
    .all(
      `SELECT ${text('name')} FROM sqlite_master
       WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY sqlite_master.name`,
    )
    .map((row) => textIn(row, 'name'));
  const rows = Object.fromEntries(
    tables.map((table) => {
      const [counted] = database.all(`SELECT count(*) AS rows FROM "${table.replaceAll('"', '""')}"`);
      return [table, numberIn(counted ?? {}, 'rows')];
    }),
  );
  return { userVersion, rows };
}
