import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import Database from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadDriver, loadLibsql, type SqliteDriver } from '../../../src/adapters/sqlite/driver.ts';
import { createDatabaseEditor } from '../../../src/adapters/sqlite/editor.ts';
import { createLocalDatabase } from '../../../src/adapters/sqlite/index.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { tempFolder } from '../../helpers/temp.ts';

const recordings = process.env.SMESH_RECORDINGS;
const here = new URL('.', import.meta.url).pathname;

const SCHEMA = `
  PRAGMA user_version = 9;
  CREATE TABLE post (id CHAR(32) PRIMARY KEY);
  CREATE TABLE poet_registration
(
    id      CHAR(32),   -- as it was written
    address VARCHAR, PRIMARY KEY (id, address)
) WITHOUT ROWID;`;

const drivers: [string, () => Promise<SqliteDriver | undefined>][] = [
  ['the best driver here', loadDriver],
  ['libsql', loadLibsql],
];

function make(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

const id = (byte: string): SmesherId => parseSmesherId(byte.repeat(32)) as SmesherId;

/** A program of its own, as the node is one: it has the database open and does what it is told, line by line. */
async function writer(path: string): Promise<{ run(sql: string): Promise<void>; child: ChildProcess }> {
  const program = `
    const Database = require('libsql');
    const database = new Database(${JSON.stringify(path)});
    database.exec('PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 20');
    let rest = '';
    process.stdin.on('data', (text) => {
      rest += text;
      for (let at = rest.indexOf('\\0'); at >= 0; at = rest.indexOf('\\0')) {
        const sql = rest.slice(0, at);
        rest = rest.slice(at + 1);
        if (sql === 'for ever') setInterval(() => { for (let i = 0; i < 5; i++) database.exec("INSERT INTO busy VALUES (zeroblob(9000)); DELETE FROM busy WHERE rowid % 3 = 0") }, 1);
        else database.exec(sql);
        process.stdout.write('done\\n');
      }
    });`;
  const child = spawn(process.execPath, ['-e', program], { cwd: here, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    child,
    async run(sql) {
      child.stdin?.write(`${sql}\0`);
      await once(child.stdout as NodeJS.ReadableStream, 'data');
    },
  };
}

function look(path: string) {
  // Of a copy: looking must not settle what is to be looked at.
  const folder = tempFolder('look');
  for (const ending of ['', '-wal']) {
    if (existsSync(`${path}${ending}`)) copyFileSync(`${path}${ending}`, join(folder, `a.sql${ending}`));
  }
  const database = new Database(join(folder, 'a.sql'));
  const all = (sql: string) => database.prepare(sql).all();
  const result = {
    version: all('PRAGMA user_version'),
    integrity: all('PRAGMA integrity_check'),
    schema: all('SELECT name, sql FROM sqlite_master ORDER BY name'),
    rows: (table: string) => all(`SELECT * FROM ${table}`) as Record<string, unknown>[],
  };
  return result;
}

for (const [name, find] of drivers) {
  const editor = createDatabaseEditor(find);

  describe(`copy, with ${name}`, () => {
    it('takes with it what another program has only in the -wal, and touches nothing', async () => {
      const folder = tempFolder('copy');
      const path = join(folder, 'local.sql');
      const node = await writer(path);
      await node.run(SCHEMA);
      await node.run(`INSERT INTO post VALUES (x'${'07'.repeat(32)}')`);
      expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
      const before = ['', '-wal'].map((ending) => readFileSync(`${path}${ending}`).toString('base64'));

      await editor.copy(path, join(folder, 'copy.sql'));
      expect(['', '-wal'].map((ending) => readFileSync(`${path}${ending}`).toString('base64'))).toEqual(
        before,
      );
      expect(readdirSync(folder).sort()).toEqual(['copy.sql', 'local.sql', 'local.sql-shm', 'local.sql-wal']);
      expect(statSync(join(folder, 'copy.sql')).mode & 0o777).toBe(0o600);
      const copy = look(join(folder, 'copy.sql'));
      expect(copy.rows('post')).toHaveLength(1);
      expect(copy.integrity).toEqual([{ integrity_check: 'ok' }]);
      const original = look(path);
      expect(copy.schema).toEqual(original.schema);
      expect(copy.version).toEqual([{ user_version: 9 }]);
      // The node goes on as before.
      await node.run(`INSERT INTO post VALUES (x'${'08'.repeat(32)}')`);
    });

    it('is whole while another program writes without a pause', async () => {
      const folder = tempFolder('busy');
      const path = join(folder, 'local.sql');
      const node = await writer(path);
      await node.run(SCHEMA);
      await node.run('CREATE TABLE busy (b BLOB)');
      await node.run('for ever');
      for (let copy = 0; copy < 2; copy += 1) {
        const to = join(folder, `copy-${copy}.sql`);
        // So much is written that it may give up; what it must not do is to leave half a copy.
        const failed = await editor.copy(path, to).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failed === undefined) expect(look(to).integrity).toEqual([{ integrity_check: 'ok' }]);
        else expect(failed).toMatchObject({ code: 'database-busy' });
      }
      expect(readdirSync(folder).filter((entry) => entry.startsWith('.smesh'))).toEqual([]);
    });

    it('leaves what is at the target alone', async () => {
      const folder = tempFolder('taken');
      make(join(folder, 'local.sql'), SCHEMA);
      writeFileSync(join(folder, 'there'), 'mine');
      await expect(editor.copy(join(folder, 'local.sql'), join(folder, 'there'))).rejects.toMatchObject({
        code: 'EEXIST',
      });
      expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('mine');
      await expect(editor.copy(join(folder, 'none.sql'), join(folder, 'to'))).rejects.toMatchObject({
        code: 'ENOENT',
      });
    });

    it('refuses a damaged database, and leaves nothing', async () => {
      const folder = tempFolder('damaged');
      const path = join(folder, 'whole.sql');
      const database = new Database(path);
      database.exec(SCHEMA);
      for (let row = 0; row < 200; row += 1)
        database.exec(
          `INSERT INTO poet_registration VALUES (randomblob(32), '${'http://poet.example/'.repeat(6)}${row}')`,
        );
      database.close();
      const whole = readFileSync(path);
      const damages: [string, Buffer][] = [
        ['text', Buffer.from('no database at all '.repeat(9))],
        ['empty', Buffer.alloc(0)],
        ['cut', whole.subarray(0, whole.length - 5000)],
        ['torn', Buffer.from(whole).fill(0xe9, 4096 * 4, 4096 * 5)],
        ['schema', Buffer.from(whole).fill(0xff, 100, 1000)],
      ];
      for (const [kind, content] of damages) {
        const damaged = join(folder, `${kind}.sql`);
        writeFileSync(damaged, content);
        for (const act of [
          () => editor.copy(damaged, join(folder, 'copy')),
          () => editor.deleteRegistrations(damaged, [id('07')]),
        ])
          await expect(act(), kind).rejects.toMatchObject({ code: 'damaged-database', exitCode: 3 });
        expect(readFileSync(damaged).equals(content)).toBe(true);
      }
      expect(readdirSync(folder).sort()).toEqual([
        ...damages.map(([kind]) => `${kind}.sql`).sort(),
        'whole.sql',
      ]);
    });
  });

  describe(`settle, with ${name}`, () => {
    it('brings what a killed node left in -wal into the file, and refuses a running one', async () => {
      const path = join(tempFolder('settle'), 'local.sql');
      const node = await writer(path);
      await node.run(SCHEMA);
      await node.run(`INSERT INTO post VALUES (x'${'07'.repeat(32)}')`);
      await expect(editor.settle(path)).rejects.toMatchObject({ code: 'database-busy', exitCode: 5 });
      await expect(editor.deleteRegistrations(path, [id('07')])).rejects.toMatchObject({
        code: 'database-busy',
      });
      node.child.kill('SIGKILL');
      await once(node.child, 'exit');
      expect(existsSync(`${path}-wal`)).toBe(true);
      await editor.settle(path);
      expect(readdirSync(join(path, '..'))).toEqual(['local.sql']);
      expect(look(path).rows('post')).toHaveLength(1);
      await editor.settle(path);
      // Nothing of ours keeps it locked: a node that starts now can write at once.
      const next = await writer(path);
      await next.run(`INSERT INTO post VALUES (x'${'08'.repeat(32)}')`);
    });
  });

  describe(`deleteRegistrations, with ${name}`, () => {
    it('deletes those of the named identities, and nothing else', async () => {
      const path = join(tempFolder('delete'), 'local.sql');
      const database = new Database(path);
      database.exec(`PRAGMA journal_mode = wal; ${SCHEMA}`);
      for (const [byte, address] of [
        ['07', 'a'],
        ['07', 'b'],
        ['08', 'a'],
      ])
        database.exec(`INSERT INTO poet_registration VALUES (x'${byte?.repeat(32)}', '${address}')`);
      database.exec(`INSERT INTO post VALUES (x'${'07'.repeat(32)}')`);
      database.close();
      expect(await editor.deleteRegistrations(path, [id('07'), id('09')])).toBe(2);
      expect(await editor.deleteRegistrations(path, [id('07')])).toBe(0);
      expect(readdirSync(join(path, '..'))).toEqual(['local.sql']);
      const after = look(path);
      expect(after.rows('poet_registration')).toMatchObject([{ address: 'a' }]);
      expect(after.rows('post')).toHaveLength(1);
      expect(after.version).toEqual([{ user_version: 9 }]);
      const next = await writer(path);
      await next.run(`INSERT INTO post VALUES (x'${'08'.repeat(32)}')`);
    });
  });

  describe.skipIf(recordings === undefined)(`recorded databases (SMESH_RECORDINGS), with ${name}`, () => {
    it.each(['delete', 'wal'])(
      'are copied and edited as the node left them, journal mode %s',
      async (mode) => {
        for (let stage = 1; stage <= 8; stage += 1) {
          const folder = join(tempFolder('stage'), 'data');
          mkdirSync(folder);
          const path = join(folder, 'local.sql');
          copyFileSync(join(recordings ?? '', 'local-sql', `stage${stage}.sql`), path);
          chmodSync(path, 0o600);
          if (mode === 'wal') make(path, 'PRAGMA journal_mode = wal');
          await editor.copy(path, join(folder, 'copy.sql'));
          const facts = await createLocalDatabase(find).read(path);
          expect(await createLocalDatabase(find).read(join(folder, 'copy.sql'))).toEqual(facts);
          expect(look(join(folder, 'copy.sql')).schema).toEqual(look(path).schema);
          if (facts.kind !== 'read') throw new Error(facts.kind);
          const [first] = facts.identities;
          if (first === undefined) continue;
          expect(await editor.deleteRegistrations(path, [first.smesherId])).toBe(first.registrations.length);
          const after = await createLocalDatabase(find).read(path);
          expect(after).toEqual({
            ...facts,
            identities: facts.identities
              .map((rows) => (rows === first ? { ...rows, registrations: [] } : rows))
              .filter((rows) => rows.post || rows.nipost || rows.challenge || rows.registrations.length > 0),
          });
          expect(look(path).schema).toEqual(look(join(folder, 'copy.sql')).schema);
          expect(readdirSync(folder).sort()).toEqual(['copy.sql', 'local.sql']);
        }
      },
    );
  });
}

describe('a killed deletion', () => {
  it('has deleted all or nothing', async () => {
    const source = new URL('../../../src/adapters/sqlite/editor.ts', import.meta.url).pathname;
    const path = join(tempFolder('killed'), 'local.sql');
    const database = new Database(path);
    database.exec(`PRAGMA journal_mode = wal; ${SCHEMA} BEGIN`);
    for (let row = 0; row < 3000; row += 1)
      database.exec(`INSERT INTO poet_registration VALUES (x'${'07'.repeat(32)}', 'http://${row}')`);
    database.exec('COMMIT');
    database.close();
    const original = readFileSync(path);
    const seen = new Set<number>();
    for (let delay = 0; delay < 12; delay += 1) {
      writeFileSync(path, original);
      const program = `import('${source}').then(async ({ createDatabaseEditor }) => {
        process.stdout.write('go');
        await createDatabaseEditor().deleteRegistrations('${path}', ['${'07'.repeat(32)}']);
        process.exit(0);
      })`;
      const child = spawn(process.execPath, ['--import', 'tsx', '-e', program], {
        cwd: here,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout as NodeJS.ReadableStream, 'data');
      setTimeout(() => child.kill('SIGKILL'), 10 + delay * 8);
      await once(child, 'exit');
      const left = look(path);
      expect(left.integrity).toEqual([{ integrity_check: 'ok' }]);
      seen.add(left.rows('poet_registration').length);
      await createDatabaseEditor().settle(path);
      expect(readdirSync(join(path, '..')).filter((entry) => entry !== 'local.sql')).toEqual([]);
    }
    expect([...seen].every((count) => count === 0 || count === 3000)).toBe(true);
  }, 60_000);
});

it('says so where there is no SQLite', async () => {
  const folder = tempFolder('none');
  make(join(folder, 'local.sql'), SCHEMA);
  const editor = createDatabaseEditor(async () => undefined);
  await expect(editor.copy(join(folder, 'local.sql'), join(folder, 'to'))).rejects.toMatchObject({
    code: 'no-sqlite',
    exitCode: 4,
  });
});
