import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../sim/merge-nodes/databases.ts';
import { bundleStandIn, type Outcome, recordings, removeScratch, scratch, start } from './run-stand-in.ts';
import { docker, makeKey, nodeImage, type TestKey } from './sim-node-support.ts';

const tables = ['post', 'challenge', 'poet_registration', 'nipost'] as const;
type Rows = Readonly<Record<(typeof tables)[number], number>>;

interface Side {
  readonly identities: readonly string[];
  readonly rows?: Rows | null;
  readonly user_version?: number | null;
}

interface Sides {
  readonly from: Side | null;
  readonly to: Side | null;
}

interface Recorded {
  readonly case: string;
  readonly args: readonly string[];
  readonly before: Sides;
  readonly after: Sides;
  readonly exit: number;
  readonly error: readonly string[];
}

const file = recordings === undefined ? undefined : join(recordings, 'merge-nodes.json');
const cases: readonly Recorded[] =
  file !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];

let bundle = '';
beforeAll(async () => {
  bundle = await bundleStandIn('merge-nodes');
});
afterAll(removeScratch);

/** A database in the state of a registered node, with one row per table for each of the identities. */
function writeDatabase(folder: string, owners: readonly TestKey[]): void {
  const path = join(folder, 'local.sql');
  if (recordings === undefined) createDatabase(folder);
  // Stage 4: both identities have registered, which is what was recorded.
  else copyFileSync(join(recordings, 'local-sql/stage4.sql'), path);
  const database = new Database(path);
  database.exec('PRAGMA journal_mode=WAL');
  for (const table of tables) database.exec(`DELETE FROM ${table}`);
  const zero = Buffer.alloc(32);
  for (const { id } of owners) {
    database.prepare("INSERT INTO post VALUES (?, 1, 'aa', 1, 4, ?, 1, ?)").run(id, zero, zero);
    database
      .prepare('INSERT INTO challenge VALUES (?, 2, 0, ?, ?, NULL, NULL, NULL, NULL, NULL, NULL)')
      .run(id, zero, zero);
    database.prepare("INSERT INTO poet_registration VALUES (?, ?, 'http://poet:80', '1', 9)").run(id, zero);
  }
  database.close();
}

function alter(folder: string, statement: string): void {
  const database = new Database(join(folder, 'local.sql'));
  database.exec(statement);
  database.close();
}

/** Files and rows of one side as a recording has them; the keys are those of `named`, by file name. */
function prepare(folder: string, side: Side | null, named: Readonly<Record<string, TestKey>>): void {
  if (side === null) return;
  mkdirSync(join(folder, 'identities'), { recursive: true, mode: 0o700 });
  const owners: TestKey[] = [];
  for (const name of side.identities) {
    const key = named[name] ?? makeKey();
    const text = name === 'bad.key' ? '00' : name === 'notes.txt' ? 'mine' : key.text;
    writeFileSync(join(folder, 'identities', name), text, { mode: 0o644 });
    if (text === key.text) owners.push(key);
  }
  if (side.rows == null) return;
  writeDatabase(folder, owners);
  alter(folder, `PRAGMA user_version = ${side.user_version}`);
}

