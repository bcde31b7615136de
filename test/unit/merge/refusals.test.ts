import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { createDatabaseEditor } from '../../../src/adapters/sqlite/editor.ts';
import type { SmeshError } from '../../../src/domain/errors.ts';
import { type Lease, writeLease } from '../../../src/domain/identity/lease.ts';
import { describeTree } from '../../helpers/tree.ts';
import { observed } from '../plan/observed.ts';
import { makeLocalSql, makeNode, makeRig, merge, type TestNode, type Worlds } from './support/rig.ts';
import { world } from './support/world.ts';

interface Refused {
  readonly code: string;
  readonly exitCode: number;
  readonly said: string;
}

/** That nothing at all was changed, in neither place, and what was said. */
async function refused(
  { directory, node }: { readonly directory: string; readonly node: Pick<TestNode, 'folder'> },
  worlds: Worlds = {},
  paths: readonly string[] = [node.folder],
): Promise<Refused> {
  // The working files of SQLite belong to whoever reads.
  const look = () =>
    [directory, ...(existsSync(node.folder) ? [node.folder] : [])].flatMap((folder) =>
      describeTree(folder, {
        ignore: [
          'node-data/local.sql',
          'node-data/local.sql-wal',
          'node-data/local.sql-shm',
          '.smesh/journal',
        ],
      }),
    );
  const before = look();
  const error = await merge(makeRig(directory, worlds), paths).then(
    () => {
      throw new Error('was not refused');
    },
    (thrown: SmeshError) => thrown,
  );
  if (error.code === undefined) throw error;
  expect(look()).toEqual(before);
  const { code, exitCode, message, details, hint } = error;
  return { code, exitCode, said: [message, ...(details ?? []), hint].join('\n') };
}

