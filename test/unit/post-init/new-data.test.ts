import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Context } from '../../../src/usecases/context.ts';
import { notesOf } from '../../../src/usecases/post-init/look-at-places.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { describeTree } from '../../helpers/tree.ts';
import { canMount, mountDisk, type Scene, scene } from './support/new-data.ts';

const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';

interface Written {
  readonly identities: readonly unknown[];
  readonly init?: {
    readonly gpu: string;
    readonly jobs: readonly {
      readonly id: string;
      readonly name: string;
      readonly identity: string;
      readonly data: string;
      readonly units: number;
      readonly user?: string;
    }[];
  };
}

const written = ({ directory }: Scene): Written =>
  parse(readFileSync(join(directory, 'smesh.yaml'), 'utf8')) as Written;
const keysOf = ({ directory }: Scene): readonly string[] => {
  const folder = join(directory, 'node-data/identities');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};

async function refusal(run: Promise<unknown>): Promise<{ code: string; exitCode: number; text: string }> {
  const error = (await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as
    | { code: string; exitCode: number; message: string; hint?: string; details: readonly string[] }
    | undefined;
  if (error?.exitCode === undefined) throw error ?? new Error('it was not refused');
  return {
    code: error.code,
    exitCode: error.exitCode,
    text: [error.message, ...error.details, error.hint].join('\n'),
  };
}

describe('post init of new data', () => {
  it('uses an empty directory as it is: key, backup, project', async () => {
    const farm = scene();
    const { names, facts } = await farm.run({ places: [farm.disk] });
    expect(names).toEqual(['post-0001-init']);
    expect(written(farm)).toMatchObject({
      identities: [],
      init: {
        gpu: 'cpu',
        jobs: [{ name: 'post-0001-init', identity: 'post-0001', data: farm.disk, units: 2 }],
      },
    });
    expect(keysOf(farm)).toEqual(['post-0001.key.pending']);
    const key = join(farm.directory, 'node-data/identities/post-0001.key.pending');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(readFileSync(key, 'latin1').slice(64)).toBe(written(farm).init?.jobs[0]?.id);
    expect(readdirSync(join(farm.directory, '.smesh/backups'))).toHaveLength(1);
    const compose = readFileSync(join(farm.directory, 'compose.yaml'), 'utf8');
    expect(compose).toContain('post-0001-init:');
    // Nothing of the private half is anywhere but in the key and, encrypted, in its backup.
    const half = readFileSync(key, 'latin1').slice(0, 64);
    const said = [
      JSON.stringify(facts),
      ...farm.said.notes,
      ...farm.said.warnings,
      ...farm.said.results,
    ].join('\n');
    expect(said).not.toContain(half.slice(0, 16));
    for (const name of ['smesh.yaml', 'compose.yaml', 'RUNBOOK.md'])
      expect(readFileSync(join(farm.directory, name), 'utf8')).not.toContain(half.slice(0, 16));
  });

  it('S44: a dry run shows all of it and changes nothing; a second run goes on with the job', async () => {
    const farm = scene();
    const before = describeTree(farm.root);
    const { facts } = await farm.run({ places: [farm.disk], dryRun: true, recipients: [] });
    expect(describeTree(farm.root)).toEqual(before);
    expect(JSON.stringify(facts)).toContain('post-0001-init');
    expect(farm.said.notes.join('\n')).toContain('This would be made (nothing is)');
    await farm.run({ places: [farm.disk] });
    const after = describeTree(farm.root, { ignore: ['farm/.smesh'] });
    for (const options of [
      { places: [farm.disk] },
      { places: [] },
      { places: [], resume: true },
      { places: [join(farm.root)], resume: true },
    ]) {
      const { names } = await farm.run({
        ...options,
        ...(options.places.length === 0 ? { units: undefined } : {}),
      });
      expect(names).toEqual(['post-0001-init']);
    }
    expect(describeTree(farm.root, { ignore: ['farm/.smesh'] })).toEqual(after);
    // What it says already is not passed over.
    await farm.run({ places: [farm.disk], count: 1, maxFileSize: 4_294_967_296, commitment: 'golden' });
    expect(farm.said.warnings.join()).not.toContain('Passed over');
    await farm.run({ places: [farm.disk], count: 2, split: true });
    expect(farm.said.warnings.join()).toContain('Passed over: --count, --split.');
  });

  it('makes a folder for each identity where there are several, under names of their own', async () => {
    const farm = scene();
    mkdirSync(join(farm.disk, 'somebody-elses'));
    await farm.run({ places: [farm.disk], count: 2 });
    // Those that are being made count: the same again makes nothing twice.
    const again = await farm.run({ places: [farm.disk], count: 2 });
    expect(again.names).toEqual(['post-0001-init', 'post-0002-init']);
    const more = await farm.run({ places: [farm.disk], count: 3 });
    expect(more.names).toEqual(['post-0001-init', 'post-0002-init', 'post-0003-init']);
    expect(readdirSync(farm.disk).sort()).toEqual(['post-0001', 'post-0002', 'post-0003', 'somebody-elses']);
    expect(keysOf(farm)).toHaveLength(3);
    expect(written(farm).init?.jobs.map(({ data }) => data)).toEqual(
      ['post-0001', 'post-0002', 'post-0003'].map((name) => join(farm.disk, name)),
    );
    expect(statSync(join(farm.disk, 'post-0003')).mode & 0o777).toBe(0o700);
  });

  it('uses a key that waits without a job first, and says so', async () => {
    const farm = scene();
    const { keyFile, smesherId } = makeIdentity();
    mkdirSync(join(farm.directory, 'node-data/identities'), { recursive: true, mode: 0o700 });
    writeFileSync(join(farm.directory, 'node-data/identities/post-0004.key.pending'), keyFile, {
      mode: 0o600,
    });
    await farm.run({ places: [farm.disk], count: 2 });
    expect(written(farm).init?.jobs.map(({ identity }) => identity)).toEqual(['post-0004', 'post-0005']);
    expect(written(farm).init?.jobs[0]?.id).toBe(smesherId);
    expect(farm.said.notes.join('\n')).toContain('waits without data, and is used first: post-0004');
    expect(keysOf(farm)).toEqual(['post-0004.key.pending', 'post-0005.key.pending']);
  });

  it('S44: counts what is served from there, so that the same command makes nothing once all is taken in', async () => {
    const farm = scene();
    mkdirSync(join(farm.disk, 'somebody-elses'));
    const { smesherId } = makePostDirectory(join(farm.disk, 'post-0001'), { network: 'standalone' });
    const file = join(farm.directory, 'smesh.yaml');
    const entry = `identities:\n  - {id: '${smesherId}', name: post-0001, data: ${farm.disk}/post-0001}`;
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^identities:.*(\n {2}.*)*/m, entry));
    const same = await farm.run({ places: [farm.disk] });
    expect(same).toMatchObject({ names: [], facts: { resumed: [], served: ['post-0001'] } });
    expect(farm.said.notes.join('\n')).toContain('post-0001: served from there, and counted.');
    expect(keysOf(farm)).toEqual([]);
    // Named itself it is no fault either, and stdout is for facts.
    expect(await farm.run({ places: [join(farm.disk, 'post-0001')] })).toMatchObject({ names: [] });
    expect(farm.said.notes.join('\n')).toContain('is complete, and in the project as post-0001');
    expect(farm.said.results).toEqual([]);
    // Of another size it is no part of what is asked for.
    await farm.run({ places: [farm.disk], units: 1 });
    expect(written(farm).init?.jobs).toMatchObject([{ name: 'post-0002-init', units: 1 }]);
    await farm.run({ places: [farm.disk], count: 2 });
    expect(written(farm).init?.jobs).toMatchObject([{ units: 1 }, { name: 'post-0003-init', units: 2 }]);
  });

  it('says which keys wait when no backup of them could be made; the next run makes it and uses them', async () => {
    const farm = scene();
    const backups = join(farm.directory, '.smesh/backups');
    mkdirSync(join(farm.directory, '.smesh'), { mode: 0o700 });
    writeFileSync(backups, 'in the way');
    await expect(farm.run({ places: [farm.disk] })).rejects.toThrowError();
    expect(farm.said.warnings.join()).toContain('The key of post-0001 waits without a job');
    expect(written(farm)).not.toHaveProperty('init');
    const [key] = keysOf(farm);
    rmSync(backups);
    await farm.run({ places: [farm.disk] });
    expect(keysOf(farm)).toEqual([key]);
    expect(written(farm).init?.jobs).toHaveLength(1);
  });

  it('uses no key that waits for data which is there, whoever took its job away', async () => {
    const farm = scene();
    await farm.run({ places: [join(farm.disk, 'a')] });
    const [job] = written(farm).init?.jobs ?? [];
    const file = join(farm.directory, 'smesh.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/jobs:\n(.*\n)*/m, 'jobs: []\n'));
    const identity = { smesherId: job?.id ?? '', keyFile: '' };
    makePostDirectory(join(farm.disk, 'a'), { network: 'standalone', identity, key: 'none' });
    await farm.run({ places: [join(farm.disk, 'b')] });
    expect(written(farm).init?.jobs.map((one) => one.identity)).toEqual(['post-0002']);
    expect(farm.said.warnings.join('\n')).toContain(`its data is in ${join(farm.disk, 'a')}`);
  });

  it('belongs to whom it is said to; root gives it to who owns what is around it', async () => {
    const farm = scene();
    if (process.getuid?.() !== 0) return;
    await farm.run({ places: [join(farm.disk, 'a')], user: '1234:1234' });
    expect(statSync(join(farm.disk, 'a')).uid).toBe(1234);
    execFileSync('chown', ['1235:1236', farm.disk]);
    await farm.run({ places: [join(farm.disk, 'b')] });
    expect(statSync(join(farm.disk, 'b'))).toMatchObject({ uid: 1235, gid: 1236 });
    expect(written(farm).init?.jobs.map(({ user }) => user)).toEqual(['1234:1234', undefined]);
    const compose = readFileSync(join(farm.directory, 'compose.yaml'), 'utf8');
    expect(compose).toContain('user: 1234:1234');
    expect(compose).toContain('user: 1235:1236');
  });

  it.each<[string, (farm: Scene) => Parameters<Scene['run']>[0], string, number]>([
    ['nobody to open the backup', ({ disk }) => ({ places: [disk], recipients: [] }), 'no-lock', 5],
    ['no consent to the processor', ({ disk }) => ({ places: [disk], cpu: false }), 'cpu-consent', 5],
    ['fewer units than the network takes', ({ disk }) => ({ places: [disk], units: 0 }), 'bad-option', 2],
    ['more units than the network takes', ({ disk }) => ({ places: [disk], units: 3 }), 'bad-option', 2],
    [
      'a file size that splits a label',
      ({ disk }) => ({ places: [disk], maxFileSize: 1032 }),
      'bad-option',
      2,
    ],
    ['a commitment that is none', ({ disk }) => ({ places: [disk], commitment: 'newest' }), 'bad-option', 2],
    ['a place named twice', ({ disk }) => ({ places: [disk, disk] }), 'place-twice', 2],
    [
      'fewer identities than places',
      ({ disk, root }) => ({ places: [disk, join(root, 'b')], count: 1 }),
      'bad-option',
      2,
    ],
    [
      "the node's own folder",
      ({ directory }) => ({ places: [join(directory, 'node-data/post')] }),
      'place-taken',
      3,
    ],
    ['a device of the processor', ({ disk }) => ({ places: [disk], devices: ['0'] }), 'bad-option', 2],
    ['nothing to resume', ({ disk }) => ({ places: [disk], resume: true }), 'nothing-to-resume', 3],
    [
      'one card to split between',
      ({ disk }) => ({ places: [disk], gpu: 'nvidia', devices: ['0'], split: true }),
      'bad-option',
      2,
    ],
    [
      'several cards for one identity',
      ({ disk }) => ({ places: [disk], gpu: 'nvidia', devices: ['0', '1'] }),
      'bad-option',
      2,
    ],
  ])('is refused with %s, and nothing is changed', async (_, options, code, exitCode) => {
    const farm = scene();
    const before = describeTree(farm.root);
    expect(await refusal(farm.run(options(farm)))).toMatchObject({ code, exitCode });
    expect(describeTree(farm.root, { ignore: ['farm/.smesh'] })).toEqual(before);
  });

  it('refuses file sizes that would be more files than a directory bears', async () => {
    const farm = scene({ labelsPerUnit: 2 ** 22 });
    const refused = await refusal(farm.run({ places: [farm.disk], maxFileSize: 1024 }));
    expect(refused).toMatchObject({ code: 'bad-option', exitCode: 2 });
    expect(refused.text).toContain('131,072 files');
    expect(keysOf(farm)).toEqual([]);
  });

  it('refuses what is in the way: a file, files, data without metadata, a directory of another', async () => {
    const farm = scene();
    const at = (name: string) => join(farm.disk, name);
    mkdirSync(at('full'));
    writeFileSync(at('full/holiday.jpg'), '');
    mkdirSync(at('bare'));
    writeFileSync(at('bare/postdata_0.bin'), '');
    mkdirSync(at('broken'));
    writeFileSync(at('broken/postdata_metadata.json'), '{');
    writeFileSync(at('file'), '');
    const code = async (name: string) => (await refusal(farm.run({ places: [at(name)] }))).code;
    expect(await code('full')).toBe('directory-not-empty');
    expect(await code('bare')).toBe('data-without-metadata');
    expect(await code('broken')).toBe('metadata-malformed');
    expect(await code('file')).toBe('not-a-directory');
    expect(await code('file/below')).toBe('not-a-directory');
    await farm.run({ places: [at('mine')] });
    expect(await code('mine/deeper')).toBe('place-taken');
    expect(keysOf(farm)).toHaveLength(1);
  });

  it('refuses one that lies in another of these, where parts are joined, or in a directory behind a link', async () => {
    const farm = scene({ labelsPerUnit: 1024 });
    const at = (name: string) => join(farm.disk, name);
    const gpu = { gpu: 'nvidia', cpu: false } as const;
    const code = async (...names: string[]) =>
      (await refusal(farm.run({ ...gpu, places: names.map(at) }))).code;
    expect(await code('q/x', 'q')).toBe('place-taken');
    await farm.run({ ...gpu, devices: ['0', '1'], maxFileSize: 4096, split: true, places: [at('whole')] });
    expect(await code('whole/deeper')).toBe('place-taken');
    mkdirSync(at('real'));
    symlinkSync(at('real'), at('link'));
    await farm.run({ ...gpu, places: [at('link')] });
    expect(await code('real')).toBe('place-taken');
    symlinkSync('/nowhere/post', at('dangling'));
    expect(await code('dangling')).toBe('link-to-nowhere');
    expect(await code('dangling/deeper')).toBe('link-to-nowhere');
    expect(keysOf(farm)).toHaveLength(2);
  });

  it('refuses settings of a new project that say something else than smesh.yaml', async () => {
    const farm = scene();
    const none = { keys: [], ignore: [], repairKeys: false, dryRun: false, force: false };
    const run = (settings: object) =>
      farm.run({ places: [join(farm.disk, 'x')], settings: { ...none, ...settings } });
    expect(await refusal(run({ network: 'mainnet' }))).toMatchObject({ code: 'other-settings', exitCode: 2 });
    expect((await refusal(run({ coinbase: COINBASE }))).text).toContain('Leave --coinbase out');
    expect(keysOf(farm)).toEqual([]);
    await run({ network: 'standalone', genesisTime: '2026-11-16T00:00:00.000Z', projectName: 'farm' });
    expect(keysOf(farm)).toHaveLength(1);
  });
});

