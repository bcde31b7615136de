import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planGenerate } from '../../../src/usecases/generate.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { keyFilesIn, makeIdentity } from '../../helpers/keys.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { allRows, makeNode, makeProject, makeRig, merge, undo, whoWouldStart } from './support/rig.ts';

interface SmeshYaml {
  readonly identities: readonly {
    id: string;
    name: string;
    data: string;
    nonces?: number;
    threads?: number;
    randomx?: string;
  }[];
}

const yaml = (directory: string) => parse(readFileSync(join(directory, 'smesh.yaml'), 'utf8')) as SmeshYaml;

async function world() {
  const place = tempFolder('merge');
  const directory = join(place, 'project');
  const own = await makeProject(directory, 2);
  return { place, directory, own, nodeData: join(directory, 'node-data') };
}

describe('S38: merge brings nodes in', () => {
  it('leaves a key that waits for its data where it is, and says so', async () => {
    const { place, directory } = await world();
    const node = makeNode(join(place, 'one'), 1);
    const waiting = makeIdentity();
    const path = join(node.folder, 'identities/post-0009.key.pending');
    writeFileSync(path, waiting.keyFile, { mode: 0o600 });
    const rig = makeRig(directory);
    expect(await merge(rig, [node.folder])).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(waiting.keyFile);
    const said = [...rig.out.notes, ...rig.out.results].join(' ').replace(/\s+/g, ' ');
    expect(said).toContain('post-0009.key.pending waits there for its PoST data and does not come');
    expect(keyFilesIn(join(directory, 'node-data/identities'))).toHaveLength(3);
  });

  it('takes a 1:N node and two supervised ones, with their rows, under free names; none of them can start', async () => {
    const { place, directory, own, nodeData } = await world();
    const many = makeNode(join(place, 'many'), 2, { names: ['post-0001.key', 'z.key'] });
    const first = makeNode(join(place, 'first'), 1, { names: ['local.key'] });
    const second = makeNode(join(place, 'second'), 1, { names: ['local.key'] });
    const nodes = [many, first, second];
    const wanted = [nodeData, ...nodes.map(({ folder }) => folder)]
      .flatMap((folder) => allRows(join(folder, 'local.sql')))
      .sort();
    const rig = makeRig(directory);
    expect(
      await merge(
        rig,
        nodes.map(({ folder }) => folder),
      ),
    ).toBe(0);

    const all = [...own, ...nodes.flatMap(({ identities }) => identities)].map(({ smesherId }) => smesherId);
    expect(whoWouldStart(nodeData)).toEqual(new Set(all));
    expect(keyFilesIn(join(nodeData, 'identities'))).toEqual(
      [1, 2, 3, 4, 5, 6].map((number) => `post-000${number}.key`),
    );
    expect(allRows(join(nodeData, 'local.sql'))).toEqual(wanted);
    expect(yaml(directory).identities.map(({ id }) => id)).toEqual(all);
    for (const { folder, identities } of nodes) {
      expect(whoWouldStart(folder)).toBe('refuses');
      const names = readdirSync(join(folder, 'identities'));
      expect(names.filter((name) => name.endsWith('.key'))).toEqual([
        expect.stringMatching(/^keys-moved-to-farm--see-.*project\.key$/),
      ]);
      expect(names.filter((name) => name.endsWith('.key.moved-to-farm'))).toHaveLength(identities.length);
    }
    // Copies, 0600; no key anywhere but in folders called identities.
    for (const name of keyFilesIn(join(nodeData, 'identities')))
      expect(statSync(join(nodeData, 'identities', name)).mode & 0o777).toBe(0o600);
    expect(existsSync(join(nodeData, '.smesh-merge'))).toBe(false);
    expect(existsSync(join(directory, '.smesh/journal/current.json'))).toBe(false);
    expect(rig.out.notes.join('\n')).toMatch(/smesh-compose up .*\n.*status.*\n.*verify/);
    // Asked for the same once more it does nothing.
    const again = makeRig(directory);
    expect(
      await merge(
        again,
        nodes.map(({ folder }) => folder),
      ),
    ).toBe(0);
    expect(again.out.results.join()).toMatch(/Nothing to merge/);
  });

  it('says who comes without data, what of a config is left out, and takes over how it proved', async () => {
    const { place, directory, nodeData } = await world();
    const node = makeNode(join(place, 'old'), 2, { data: false });
    const posts = join(place, 'elsewhere/post');
    makePostDirectory(posts, {
      ...(node.identities[0] === undefined ? {} : { identity: node.identities[0] }),
      key: 'none',
    });
    const config = join(place, 'old/config.json');
    const options = {
      'smeshing-opts-datadir': posts,
      'smeshing-opts-provider': 0,
      'smeshing-opts-numunits': 4,
    };
    const proving = {
      'smeshing-opts-proving-nonces': 144,
      'smeshing-opts-proving-threads': 3,
      'smeshing-opts-proving-randomx-mode': 'Light',
    };
    writeFileSync(
      config,
      JSON.stringify({
        main: { 'data-folder': node.folder },
        smeshing: { 'smeshing-start': true, 'smeshing-opts': options, 'smeshing-proving-opts': proving },
      }),
    );
    const rig = makeRig(directory);
    expect(await merge(rig, [node.folder], { roots: [join(place, 'old')] })).toBe(0);
    const said = rig.out.notes.join('\n');
    expect(said).toMatch(/1 identity comes without PoST data/);
    expect(said).toContain(node.identities[1]?.smesherId.slice(0, 8));
    expect(said).toMatch(/smeshing-opts-provider: 0\n.*smeshing-opts-numunits: 4\n.*smeshing-start: true/);
    expect(yaml(directory).identities.at(-1)).toEqual({
      id: node.identities[0]?.smesherId,
      name: 'post-0003',
      data: posts,
      nonces: 144,
      threads: 3,
      randomx: 'light',
    });
    // Merging is all or nothing: its key and its rows are here all the same.
    expect(whoWouldStart(nodeData)).toContain(node.identities[1]?.smesherId);
    expect(keyFilesIn(join(nodeData, 'identities'))).toContain(
      `merged-${node.identities[1]?.smesherId.slice(0, 8)}.key`,
    );
  });

  it('takes key.bin of a release before 1.4 from beside the data, and leaves it there', async () => {
    const { place, directory, nodeData } = await world();
    const node = makeNode(join(place, 'old'), 1, { names: ['gone.key'] });
    rmSync(join(node.folder, 'identities/gone.key'));
    const posts = join(place, 'old/post-1');
    writeFileSync(join(posts, 'key.bin'), node.identities[0]?.keyFile ?? '', { mode: 0o600 });
    const config = join(place, 'c.json');
    writeFileSync(
      config,
      JSON.stringify({ smeshing: { 'smeshing-opts': { 'smeshing-opts-datadir': posts } } }),
    );
    expect(await merge(makeRig(directory), [node.folder], { configs: [config] })).toBe(0);
    expect(whoWouldStart(nodeData)).toContain(node.identities[0]?.smesherId);
    expect(existsSync(join(posts, 'key.bin'))).toBe(true);
    expect(whoWouldStart(node.folder)).toBe('refuses');
  });

  it('S9: leaves behind the local.key that the node made by itself', async () => {
    const { place, directory, nodeData } = await world();
    const node = makeNode(join(place, 'old'), 2, {
      names: ['a.key', 'local.key'],
      rows: ({ smesherId }, index) => (index === 0 ? { smesherId } : undefined),
    });
    rmSync(join(place, 'old/post-2'), { recursive: true });
    const rig = makeRig(directory);
    expect(await merge(rig, [node.folder])).toBe(0);
    expect(rig.out.notes.join('\n')).toMatch(/that node made it by itself/);
    expect(whoWouldStart(nodeData)).not.toContain(node.identities[1]?.smesherId);
    expect(readdirSync(join(node.folder, 'identities'))).toContain('local.key.moved-to-farm');
  });

  it('makes the local.sql of a project whose node has never run', async () => {
    const place = tempFolder('merge');
    const directory = join(place, 'project');
    await makeProject(directory, 1, { database: false });
    const node = makeNode(join(place, 'old'), 2);
    const wanted = allRows(join(node.folder, 'local.sql'));
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
    expect(allRows(join(directory, 'node-data/local.sql'))).toEqual(wanted);
  });

  it('finds the node below the folder that was named, and changes nothing in a dry run', async () => {
    const { place, directory } = await world();
    const node = makeNode(join(place, 'old/deeper'), 1);
    const before = readdirSync(join(node.folder, 'identities'));
    const rig = makeRig(directory);
    expect(await merge(rig, [join(place, 'old')], { dryRun: true, roots: [place] })).toBe(0);
    expect(rig.out.results.join('\n')).toContain(`What becomes of ${node.folder}`);
    expect(readdirSync(join(node.folder, 'identities'))).toEqual(before);
    expect(existsSync(join(directory, '.smesh/merge.json'))).toBe(false);
  });
});

