import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { unfinishedNotice } from '../../../src/domain/merge/moved-notice.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { keyFilesIn } from '../../helpers/keys.ts';
import { observed } from '../plan/observed.ts';
import { makeNode, makeRig, merge, type Rig, undo, whoWouldStart } from './support/rig.ts';
import { world } from './support/world.ts';

const journal = (directory: string) => existsSync(join(directory, '.smesh/journal/current.json'));

/** A node whose only key is the `key.bin` beside its data. */
async function oldKeyWorld() {
  const made = await world({ names: ['gone.key'] }, 1);
  rmSync(join(made.node.folder, 'identities'), { recursive: true });
  const posts = join(made.place, 'old/post-1');
  writeFileSync(join(posts, 'key.bin'), made.node.identities[0]?.keyFile ?? '', { mode: 0o600 });
  const config = join(made.place, 'c.json');
  const options = { 'smeshing-opts-datadir': posts };
  writeFileSync(config, JSON.stringify({ smeshing: { 'smeshing-opts': options } }));
  return { ...made, posts, configs: [config] };
}

describe('S38: merge of nodes that are not as usual', () => {
  it('refuses a key that stands twice in a node: the merged one would refuse to start', async () => {
    for (const data of [true, false]) {
      const { directory, node, nodeData } = await world({ data }, 1);
      writeFileSync(join(node.folder, 'identities/z.key'), node.identities[0]?.keyFile.toUpperCase() ?? '');
      await expect(merge(makeRig(directory), [node.folder])).rejects.toMatchObject({
        code: 'source-key-twice',
        exitCode: 3,
        hint: expect.stringMatching(/mv .*z\.key .*z\.key\.aside/),
      });
      expect(keyFilesIn(join(nodeData, 'identities'))).toEqual(['post-0001.key', 'post-0002.key']);
    }
  });

  it('takes a key.bin although there is no identities folder; asked again it does nothing', async () => {
    const { directory, node, nodeData, posts, configs } = await oldKeyWorld();
    expect(await merge(makeRig(directory), [node.folder], { configs })).toBe(0);
    expect(whoWouldStart(nodeData)).toContain(node.identities[0]?.smesherId);
    expect(whoWouldStart(node.folder)).toBe('refuses');
    const again = makeRig(directory);
    expect(await merge(again, [node.folder], { configs })).toBe(0);
    expect(again.out.results.join()).toMatch(/Nothing to merge/);
    // Its disk is away: the copy must not be laid below the mount point.
    renameSync(posts, `${posts}-away`);
    mkdirSync(posts);
    await expect(undo(makeRig(directory))).rejects.toMatchObject({
      code: 'cannot-undo',
      details: [expect.stringMatching(/original key of .* is not at .*key\.bin/)],
    });
    expect(readdirSync(posts)).toEqual([]);
    expect(whoWouldStart(nodeData)).toContain(node.identities[0]?.smesherId);
  });

  it("knows the project's own node by another path, and the barrier of a merge that is not finished", async () => {
    const own = await world({}, 1);
    const link = join(own.place, 'link');
    symlinkSync(own.nodeData, link);
    const text = readFileSync(join(own.directory, 'smesh.yaml'), 'utf8');
    writeFileSync(join(own.directory, 'smesh.yaml'), `${text}\nnode:\n  data: ${link}\n`);
    await expect(merge(makeRig(own.directory), [own.nodeData])).rejects.toMatchObject({
      code: 'source-is-target',
      exitCode: 5,
    });
    const { directory, node } = await world({}, 1);
    const notice = join(node.folder, 'identities/merge-is-not-finished--type-smesh-compose-generate.key');
    writeFileSync(notice, unfinishedNotice('/srv/my farm'));
    await expect(merge(makeRig(directory), [node.folder])).rejects.toMatchObject({
      code: 'source-unfinished',
      exitCode: 5,
      hint: expect.stringContaining("smesh-compose -C '/srv/my farm' generate"),
    });
  });

  it('moves keys with very long and odd names, and gives them back', async () => {
    const names = ['-a b.key', 'ü\n;$(x).key', '.key', `${'x'.repeat(248)}.key`, `${'x'.repeat(249)}.key`];
    const { directory, node } = await world({ names }, names.length);
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
    expect(readdirSync(join(node.folder, 'identities')).filter((name) => name.endsWith('.key'))).toHaveLength(
      1,
    );
    expect(await undo(makeRig(directory))).toBe(0);
    expect(new Set(readdirSync(join(node.folder, 'identities')))).toEqual(new Set(names));
    expect(journal(directory)).toBe(false);
  });

  it('does not take the key out again of an identity that was removed here: refused without data, back with it', async () => {
    const retire = (directory: string, id = '') => {
      const text = readFileSync(join(directory, 'smesh.yaml'), 'utf8');
      writeFileSync(join(directory, 'smesh.yaml'), `${text}\nretired:\n  - id: ${id}\n    name: former\n`);
    };
    const without = await world({ data: false }, 1);
    retire(without.directory, without.node.identities[0]?.smesherId);
    await expect(merge(makeRig(without.directory), [without.node.folder])).rejects.toMatchObject({
      code: 'retired-without-data',
      exitCode: 5,
    });
    const found = await world({}, 1);
    retire(found.directory, found.node.identities[0]?.smesherId);
    expect(await merge(makeRig(found.directory), [found.node.folder])).toBe(0);
    expect(keyFilesIn(join(found.nodeData, 'identities'))).toContain('former.key');
  });
});