describe('what is to be known of a place', () => {
  const place = {
    path: '/mnt/x',
    realPath: '/mnt/x',
    use: { kind: 'parent' },
    exists: true,
    nearest: '/mnt/x',
    disk: 'sda',
  } as const;
  const more = { owner: { uid: 0, gid: 0 }, freeBytes: 0, plannedBytes: 0 };
  it.each([
    ['nfs4', '/mnt/x', 'network share'],
    ['fuse.mergerfs', '/mnt/x', 'FUSE mount'],
    ['tmpfs', '/mnt/x', 'in memory'],
    ['ext4', '/', 'disk of the system'],
    ['ext4', '/mnt/x', ''],
  ])('S14: %s on %s: %s', (fileSystem, mountPoint, wanted) => {
    const notes = notesOf({ ...place, ...more, fileSystem, mountPoint });
    expect(notes).toHaveLength(wanted === '' ? 0 : 1);
    expect(notes.join()).toContain(wanted);
  });

  it('is that the disk of the system is not filled by --yes alone', async () => {
    const farm = scene();
    const mount = {
      mountPoint: '/',
      fileSystem: 'ext4',
      source: '/dev/sda1',
      readOnly: false,
      disks: ['sda'],
    };
    const onSystem = (context: Context): Context => ({
      ...context,
      ports: {
        ...context.ports,
        host: async () => ({ ...(await context.ports.host()), place: async () => mount }),
      },
    });
    const refused = await refusal(farm.run({ places: [farm.disk], units: undefined }, onSystem));
    expect(refused).toMatchObject({ code: 'input-required', exitCode: 2 });
    expect((await farm.run({ places: [farm.disk], units: 2 }, onSystem)).names).toHaveLength(1);
  });

  it('S12, S13: one that may not be written is refused before anything is made', async () => {
    const farm = scene();
    const before = describeTree(farm.root);
    for (const code of ['EACCES', 'EROFS', 'ENOSPC']) {
      const writeNew = () => Promise.reject(Object.assign(new Error(code), { code }));
      const run = farm.run({ places: [farm.disk] }, (context) => ({
        ...context,
        ports: { ...context.ports, files: { ...context.ports.files, writeNew } },
      }));
      const wanted = { EACCES: 'place-forbidden', EROFS: 'read-only', ENOSPC: 'no-room' }[code];
      expect(await refusal(run)).toMatchObject({ code: wanted, exitCode: 3 });
    }
    expect(describeTree(farm.root, { ignore: ['farm/.smesh'] })).toEqual(before);
  });
});

