import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { loadDriver, loadLibsql, type SqliteDriver } from '../../../src/adapters/sqlite/driver.ts';
import { createLocalDatabase } from '../../../src/adapters/sqlite/index.ts';
import { tempFolder } from '../../helpers/temp.ts';

const recordings = process.env.SMESH_RECORDINGS;

interface Stage {
  readonly stage: number;
  readonly post: number;
  readonly challenge: number;
  readonly with_poet_proof: number;
  readonly poet_registration: number;
  readonly nipost: number;
}

const SCHEMA = `
  PRAGMA user_version = 9;
  CREATE TABLE post (id CHAR(32) PRIMARY KEY);
  CREATE TABLE challenge (id CHAR(32) PRIMARY KEY, epoch UNSIGNED INT NOT NULL, poet_proof_ref CHAR(32)) WITHOUT ROWID;
  CREATE TABLE poet_registration (id CHAR(32), address VARCHAR, round_id VARCHAR, round_end INT, PRIMARY KEY (id, address)) WITHOUT ROWID;
  CREATE TABLE nipost (id CHAR(32) PRIMARY KEY) WITHOUT ROWID;`;

const drivers: [string, () => Promise<SqliteDriver | undefined>][] = [
  ['the best driver here', loadDriver],
  ['libsql', loadLibsql],
];

function files(folder: string): string[] {
  return readdirSync(folder).sort();
}

describe.skipIf(recordings === undefined)('recorded databases (need SMESH_RECORDINGS)', () => {
  const folder = join(recordings ?? '', 'local-sql');
  const stages =
    recordings === undefined
      ? []
      : (JSON.parse(readFileSync(join(folder, 'stages.json'), 'utf8')) as { stages: Stage[] }).stages;

  for (const [name, find] of drivers) {
    it.each(['delete', 'wal'])(
      `are read as they were recorded, with ${name} and journal mode %s`,
      async (mode) => {
        for (const stage of stages) {
          const copyFolder = tempFolder('sql');
          const path = join(copyFolder, 'local.sql');
          copyFileSync(join(folder, `stage${stage.stage}.sql`), path);
          chmodSync(path, 0o600);
          if (mode === 'wal') {
            const writer = new Database(path);
            writer.pragma('journal_mode = wal');
            writer.close();
          }
          const before = files(copyFolder);
          const facts = await createLocalDatabase(find).read(path);
          if (facts.kind !== 'read') throw new Error(JSON.stringify(facts));
          const { identities } = facts;
          expect(facts.userVersion).toBe(9);
          expect({
            post: identities.filter((identity) => identity.post).length,
            challenge: identities.filter((identity) => identity.challenge !== undefined).length,
            with_poet_proof: identities.filter((identity) => identity.challenge?.hasPoetProof).length,
            poet_registration: identities.flatMap((identity) => identity.registrations).length,
            nipost: identities.filter((identity) => identity.nipost).length,
          }).toEqual({
            post: stage.post,
            challenge: stage.challenge,
            with_poet_proof: stage.with_poet_proof,
            poet_registration: stage.poet_registration,
            nipost: stage.nipost,
          });
          for (const { roundEnd, address } of identities.flatMap((identity) => identity.registrations)) {
            expect(address).toMatch(/^http:/);
            expect(roundEnd).toBeGreaterThan(1_700_000_000);
          }
          expect(files(copyFolder)).toEqual(before);
        }
      },
    );
  }
});

describe('a database that a node has open', () => {
  for (const [name, find] of drivers) {
    it(`is read with what is only in the WAL, without leaving a file (${name})`, async () => {
      const folder = tempFolder('live');
      const path = join(folder, 'local.sql');
      const writer = new Database(path);
      writer.pragma('journal_mode = wal');
      writer.exec(SCHEMA);
      const insert = (byte: string) => writer.exec(`INSERT INTO post (id) VALUES (x'${byte.repeat(32)}')`);
      insert('07');
      const before = files(folder);
      expect(before).toContain('local.sql-wal');
      const database = createLocalDatabase(find);
      expect(await database.read(path)).toEqual({
        kind: 'read',
        userVersion: 9,
        identities: [{ smesherId: '07'.repeat(32), post: true, nipost: false, registrations: [] }],
      });
      insert('08');
      expect(await database.read(path)).toMatchObject({ identities: [{}, {}] });
      expect(files(folder)).toEqual(before);
      // As after a crash: nobody has it open, the rows are still in the WAL only. A copy, because libsql closes late and
      // would write the WAL back at some moment of its own.
      const crashed = tempFolder('crashed');
      for (const name of ['local.sql', 'local.sql-wal'])
        copyFileSync(join(folder, name), join(crashed, name));
      writer.close();
      const left = files(crashed);
      expect(await database.read(join(crashed, 'local.sql'))).toMatchObject({ identities: [{}, {}] });
      expect(files(crashed)).toEqual(left);
    });
  }
});

describe('what cannot be read counts as unknown, never as clean', () => {
  const database = createLocalDatabase();

  it('but a missing file is absent', async () => {
    expect(await database.read(join(tempFolder('none'), 'local.sql'))).toEqual({ kind: 'absent' });
  });

  it('no SQLite in this runtime', async () => {
    const path = join(tempFolder('none'), 'local.sql');
    writeFileSync(path, '');
    const facts = await createLocalDatabase(async () => undefined).read(path);
    expect(facts).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('no SQLite') });
  });

  it.each([
    [
      'not a database',
      'this is not a database, it only looks a bit longer than a header of one hundred bytes '.repeat(3),
    ],
    ['an empty file', ''],
  ])('%s', async (_, content) => {
    const path = join(tempFolder('bad'), 'local.sql');
    writeFileSync(path, content);
    expect(await database.read(path)).toMatchObject({ kind: 'unknown' });
  });

  it.each([
    ['an old schema', 'PRAGMA user_version = 2; CREATE TABLE nipost (id CHAR(32));'],
    ['a missing table', 'PRAGMA user_version = 9; CREATE TABLE post (id CHAR(32));'],
    ['a row without identity', `${SCHEMA} INSERT INTO post (id) VALUES (x'0102');`],
  ])('%s', async (_, sql) => {
    const path = join(tempFolder('bad'), 'local.sql');
    const writer = new Database(path);
    writer.exec(sql);
    writer.close();
    expect(await database.read(path)).toMatchObject({ kind: 'unknown' });
  });

  it('the older name of the table of initial proofs', async () => {
    const path = join(tempFolder('old'), 'local.sql');
    const writer = new Database(path);
    writer.exec(SCHEMA.replace('= 9', '= 7').replace('TABLE post', 'TABLE initial_post'));
    writer.exec(`INSERT INTO initial_post (id) VALUES (x'${'05'.repeat(32)}')`);
    writer.close();
    expect(await database.read(path)).toMatchObject({ kind: 'read', identities: [{ post: true }] });
  });
});
