import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { createDatabaseVersion } from '../../../src/adapters/sqlite/user-version.ts';
import { tempFolder } from '../../helpers/temp.ts';

const read = (path: string) => createDatabaseVersion().read(path);

function fresh(mode: 'wal' | 'delete', version: number) {
  const path = join(tempFolder('user-version'), 'state.sql');
  const database = new Database(path);
  database.pragma(`journal_mode = ${mode}`);
  database.exec(`CREATE TABLE t (x); PRAGMA user_version = ${version};`);
  return { path, database };
}

describe('the version of a database', () => {
  it.each(['wal', 'delete'] as const)(
    'in mode %s, while it is open and after, to the last commit',
    async (mode) => {
      const { path, database } = fresh(mode, 23);
      expect(await read(path)).toEqual({ kind: 'read', version: 23 });
      database.exec('PRAGMA user_version = 25');
      expect(await read(path)).toEqual({ kind: 'read', version: 25 });
      const before = readdirSync(join(path, '..')).sort();
      // Pages of other tables, a checkpoint, and a new round in the same -wal.
      database.exec('BEGIN; PRAGMA user_version = 26; INSERT INTO t VALUES (zeroblob(20000)); ROLLBACK;');
      expect(await read(path)).toEqual({ kind: 'read', version: 25 });
      if (mode === 'wal') database.pragma('wal_checkpoint(RESTART)');
      database.exec('INSERT INTO t VALUES (1); PRAGMA user_version = 27;');
      expect(await read(path)).toEqual({ kind: 'read', version: 27 });
      expect(readdirSync(join(path, '..')).sort()).toEqual(before);
      database.close();
      expect(await read(path)).toEqual({ kind: 'read', version: 27 });
    },
  );

  it('is unknown of what is no database, absent where there is none', async () => {
    const folder = tempFolder('user-version');
    expect(await read(join(folder, 'none'))).toEqual({ kind: 'absent' });
    for (const content of ['', 'x'.repeat(5000)]) {
      writeFileSync(join(folder, 'text'), content);
      expect(await read(join(folder, 'text'))).toMatchObject({ kind: 'unknown' });
    }
    mkdirSync(join(folder, 'folder'));
    expect(await read(join(folder, 'folder'))).toMatchObject({ kind: 'unknown' });
  });
});