describe('cards', () => {
  it('split one identity in ranges beside the whole, and two go one to each', async () => {
    const farm = scene({ labelsPerUnit: 1024 });
    const gpu = { gpu: 'nvidia', devices: ['0', '1'], cpu: false, maxFileSize: 4096 } as const;
    // What an earlier set left beside it is found before a key is made.
    mkdirSync(join(farm.disk, 'one.part-2'));
    writeFileSync(join(farm.disk, 'one.part-2/postdata_metadata.json.joined'), '{}');
    const occupied = farm.run({ ...gpu, places: [join(farm.disk, 'one')], split: true });
    expect(await refusal(occupied)).toMatchObject({ code: 'directory-not-empty', exitCode: 3 });
    expect(keysOf(farm)).toEqual([]);
    rmSync(join(farm.disk, 'one.part-2'), { recursive: true });
    await farm.run({ ...gpu, places: [join(farm.disk, 'one')], split: true });
    expect(written(farm).init?.jobs).toMatchObject([
      {
        name: 'post-0001-init-1',
        data: join(farm.disk, 'one.part-1'),
        into: join(farm.disk, 'one'),
        device: '0',
        fromFile: 0,
        toFile: 3,
      },
      { name: 'post-0001-init-2', data: join(farm.disk, 'one.part-2'), device: '1', fromFile: 4, toFile: 7 },
    ]);
    expect(keysOf(farm)).toEqual(['post-0001.key.pending']);
    await farm.run({ ...gpu, places: [join(farm.disk, 'more')], count: 2 });
    expect(written(farm).init?.jobs.slice(2)).toMatchObject([
      { name: 'post-0002-init', device: '0' },
      { name: 'post-0003-init', device: '1' },
    ]);
    const compose = readFileSync(join(farm.directory, 'compose.yaml'), 'utf8');
    expect(compose).toContain('-fromFile');
    const other = await refusal(
      farm.run({ places: [join(farm.disk, 'x')], gpu: 'amd', devices: [], cpu: false }),
    );
    expect(other).toMatchObject({ code: 'other-vendor', exitCode: 3 });
  });
});