describe('merge --undo', () => {
  it('gives everything back as it was, until the node has run', async () => {
    const { place, directory, nodeData } = await world();
    const node = makeNode(join(place, 'old'), 2);
    const [text, rows, keys] = [
      readFileSync(join(directory, 'smesh.yaml'), 'utf8'),
      allRows(join(nodeData, 'local.sql')),
      keyFilesIn(join(nodeData, 'identities')),
    ];
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
    expect(await undo(makeRig(directory))).toBe(0);
    expect(readFileSync(join(directory, 'smesh.yaml'), 'utf8')).toBe(text);
    expect(allRows(join(nodeData, 'local.sql'))).toEqual(rows);
    expect(keyFilesIn(join(nodeData, 'identities'))).toEqual(keys);
    expect(readdirSync(join(node.folder, 'identities')).sort()).toEqual(['node-1.key', 'node-2.key']);
    expect(whoWouldStart(node.folder)).toEqual(new Set(node.identities.map(({ smesherId }) => smesherId)));
    // Once more: nothing is left to be taken back.
    const rig = makeRig(directory);
    expect(await undo(rig)).toBe(0);
    expect(rig.out.results.join()).toMatch(/Nothing to take back/);
    // And the way is free again.
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
    expect(whoWouldStart(nodeData)).toContain(node.identities[0]?.smesherId);
  });

  it('is refused once the node has written, or an original has gone', async () => {
    const { place, directory, nodeData } = await world();
    const node = makeNode(join(place, 'old'), 1);
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
    const moved = join(node.folder, 'identities/node-1.key.moved-to-farm');
    const key = readFileSync(moved);
    rmSync(moved);
    await expect(undo(makeRig(directory))).rejects.toMatchObject({
      code: 'cannot-undo',
      exitCode: 5,
      details: [expect.stringMatching(/the original key of .* is not at/)],
    });
    writeFileSync(moved, key, { mode: 0o600 });
    mkdirSync(join(nodeData, 'run'), { recursive: true });
    const database = join(nodeData, 'local.sql');
    writeFileSync(database, readFileSync(database));
    await expect(undo(makeRig(directory))).rejects.toMatchObject({
      code: 'cannot-undo',
      details: [expect.stringMatching(/local.sql was written since/)],
    });
    expect(whoWouldStart(nodeData)).toContain(node.identities[0]?.smesherId);
    expect(whoWouldStart(node.folder)).toBe('refuses');
  });
});