describe('S38: merge refuses before anything is touched', () => {
  it('an identity that both have, with rows or without', async () => {
    const both = await world();
    const own = both.own[0];
    writeFileSync(join(both.node.folder, 'identities/x.key'), own?.keyFile ?? '', { mode: 0o600 });
    expect(await refused(both)).toMatchObject({
      code: 'identity-in-both',
      exitCode: 5,
      said: expect.stringContaining('post-0001.key'),
    });
    const rows = await world();
    rmSync(join(rows.node.folder, 'local.sql'));
    makeLocalSql(join(rows.node.folder, 'local.sql'), [
      { smesherId: rows.own[1]?.smesherId ?? '', challenge: 3 },
    ]);
    expect(await refused(rows)).toMatchObject({ code: 'rows-in-both', exitCode: 5 });
    const copy = await world();
    // As merge-nodes leaves it behind when it fails (spacemesh.md §14.3).
    writeFileSync(join(copy.nodeData, 'identities/left.key'), copy.node.identities[0]?.keyFile ?? '', {
      mode: 0o600,
    });
    expect(await refused(copy)).toMatchObject({
      code: 'identity-in-both',
      said: expect.stringMatching(/Left by a merge-nodes that failed.*mv .*left\.key/),
    });
  });

  it('the same identity in two of the nodes that are named', async () => {
    const both = await world();
    const other = makeNode(join(both.place, 'other'), 1);
    writeFileSync(join(other.folder, 'identities/x.key'), both.node.identities[0]?.keyFile ?? '');
    expect(await refused(both, {}, [both.node.folder, other.folder])).toMatchObject({
      code: 'identity-in-two-sources',
      exitCode: 5,
    });
  });

  it('a node that runs: of a container with its folder, of the project, or where nobody can say', async () => {
    const one = await world();
    const running = observed('node', {
      name: 'old-node',
      project: 'old',
      image: 'spacemeshos/go-spacemesh:v1.7.6',
      mounts: [{ kind: 'bind', source: one.node.folder, target: '/data', writable: true }],
    });
    expect(await refused(one, { containers: [running] })).toMatchObject({
      code: 'source-at-work',
      exitCode: 5,
      said: expect.stringMatching(/container old-node has this folder and runs/),
    });
    const ours = {
      ...running,
      name: 'farm-node',
      project: 'farm',
      labels: { 'io.smesh-compose.role': 'node' },
    };
    const mounts = [{ kind: 'bind' as const, source: one.nodeData, target: '/data', writable: true }];
    expect(await refused(one, { containers: [{ ...ours, mounts }] })).toMatchObject({
      code: 'node-at-work',
      exitCode: 5,
      said: expect.stringMatching(/smesh-compose stop node/),
    });
  });

  it('older and newer databases, with the way they have to go; and what only 1.3.x ever ran', async () => {
    const older = await refused(await world({ version: 8 }));
    expect(older).toMatchObject({ code: 'source-schema-older', exitCode: 5 });
    expect(older.said).toMatch(/v1\.6\.x.*Start that node once with v1\.7\.x/s);
    expect((await refused(await world({ version: 5 }))).said).toMatch(
      /v1\.5\.x.*then v1\.6\.x.*then v1\.7\.x/s,
    );
    expect((await refused(await world({ version: 2 }))).said).toMatch(
      /v1\.4\.x.*v1\.5\.x.*v1\.6\.x.*v1\.7\.x/s,
    );
    expect(await refused(await world({ version: 10 }))).toMatchObject({
      code: 'source-schema-newer',
      exitCode: 5,
    });
    const oldest = await world({ database: false });
    writeFileSync(join(oldest.node.folder, 'node_state.sql'), 'whatever');
    const said = await refused(oldest);
    expect(said).toMatchObject({ code: 'only-ran-1-3', exitCode: 5 });
    expect(said.said).toMatch(/v1\.4\.x.*v1\.5\.x.*v1\.6\.x.*v1\.7\.x/s);
  });

  it('keys that are none, no keys, no local.sql, no folder, the project itself, another network', async () => {
    const bad = await world();
    writeFileSync(join(bad.node.folder, 'identities/bad.key'), 'ab');
    expect(await refused(bad)).toMatchObject({
      code: 'source-key-faulty',
      exitCode: 3,
      said: expect.stringMatching(/bad\.key: .*invalid key size 1\/64/),
    });
    const none = await world();
    rmSync(join(none.node.folder, 'identities'), { recursive: true });
    expect(await refused(none)).toMatchObject({ code: 'no-identities', exitCode: 3 });
    expect(await refused(await world({ database: false }))).toMatchObject({
      code: 'no-local-sql',
      exitCode: 3,
    });
    const gone = await world();
    expect(await refused(gone, {}, [join(gone.place, 'nowhere')])).toMatchObject({
      code: 'no-source',
      exitCode: 3,
    });
    expect(await refused(gone, {}, [gone.nodeData])).toMatchObject({
      exitCode: 5,
      said: expect.stringContaining("this project's own node"),
    });
    const foreign = await world();
    writeFileSync(
      join(foreign.node.folder, 'genesis.json'),
      JSON.stringify({ 'genesis-time': '2024-01-01T00:00:00Z', 'genesis-extra-data': 'x' }),
    );
    expect(await refused(foreign)).toMatchObject({ code: 'other-network', exitCode: 5 });
  });

  it('keys whose lease another host has, and PoST data that lies twice', async () => {
    const leased = await world();
    const lease: Lease = {
      smesherId: leased.node.identities[0]?.smesherId as Lease['smesherId'],
      state: 'held',
      host: { id: 'other', name: 'borg', cards: [] },
      project: { name: 'p', directory: '/p' },
      nodeData: '/p/node-data',
      createdAt: '2026-11-21T08:00:00.000Z',
      renewedAt: '2026-11-21T08:00:00.000Z',
      tool: '1',
    };
    writeFileSync(join(leased.node.folder, 'identities/node-1.lease'), writeLease(lease));
    expect(await refused(leased)).toMatchObject({
      code: 'lease-held-elsewhere',
      exitCode: 5,
      said: expect.stringMatching(/held by another host, borg/),
    });
    const twice = await world();
    const post = join(twice.place, 'old/post-1');
    mkdirSync(join(twice.place, 'old/copy'));
    for (const name of ['postdata_metadata.json'])
      cpSync(join(post, name), join(twice.place, 'old/copy', name));
    expect(await refused(twice)).toMatchObject({ code: 'data-twice', exitCode: 5 });
  });

  it('a disk that is too full, or becomes so: only copies are gone', async () => {
    const full = await world();
    const { nodeFiles } = await import('../../../src/adapters/files/index.ts');
    const files = { ...nodeFiles, freeBytes: async () => 1024 * 1024 };
    expect(await refused(full, { files })).toMatchObject({ code: 'no-space', exitCode: 5 });
    const real = createDatabaseEditor();
    let copies = 0;
    const editor = {
      ...real,
      copy: async (from: string, to: string) => {
        copies += 1;
        if (copies > 1) throw Object.assign(new Error(`ENOSPC: ${to}`), { code: 'ENOSPC', path: to });
        await real.copy(from, to);
      },
    };
    const said = await refused(full, { editor });
    expect(said.said).toMatch(/Only copies were touched; nothing has changed/);
    expect(existsSync(join(full.nodeData, '.smesh-merge', 'x'))).toBe(false);
  });

  it('what merge-nodes itself refuses: a foreign table; and a node that comes up meanwhile', async () => {
    const drifted = await world();
    const database = new Database(join(drifted.node.folder, 'local.sql'));
    database.exec('CREATE TABLE notes(x)');
    database.close();
    expect(await refused(drifted)).toMatchObject({
      code: 'merge-nodes-failed',
      exitCode: 3,
      said: expect.stringMatching(/schema drift detected/),
    });
    const late = await world();
    const path = join(late.node.folder, 'genesis.json');
    const onMergeNodes = () => {
      const text = readFileSync(join(late.node.folder, 'local.sql'));
      writeFileSync(join(late.node.folder, 'local.sql'), text);
    };
    expect(existsSync(path)).toBe(true);
    await expect(merge(makeRig(late.directory, { onMergeNodes }), [late.node.folder])).rejects.toMatchObject({
      code: 'node-came-up',
      exitCode: 5,
      details: [expect.stringMatching(/was written since it was copied/)],
    });
  });
});