describe.skipIf(!canMount())('disks (skipped where this process may not mount)', () => {
  it('get folders named after the identities, with what fits beside a reserve and what is planned', async () => {
    const farm = scene({ labelsPerUnit: 2 ** 20, maxUnits: 1000 });
    mountDisk(farm.disk, '2g');
    // 16 MiB a unit; 1 GiB stays free.
    await farm.run({ places: [farm.disk], units: undefined });
    expect(written(farm).init?.jobs).toMatchObject([{ data: join(farm.disk, 'post-0001'), units: 64 }]);
    const full = await refusal(farm.run({ places: [farm.disk], units: 2 }));
    expect(full).toMatchObject({ code: 'no-room', exitCode: 3 });
    expect(full.text).toContain('planned for other jobs');
    expect(readdirSync(farm.disk)).toEqual(['post-0001']);
  });

  it('share their room among all that are named on them, whole or in parts', async () => {
    const farm = scene({ labelsPerUnit: 2 ** 20, maxUnits: 1000 });
    mountDisk(farm.disk, '2g');
    const gpu = {
      gpu: 'nvidia',
      devices: ['0', '1'],
      split: true,
      cpu: false,
      maxFileSize: 2 ** 20,
    } as const;
    await farm.run({
      ...gpu,
      places: [join(farm.disk, 'a'), join(farm.disk, 'b')],
      units: undefined,
    });
    // Joining renames, so parts take no room twice.
    expect(written(farm).init?.jobs.map(({ units }) => units)).toEqual([32, 32, 32, 32]);
  });

  it('S12: a read-only one is refused, and nothing is changed', async () => {
    const farm = scene();
    mountDisk(farm.disk, '1g');
    execFileSync('mount', ['-o', 'remount,ro', farm.disk]);
    const before = describeTree(farm.directory);
    const refused = await refusal(farm.run({ places: [farm.disk] }));
    expect(refused).toMatchObject({ code: 'read-only', exitCode: 3 });
    expect(refused.text).toContain('remount,rw');
    expect(describeTree(farm.directory, { ignore: ['.smesh'] })).toEqual(before);
  });

  it('S12: one that says nothing of it and cannot be written is found out by writing', async () => {
    const farm = scene({ labelsPerUnit: 64 });
    mountDisk(join(farm.root, 'other'), '4k');
    const full = join(farm.root, 'other');
    writeFileSync(join(full, '.fill'), Buffer.alloc(4096));
    const refused = await refusal(farm.run({ places: [join(full, 'a')] }));
    expect(refused.code).toBe('no-room');
  });

  it('one disk under two names is one', async () => {
    const farm = scene();
    mountDisk(farm.disk, '1g');
    mkdirSync(join(farm.disk, 'post'));
    execFileSync('ln', ['-s', farm.disk, join(farm.root, 'link')]);
    const places = [join(farm.disk, 'post'), join(farm.root, 'link/post')];
    expect(await refusal(farm.run({ places }))).toMatchObject({ code: 'place-twice' });
  });
});