describe('S38: what happens while a merge is under way', () => {
  it('a disk that is full when the act is written down shuts nobody out', async () => {
    const { directory, node, nodeData } = await world({}, 1);
    let writes = 0;
    const writeAtomic: typeof nodeFiles.writeAtomic = async (path, content, ownership) => {
      if (path.endsWith('current.json')) writes += 1;
      if (path.endsWith('current.json') && writes === 2)
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path, syscall: 'write' });
      await nodeFiles.writeAtomic(path, content, ownership);
    };
    await expect(
      merge(makeRig(directory, { files: { ...nodeFiles, writeAtomic } }), [node.folder]),
    ).rejects.toMatchObject({ exitCode: 4, details: ['Nothing was changed.'] });
    expect(whoWouldStart(node.folder)).toEqual(new Set([node.identities[0]?.smesherId]));
    expect(whoWouldStart(nodeData)).not.toBe('refuses');
    expect(journal(directory)).toBe(false);
  });

  it('a key that appears, another merge of the same node, and an edit of smesh.yaml are not run over', async () => {
    const { place, directory, node } = await world({}, 1);
    const other = makeNode(join(place, 'third'), 1);
    const stray = join(node.folder, 'identities/new.key');
    const yaml = join(directory, 'smesh.yaml');
    const edited = `${readFileSync(yaml, 'utf8')}# my edit\n`;
    const onMergeNodes = () => {
      writeFileSync(stray, other.identities[0]?.keyFile ?? '');
      writeFileSync(yaml, edited);
    };
    await expect(merge(makeRig(directory, { onMergeNodes }), [node.folder])).rejects.toMatchObject({
      code: 'changed-meanwhile',
      exitCode: 5,
      details: [expect.stringMatching(/new\.key is new/), expect.stringMatching(/smesh\.yaml was changed/)],
    });
    expect(readFileSync(yaml, 'utf8')).toBe(edited);
    expect(readdirSync(join(node.folder, 'identities')).sort()).toEqual(['new.key', 'node-1.key']);
    rmSync(stray);
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
  });

  it('an image without merge-nodes is called that; one whose merge-nodes does not do its work is not believed', async () => {
    const { directory, node, nodeData } = await world({}, 1);
    const answering = async (exitCode: number, stderr: string): Promise<Rig> => {
      const rig = makeRig(directory);
      const runHelper = async () => ({
        kind: 'ended' as const,
        exitCode,
        stdout: '',
        stderr,
        truncated: false,
      });
      const docker = { ...(await rig.context.ports.docker()), runHelper };
      const ports = { ...rig.context.ports, docker: async () => docker };
      return { ...rig, context: { ...rig.context, ports } as unknown as Context };
    };
    const without = await answering(127, "env: 'merge-nodes': No such file or directory\n");
    await expect(merge(without, [node.folder])).rejects.toMatchObject({
      code: 'merge-nodes-missing',
      exitCode: 4,
      hint: expect.stringContaining('node.image'),
    });
    await expect(merge(await answering(0, ''), [node.folder])).rejects.toMatchObject({
      code: 'merge-not-verified',
      exitCode: 3,
      message: expect.stringMatching(/2 rows in (post|challenge) instead of 3.*nothing has changed/),
    });
    expect(existsSync(join(nodeData, '.smesh-merge'))).toBe(false);
    expect(keyFilesIn(join(node.folder, 'identities'))).toEqual(['node-1.key']);
  });

  it('a process without a container that holds a file of either node keeps it from being merged', async () => {
    const { directory, node, nodeData } = await world({}, 1);
    for (const { file, code } of [
      { file: join(node.folder, 'LOCK'), code: 'source-at-work' },
      { file: join(node.folder, 'local.sql'), code: 'source-at-work' },
      { file: join(nodeData, 'LOCK'), code: 'node-at-work' },
    ]) {
      if (!existsSync(file)) writeFileSync(file, '');
      const lock = `1: FLOCK  ADVISORY  WRITE 999999 fe:00:${statSync(file).ino} 0 EOF\n`;
      const readText: typeof nodeFiles.readText = async (path) =>
        path === '/proc/locks' ? lock : nodeFiles.readText(path);
      await expect(
        merge(makeRig(directory, { files: { ...nodeFiles, readText } }), [node.folder]),
      ).rejects.toMatchObject({
        code,
        exitCode: 5,
        message: expect.stringContaining(`somebody holds ${file}`),
      });
    }
  });

  it('is not taken back once the node has been started, were it for a second and without a row', async () => {
    const { directory, node } = await world({}, 1);
    expect(await merge(makeRig(directory), [node.folder])).toBe(0);
    const ran = observed('node', {
      name: 'farm-node',
      project: 'farm',
      state: 'exited',
      startedAt: Date.now() + 1000,
      labels: { 'io.smesh-compose.role': 'node' },
    });
    await expect(undo(makeRig(directory, { containers: [ran] }))).rejects.toMatchObject({
      code: 'cannot-undo',
      details: [expect.stringMatching(/the node was started on .*, after the merge/)],
    });
    expect(whoWouldStart(node.folder)).toBe('refuses');
    const before = { ...ran, startedAt: Date.now() - 60_000 };
    expect(await undo(makeRig(directory, { containers: [before] }))).toBe(0);
  });
});