describe('S40: an identity moves from one project of this host to another', () => {
  it('with the whole node: stopped at A, its key gone from A, held at B, and A cannot start', async () => {
    const { place, directory, nodeData } = await world();
    const other = join(place, 'other');
    const theirs = await makeProject(other, 1);
    const lease = (folder: string, name: string) =>
      JSON.parse(readFileSync(join(folder, 'node-data/identities', name), 'utf8')) as {
        state: string;
        project: { directory: string };
      };
    const id = theirs[0]?.smesherId ?? '';
    expect(lease(other, 'post-0001.lease')).toMatchObject({ state: 'held', project: { directory: other } });
    // Named by the project's folder: its node is the only one below it.
    expect(await merge(makeRig(directory), [other], { roots: [other] })).toBe(0);
    expect(whoWouldStart(nodeData)).toContain(id);
    expect(whoWouldStart(join(other, 'node-data'))).toBe('refuses');
    expect(lease(directory, 'post-0003.lease')).toMatchObject({ state: 'held', project: { directory } });
    expect(lease(other, 'post-0001.lease').state).toBe('released');
    // A would take the key from beside its data again; the file that is no key is in its way.
    const { context } = makeRig(other);
    const { project } = await loadProject(context);
    await expect(
      planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: false }),
    ).rejects.toMatchObject({
      code: 'keys-moved-away',
      exitCode: 5,
      details: [expect.stringMatching(/keys-moved-to-farm.*Leave it where it is/)],
      hint: expect.stringContaining(`smesh-compose -C ${directory} merge --undo`),
    });

    expect(await undo(makeRig(directory))).toBe(0);
    expect(lease(other, 'post-0001.lease')).toMatchObject({ state: 'held', project: { directory: other } });
    expect(whoWouldStart(join(other, 'node-data'))).toEqual(new Set([id]));
    expect(whoWouldStart(nodeData)).not.toContain(id);
  });
});