describe('data that was begun', () => {
  const unfinished = (path: string, extra: Parameters<typeof makePostDirectory>[1] = {}) =>
    makePostDirectory(path, {
      network: 'standalone',
      maxFileSize: 1024,
      without: [1],
      nonce: false,
      ...extra,
    });

  it('S3: is gone on with in the flags that its metadata tells, under one job', async () => {
    const farm = scene();
    const { smesherId } = unfinished(join(farm.disk, 'half'));
    await farm.run({ places: [join(farm.disk, 'half')], units: undefined, resume: true });
    expect(written(farm).init?.jobs).toEqual([
      {
        ...{ id: smesherId, name: 'post-0001-init', identity: 'post-0001', data: join(farm.disk, 'half') },
        ...{ units: 2, commitmentAtx: '07'.repeat(32), maxFileSize: 1024 },
      },
    ]);
    // Its key lies beside the data, where it is found again.
    expect(keysOf(farm)).toEqual([]);
    expect(farm.said.notes.join('\n')).toContain(`its key is there: ${join(farm.disk, 'half/identity.key')}`);
    // The node's folder is not there yet, which is no fault.
    expect(farm.said.warnings.join('\n')).not.toContain('Not in it');
  });

  it('is not left to plain Compose with a file that ends in the middle of a label', async () => {
    const farm = scene();
    const half = join(farm.disk, 'half');
    unfinished(half, { without: [] });
    truncateSync(join(half, 'postdata_1.bin'), 1000);
    const told = { places: [half], units: undefined, resume: true };
    const refused = await refusal(farm.run(told));
    expect(refused).toMatchObject({ code: 'odd-size', exitCode: 5 });
    expect(refused.text).toContain(`smesh-compose post init --resume ${half} --repair`);
    await farm.run({ ...told, noStart: false });
    await farm.run(told);
    expect(farm.said.warnings.join('\n')).toContain('post-0001-init:');
  });

  it('makes the project on the way where there is none, of the network that the data is of', async () => {
    const farm = scene();
    rmSync(join(farm.directory, 'smesh.yaml'));
    const half = join(farm.disk, 'half');
    makePostDirectory(half, { without: [63], maxFileSize: 2 ** 32, nonce: false });
    const settings = {
      keys: [],
      ignore: [],
      repairKeys: false,
      dryRun: false,
      force: false,
      coinbase: COINBASE,
    };
    await farm.run({ places: [half], units: undefined, resume: true, settings });
    expect(written(farm)).toMatchObject({
      network: 'mainnet',
      identities: [],
      init: { jobs: [{ units: 4 }] },
    });
  });

  it('S4: a file that is missing in the middle is written again', async () => {
    const farm = scene({ maxUnits: 4 });
    unfinished(join(farm.disk, 'gap'), { units: 4, without: [1] });
    await farm.run({ places: [join(farm.disk, 'gap')], units: undefined });
    expect(written(farm).init?.jobs).toHaveLength(1);
  });

  it('S7: brings its key along from where it is said to be, and is refused without one', async () => {
    const farm = scene();
    const identity = makeIdentity();
    const half = join(farm.disk, 'half');
    unfinished(half, { identity, key: 'none' });
    const before = describeTree(farm.root);
    expect(await refusal(farm.run({ places: [half], units: undefined }))).toMatchObject({
      code: 'key-missing',
      exitCode: 3,
    });
    expect(describeTree(farm.root, { ignore: ['farm/.smesh'] })).toEqual(before);
    const keys = join(farm.root, 'keys');
    mkdirSync(keys);
    writeFileSync(join(keys, 'old.key'), identity.keyFile, { mode: 0o600 });
    await farm.run({ places: [half], units: undefined, keys: [keys] });
    expect(keysOf(farm)).toEqual(['post-0001.key.pending']);
    expect(readFileSync(join(farm.directory, 'node-data/identities/post-0001.key.pending'), 'utf8')).toBe(
      identity.keyFile,
    );
  });

  it('S6, S8: is refused with a key of others, or one that is none; a line break behind it is mended in the copy', async () => {
    const farm = scene();
    const identity = makeIdentity();
    const half = join(farm.disk, 'half');
    const other = makeIdentity();
    unfinished(half, { identity, keyContent: other.keyFile });
    const foreign = await refusal(farm.run({ places: [half], units: undefined }));
    expect(foreign.code).toBe('key-missing');
    expect(foreign.text).toContain(`the key of ${other.smesherId.slice(0, 8)}`);
    writeFileSync(join(half, 'identity.key'), identity.keyFile.slice(0, 100));
    const cut = await refusal(farm.run({ places: [half], units: undefined }));
    expect(cut.text).toContain('invalid key size 50/64');
    expect(cut.text).not.toContain(identity.keyFile.slice(0, 16));
    writeFileSync(join(half, 'identity.key'), `${identity.keyFile}\n`, { mode: 0o644 });
    await farm.run({ places: [half], units: undefined });
    const copy = join(farm.directory, 'node-data/identities/post-0001.key.pending');
    expect(readFileSync(copy, 'utf8')).toBe(identity.keyFile);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  it.each([
    [1, 'fewer-units', 'postcli would delete'],
    [3, 'more-units', 'cannot grow'],
  ])('is refused with --units %s', async (units, code, words) => {
    const farm = scene();
    const half = join(farm.disk, 'half');
    unfinished(half);
    const before = describeTree(farm.root);
    const refused = await refusal(farm.run({ places: [half], units }));
    expect(refused).toMatchObject({ code, exitCode: 5 });
    expect(refused.text).toContain(words);
    // The same once it is a job.
    expect(describeTree(farm.root, { ignore: ['farm/.smesh'] })).toEqual(before);
    await farm.run({ places: [half], units: 2 });
    expect(await refusal(farm.run({ places: [half], units }))).toMatchObject({ code, exitCode: 5 });
  });

  it('wins over flags that say something else, and that is said', async () => {
    const farm = scene();
    const half = join(farm.disk, 'half');
    unfinished(half);
    await farm.run({ places: [half], commitment: 'ab'.repeat(32), maxFileSize: 4096 });
    expect(farm.said.warnings.join('\n')).toContain('Passed over: --commitment, --max-file-size.');
    expect(written(farm).init?.jobs[0]).toMatchObject({ commitmentAtx: '07'.repeat(32), maxFileSize: 1024 });
  });

  it('S4: of a served identity is refused, with what to type', async () => {
    const farm = scene();
    const half = join(farm.disk, 'half');
    const { smesherId } = unfinished(half);
    const file = join(farm.directory, 'smesh.yaml');
    const serve = (other: string) =>
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace(
          /^identities:.*(\n {2}.*)*/m,
          `identities:\n  - {id: '${smesherId}', name: post-0001, data: ${half}}${other}`,
        ),
      );
    serve('');
    const alone = await refusal(farm.run({ places: [half], units: undefined }));
    expect(alone).toMatchObject({ code: 'identity-served', exitCode: 5 });
    expect(alone.text).toContain(`-datadir ${half} -numUnits 2 -maxFileSize 1024`);
    serve(`\n  - {id: '${makeIdentity().smesherId}', name: post-0002, data: /nowhere}`);
    const beside = await refusal(farm.run({ places: [half], units: undefined }));
    expect(beside.text).toContain('smesh-compose remove post-0001');
  });

  it('is refused when it is complete, of another network, or would be made twice', async () => {
    const farm = scene();
    const identity = makeIdentity();
    const at = (name: string) => join(farm.disk, name);
    const whole = makePostDirectory(at('whole'), { network: 'standalone' });
    unfinished(at('testnet'), { network: 'testnet', maxFileSize: 4096 });
    unfinished(at('one'), { identity });
    unfinished(at('two'), { identity });
    const code = async (...names: string[]) =>
      (await refusal(farm.run({ places: names.map(at), units: undefined }))).code;
    expect(await code('whole')).toBe('data-complete');
    const file = join(farm.directory, 'smesh.yaml');
    const before = readFileSync(file, 'utf8');
    const served = `identities:\n  - {id: '${whole.smesherId}', name: post-0007, data: ${at('whole')}}`;
    writeFileSync(file, before.replace('identities: []', served));
    expect((await farm.run({ places: [at('whole')] })).names).toEqual([]);
    expect(farm.said.notes.join()).toContain('in the project as post-0007. Nothing was changed');
    writeFileSync(file, before);
    expect(await code('testnet')).toBe('other-network');
    expect(await code('one', 'two')).toBe('duplicate-identity');
    expect(await code('one', 'new')).toBe('mixed-places');
    await farm.run({ places: [at('one')], units: undefined });
    expect(await code('two')).toBe('duplicate-identity');
  });
});
