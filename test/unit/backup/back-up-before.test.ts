import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { backUpBefore } from '../../../src/usecases/backup/back-up-before.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor, listTar, makeFarm, projectIn } from './support/farm.ts';

const RECIPIENT = 'age1hvt75gsf2kv9se6mgrkdvqnfcm0rky4x4y8eqpe02lxw8yx84u3q6a9qcx';

describe('backUpBefore', () => {
  it('without recipients makes a plain archive without any key, of a database that is being written', async () => {
    const root = tempFolder('before');
    const farm = makeFarm(root, { override: 'services: {}\n', retired: true, lease: true });
    const { context, said } = contextFor(farm.directory);
    const started = performance.now();
    const made = await backUpBefore(context, await projectIn(context), 'upgrade');
    expect(performance.now() - started).toBeLessThan(3000);
    expect(made).toEqual({
      withKeys: false,
      paths: [join(farm.directory, '.smesh/backups/farm-20261116T120000Z-upgrade.smesh-backup.tar')],
    });
    const [path = ''] = made.paths;
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const [first, second] = farm.identities;
    expect(listTar(path)).toEqual([
      'contents.json',
      'project/smesh.yaml',
      'project/compose.yaml',
      'project/node/config.json',
      'project/compose.override.yaml',
      'project/.smesh/history',
      'node-data/identities/post-0001.lease',
      'node-data/identities/post-0002.lease',
      'node-data/local.sql',
      'node-data/genesis.json',
      `post/${first?.smesherId}/postdata_metadata.json`,
      `post/${second?.smesherId}/postdata_metadata.json`,
      'contents.sha256',
    ]);
    const bytes = readFileSync(path, 'latin1');
    for (const { keyFile } of farm.identities) expect(bytes).not.toContain(keyFile.slice(0, 64));
    expect(said.notes.join()).toContain('without private keys');
    expect(readdirSync(join(farm.directory, '.smesh/journal'))).toEqual(['backups-made']);
    expect(readdirSync(join(farm.directory, '.smesh')).sort()).toEqual([
      'backups',
      'history',
      'journal',
      'retired',
    ]);
  });

  it('with recipients it has the keys in it, encrypted, in every destination', async () => {
    const root = tempFolder('before');
    const farm = makeFarm(root, {
      settings: `backup: {recipients: [${RECIPIENT}], to: [${root}/one, ${root}/two]}`,
    });
    const { context } = contextFor(farm.directory);
    const made = await backUpBefore(context, await projectIn(context), 'keys');
    expect(made.withKeys).toBe(true);
    expect(made.paths.map((path) => path.slice(root.length))).toEqual([
      '/one/farm-20261116T120000Z-keys.smesh-backup.age',
      '/two/farm-20261116T120000Z-keys.smesh-backup.age',
    ]);
    const [one, two] = made.paths.map((path) => readFileSync(path));
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
    expect(one?.toString('latin1')).toMatch(/^age-encryption\.org\/v1\n-> X25519 /);
    expect(one?.toString('latin1')).not.toContain(farm.identities[0]?.keyFile.slice(0, 64));
  });

  it('two within a second are two files; a destination that fails is said; all failing stops what was to follow', async () => {
    const root = tempFolder('before');
    const farm = makeFarm(root, { settings: `backup: {to: [${root}/file, ${root}/two], keep: 2}` });
    writeFileSync(join(root, 'file'), '');
    const { context, said } = contextFor(farm.directory);
    const project = await projectIn(context);
    for (let turn = 0; turn < 3; turn += 1) await backUpBefore(context, project, 'poet-switch');
    expect(said.warnings[0]).toContain(`No backup in ${root}/file`);
    expect(readdirSync(join(root, 'two')).sort()).toEqual([
      'farm-20261116T120000Z-poet-switch-2.smesh-backup.tar',
      'farm-20261116T120000Z-poet-switch-3.smesh-backup.tar',
    ]);
    rmSync(join(root, 'two'), { recursive: true });
    writeFileSync(join(root, 'two'), '');
    await expect(backUpBefore(context, project, 'poet-switch')).rejects.toMatchObject({
      code: 'no-backup',
      exitCode: 3,
      message: expect.stringContaining('it was not begun'),
    });
  });

  it('a full disk is said, and leaves nothing', async () => {
    const root = tempFolder('full');
    const farm = makeFarm(root);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      path: `${farm.directory}/.smesh/backups/x`,
    });
    const files = { ...nodeFiles, writeNewFrom: () => Promise.reject(full) };
    const { context } = contextFor(farm.directory, { files });
    await expect(backUpBefore(context, await projectIn(context), 'keys')).rejects.toMatchObject({
      code: 'no-backup',
      details: [expect.stringContaining('no space is left on the device')],
    });
    expect(readdirSync(join(farm.directory, '.smesh/backups'))).toEqual([]);
  });

  it('takes the folders of other nodes that are about to change', async () => {
    const root = tempFolder('also');
    const farm = makeFarm(root);
    const other = join(root, 'old-node');
    mkdirSync(join(other, 'identities'), { recursive: true });
    writeFileSync(join(other, 'identities/local.key'), farm.identities[0]?.keyFile ?? '');
    writeFileSync(join(other, 'local.sql'), 'damaged');
    const { context, said } = contextFor(farm.directory);
    const { paths } = await backUpBefore(context, await projectIn(context), 'merge', { also: [other] });
    expect(listTar(paths[0] ?? '')).toContain('other-node-1/local.sql');
    expect(listTar(paths[0] ?? '').some((name) => name.endsWith('.key'))).toBe(false);
    expect(said.warnings.join()).toContain('goes into the backup as it is');
  });

  it('lists what is on a disk that is away or a share that is dead, and saves the rest', async () => {
    const root = tempFolder('away');
    const farm = makeFarm(root, { identities: 3 });
    rmSync(join(root, 'disk2'), { recursive: true });
    const dead = join(root, 'disk3');
    const never = new Promise<never>(() => {});
    const files = {
      ...nodeFiles,
      facts: (path: string, follow?: 'follow' | 'nofollow') =>
        path.startsWith(dead) ? never : nodeFiles.facts(path, follow),
      realPath: (path: string) => (path.startsWith(dead) ? never : nodeFiles.realPath(path)),
    };
    const { context } = contextFor(farm.directory, { files });
    // Long enough for every disk that does answer, on a busy machine, too.
    const soon = () => new Promise<void>((resolve) => void setTimeout(resolve, 1500));
    const impatient = { ...context, clock: { ...context.clock, sleep: soon } };
    const { paths } = await backUpBefore(impatient, await projectIn(context), 'upgrade');
    const contents = execFileSync('tar', ['-xOf', paths[0] ?? '', 'contents.json'], { encoding: 'utf8' });
    expect(JSON.parse(contents).missing).toEqual([
      { path: join(root, 'disk2/post'), why: expect.stringContaining('is its disk mounted?') },
      { path: join(root, 'disk3/post'), why: expect.stringContaining('did not answer') },
    ]);
    expect(listTar(paths[0] ?? '').filter((name) => name.startsWith('post/'))).toHaveLength(1);
  });

  it('takes every directory, also where several jobs fill some for one identity', async () => {
    const root = tempFolder('jobs');
    const job = (name: string, from: number) =>
      `    - {id: '${'ab'.repeat(32)}', name: ${name}, data: ${root}/new-${from}, into: ${root}/new, units: 4, fromFile: ${from}, toFile: ${from === 0 ? 9 : 63}, commitmentAtx: '${'cd'.repeat(32)}'}`;
    const farm = makeFarm(root, {
      settings: `backup: {recipients: [${RECIPIENT}]}\ninit:\n  gpu: nvidia\n  jobs:\n${job('init-1', 0)}\n${job('init-2', 10)}`,
    });
    for (const from of [0, 10]) {
      mkdirSync(join(root, `new-${from}`));
      writeFileSync(join(root, `new-${from}`, 'identity.key'), farm.identities[0]?.keyFile ?? '');
    }
    const { context } = contextFor(farm.directory);
    expect((await backUpBefore(context, await projectIn(context), 'keys')).paths).toHaveLength(1);
  });
});