function look(folder: string): Side | null {
  if (!existsSync(folder)) return null;
  const path = join(folder, 'local.sql');
  const identities = readdirSync(join(folder, 'identities')).sort();
  if (!existsSync(path)) return { identities, rows: null, user_version: null };
  const database = new Database(path);
  const count = (table: string) =>
    (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
  const rows = Object.fromEntries(tables.map((table) => [table, count(table)])) as unknown as Rows;
  const version = database.prepare('PRAGMA user_version').get() as { user_version: number };
  database.close();
  return { identities, rows, user_version: version.user_version };
}

const asRecorded = (side: Side | null): Side | null =>
  side && { identities: side.identities, rows: side.rows ?? null, user_version: side.user_version ?? null };

function merge(...args: string[]): Promise<Outcome> {
  return start(bundle, args, { NODE_PATH: join(process.cwd(), 'node_modules') }).ended;
}

function pair(): { readonly from: string; readonly to: string } {
  const folder = scratch();
  return { from: join(folder, 'from'), to: join(folder, 'to') };
}

/** What a recording describes in its name only. */
function setUp(recorded: Recorded, from: string, to: string): void {
  const shared = makeKey();
  const twice = recorded.case === 'run twice';
  prepare(from, recorded.before.from, { 'x.key': shared, ...(twice && twiceKeys) });
  prepare(to, recorded.before.to, { 'a.key': shared, ...(twice && twiceKeys) });
  if (recorded.case === 'foreign table in source') alter(from, 'CREATE TABLE notes(x)');
}

const twiceKeys = { 'id04.key': makeKey(), 'id05.key': makeKey() };

describe.skipIf(cases.length === 0)(
  'merge-nodes stand-in: every recorded merge (needs SMESH_RECORDINGS)',
  () => {
    it('knows all of them', () => expect(cases).toHaveLength(19));

    it.each(cases)('$case', async (recorded) => {
      const { from, to } = pair();
      setUp(recorded, from, to);
      const here = (text: string) => text.replaceAll('/x/from', from).replaceAll('/x/to', to);
      expect({ from: look(from), to: look(to) }, 'the set-up itself').toEqual({
        from: asRecorded(recorded.before.from),
        to: asRecorded(recorded.before.to),
      });
      const outcome = await merge(...recorded.args.map(here));
      expect(outcome.exit, outcome.stderr).toBe(recorded.exit);
      const faults = outcome.stderr.split('\n').filter((line) => line.startsWith('Error: '));
      expect(faults).toEqual(recorded.error.map(here));
      expect({ from: look(from), to: look(to) }).toEqual({
        from: asRecorded(recorded.after.from),
        to: asRecorded(recorded.after.to),
      });
    });
  },
);

describe('merge-nodes stand-in', () => {
  const one: Side = {
    identities: ['a.key'],
    rows: { post: 1, challenge: 1, poet_registration: 1, nipost: 0 },
    user_version: 9,
  };

  it('writes keys for their owner alone and leaves the source as it was', async () => {
    const { from, to } = pair();
    prepare(from, one, {});
    const before = readFileSync(join(from, 'identities/a.key'), 'utf8');
    expect((await merge('-f', from, `-t=${to}`)).exit).toBe(0);
    expect(statSync(join(to, 'identities/a.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(to, 'identities/a.key'), 'utf8')).toBe(before);
    expect(readFileSync(join(from, 'identities/a.key'), 'utf8')).toBe(before);
    expect(statSync(join(from, 'identities/a.key')).mode & 0o777).toBe(0o644);
  });

  it('takes local.key in a target that has no database', async () => {
    const { from, to } = pair();
    prepare(from, one, {});
    prepare(to, { identities: ['local.key'] }, {});
    expect((await merge('--from', from, '--to', to)).exit).toBe(0);
    expect(look(to)?.identities).toEqual(['a.key', 'local.key']);
  });

  it('copies nothing when the last of the keys is malformed', async () => {
    const { from, to } = pair();
    prepare(from, { ...one, identities: ['a.key', 'z.key'] }, {});
    prepare(to, { ...one, identities: ['b.key'] }, {});
    writeFileSync(join(from, 'identities/z.key'), 'not hex');
    const outcome = await merge('--from', from, '--to', to);
    expect(outcome.exit).toBe(1);
    expect(outcome.stderr).toContain('Error: not a valid key file z.key: ');
    expect(look(to)?.identities).toEqual(['b.key']);
  });

  it('refuses an older database on either side, and a flag without its value', async () => {
    const { from, to } = pair();
    prepare(from, one, {});
    prepare(to, { ...one, identities: ['b.key'], user_version: 1 }, {});
    expect((await merge('--from', from, '--to', to)).stderr).toContain(
      `Error: open target database: open source database ${to}/local.sql: old database version: 1 < 9`,
    );
    expect((await merge('--from', from, '--to')).stderr).toContain('Error: flag needs an argument: --to');
  });

  it('is in the image of the node', async () => {
    const { from, to } = pair();
    prepare(from, one, {});
    mkdirSync(to);
    const args = [
      '--read-only',
      '--network',
      'none',
      '--cap-drop',
      'ALL',
      '--entrypoint',
      '/bin/merge-nodes',
    ];
    const mounts = ['-v', `${from}:/from`, '-v', `${to}:/to`];
    await docker('run', '--rm', ...args, ...mounts, nodeImage, '--from', '/from', '--to', '/to');
    expect(look(to)).toEqual({ ...one });
    expect(await docker('run', '--rm', ...args, nodeImage, '--version')).toMatch(/v1\.7\.6$/);
  });
});
