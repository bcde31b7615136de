import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { decideRestore, type RestoreFacts } from '../../../src/domain/backup/decide-restore.ts';
import { tarHeader } from '../../../src/domain/doctor/tar.ts';
import { ownPoetKeyFile } from '../../../src/domain/poet/own-poet.ts';
import { backUpBefore } from '../../../src/usecases/backup/back-up-before.ts';
import { createBackup } from '../../../src/usecases/backup/create.ts';
import { readBackup } from '../../../src/usecases/backup/open.ts';
import { restoreBackup } from '../../../src/usecases/backup/restore/restore.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor, type FarmOptions, listTar, makeFarm, NOW, projectIn } from './support/farm.ts';
import { treeOf } from './support/watch.ts';

/** A farm with an age key of its own, and what is typed to make and restore backups of it. */
async function scene(options: FarmOptions & { readonly keep?: number; readonly to?: string } = {}) {
  const root = tempFolder('loss');
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  writeFileSync(join(root, 'age.key'), `${identity}\n`, { mode: 0o600 });
  const { keep, to = `[${root}/backups]`, ...rest } = options;
  const settings = `backup: {to: ${to.replaceAll('ROOT', root)}, recipients: [${recipient}]${keep === undefined ? '' : `, keep: ${keep}`}}\n${rest.settings?.replaceAll('ROOT', root) ?? ''}`;
  const farm = makeFarm(root, { ...rest, settings });
  const request = (file: string) => ({
    file,
    ageKey: join(root, 'age.key'),
    withOldLocalSql: false,
    dryRun: false,
  });
  return { root, farm, request };
}

async function create(context: Context, dryRun = false): Promise<number> {
  return createBackup(context, await projectIn(context), {
    recipients: [],
    withoutKeys: false,
    withState: false,
    dryRun,
  });
}

const minutes = (count: number) => NOW + count * 60_000;

const automatic = async (context: Context) =>
  (await backUpBefore(context, await projectIn(context), 'upgrade')).paths;

describe('the key of the project’s own PoET service', () => {
  it('is in an encrypted backup only, and comes back as it was', async () => {
    const { root, farm, request } = await scene({ settings: 'poet: {serve: {data: ROOT/poet}}' });
    const content = ownPoetKeyFile(new Uint8Array(32).fill(7), new Uint8Array(32).fill(9));
    mkdirSync(join(root, 'poet'));
    writeFileSync(join(root, 'poet/poet.env'), content, { mode: 0o600 });
    const { context } = contextFor(farm.directory);
    await createBackup(context, await projectIn(context), {
      recipients: [],
      withoutKeys: true,
      withState: false,
      to: join(root, 'plain'),
      dryRun: false,
    });
    const [plain = ''] = readdirSync(join(root, 'plain'));
    expect(listTar(join(root, 'plain', plain)).join()).not.toContain('poet');
    const [file = ''] = await automatic(context);
    farm.database.close();
    for (const place of [farm.directory, join(root, 'poet')]) rmSync(place, { recursive: true });
    expect(await restoreBackup(context, request(file))).toBe(0);
    expect(readFileSync(join(root, 'poet/poet.env'), 'utf8')).toBe(content);
    expect(statSync(join(root, 'poet/poet.env')).mode & 0o777).toBe(0o600);
    // As Compose mounts them: it would make them as root.
    expect(readdirSync(join(root, 'poet')).sort()).toEqual(['data', 'db', 'logs', 'poet.env']);
    // Another one is another server.
    const other = ownPoetKeyFile(new Uint8Array(32).fill(8), new Uint8Array(32).fill(8));
    writeFileSync(join(root, 'poet/poet.env'), other);
    await expect(restoreBackup(context, request(file))).rejects.toMatchObject({
      code: 'newer-state',
      details: [expect.stringContaining('poet.env is not the one in the backup')],
    });
    expect(readFileSync(join(root, 'poet/poet.env'), 'utf8')).toBe(other);
  });
});

describe('retention', () => {
  it('never removes the one that was just made, when the clock has gone backwards', async () => {
    const { farm } = await scene({ keep: 1 });
    const ahead = contextFor(farm.directory, { now: minutes(1_000_000) });
    await automatic(ahead.context);
    for (const minute of [1, 2, 3]) {
      const [path = ''] = await automatic(contextFor(farm.directory, { now: minutes(minute) }).context);
      expect(existsSync(path), path).toBe(true);
      expect(readdirSync(join(path, '..'))).toEqual([basename(path)]);
    }
  });

  it('leaves what another project of the same name, on another host, has put there', async () => {
    const { root, farm } = await scene({ keep: 1 });
    const foreign = join(root, 'backups/farm-20261101T000000Z-upgrade.smesh-backup.age');
    mkdirSync(join(root, 'backups'));
    writeFileSync(foreign, 'of another host');
    for (const minute of [1, 2])
      await automatic(contextFor(farm.directory, { now: minutes(minute) }).context);
    expect(existsSync(foreign)).toBe(true);
    expect(readdirSync(join(root, 'backups'))).toHaveLength(2);
  });

  it('removes none for one in which keys are missing', async () => {
    const { root, farm } = await scene({ keep: 1, keysBesideData: false });
    await create(contextFor(farm.directory, { now: minutes(1) }).context);
    rmSync(join(farm.directory, 'node-data/identities/post-0002.key'));
    const second = contextFor(farm.directory, { now: minutes(2) });
    expect(await create(second.context)).toBe(3);
    expect(second.said.warnings.join('\n')).toMatch(/post-0002.*no private key/);
    expect(readdirSync(join(root, 'backups'))).toHaveLength(2);
    rmSync(join(farm.directory, 'node-data'), { recursive: true });
    const third = contextFor(farm.directory, { now: minutes(3) });
    await automatic(third.context);
    expect(third.said.warnings.join('\n')).toMatch(/node-data.*is its disk mounted/);
    expect(readdirSync(join(root, 'backups'))).toHaveLength(3);
  });

  it('spares the backup that is being restored', async () => {
    const { farm, request } = await scene({ keep: 1 });
    const { context } = contextFor(farm.directory);
    const [file = ''] = await automatic(context);
    farm.database.close();
    for (const name of ['identities/post-0002.key', 'local.sql'])
      rmSync(join(farm.directory, 'node-data', name));
    for (const name of ['local.sql-wal', 'local.sql-shm'])
      rmSync(join(farm.directory, 'node-data', name), { force: true });
    const later = contextFor(farm.directory, { now: minutes(1) });
    expect(await restoreBackup(later.context, request(file))).toBe(0);
    expect(existsSync(file)).toBe(true);
    expect(existsSync(join(farm.directory, 'node-data/local.sql'))).toBe(true);
  });
});

describe('destinations', () => {
  it('that are one folder under two names count once', async () => {
    const { root, farm } = await scene({ keep: 1, to: '[ROOT/one, ROOT/two]' });
    mkdirSync(join(root, 'one'));
    symlinkSync(join(root, 'one'), join(root, 'two'));
    const { context, said } = contextFor(farm.directory);
    expect(await create(context)).toBe(3);
    expect(said.warnings.join('\n')).toContain(`${root}/two: it is the same folder as ${root}/one`);
    expect(readdirSync(join(root, 'one'))).toHaveLength(1);
  });

  it('that lead into a PoST directory by a link are refused', async () => {
    const { root, farm } = await scene({ to: '[ROOT/one]' });
    symlinkSync(join(root, 'disk1/post'), join(root, 'one'));
    const tree = treeOf(join(root, 'disk1'));
    await expect(create(contextFor(farm.directory).context)).rejects.toMatchObject({ exitCode: 3 });
    expect(treeOf(join(root, 'disk1'))).toEqual(tree);
  });

  it('that do not answer are given up, and the others get it', async () => {
    const { root, farm } = await scene({ to: '[ROOT/dead, ROOT/two]' });
    const never = new Promise<never>(() => {});
    const dead = (path: string) => path.startsWith(join(root, 'dead'));
    const files = {
      ...nodeFiles,
      facts: (path: string, follow?: 'follow' | 'nofollow') =>
        dead(path) ? never : nodeFiles.facts(path, follow),
      makeDirectory: (path: string, own?: object) =>
        dead(path) ? never : nodeFiles.makeDirectory(path, own),
      realPath: (path: string) => (dead(path) ? never : nodeFiles.realPath(path)),
    };
    const { context } = contextFor(farm.directory, { files });
    const soon = () => new Promise<void>((resolve) => void setTimeout(resolve, 300));
    const paths = await automatic({ ...context, clock: { ...context.clock, sleep: soon } });
    expect(paths.map((path) => path.slice(root.length, root.length + 5))).toEqual(['/two/']);
  });

  it('that others write to at the same time keep what these are writing', async () => {
    const { root, farm } = await scene();
    mkdirSync(join(root, 'backups'));
    const theirs = join(root, 'backups/.smesh-farm-20261116T120000Z-keys.smesh-backup.age.0123456789ab.tmp');
    writeFileSync(theirs, 'half of it');
    await automatic(contextFor(farm.directory).context);
    expect(existsSync(theirs)).toBe(true);
  });
});

describe('restore', () => {
  it('puts no local.sql beside what another one has left in its -wal', async () => {
    const { farm, request } = await scene();
    const { context } = contextFor(farm.directory);
    const [file = ''] = await automatic(context);
    // Still open: its -wal has rows.
    expect(statSync(join(farm.directory, 'node-data/local.sql-wal')).size).toBeGreaterThan(0);
    rmSync(join(farm.directory, 'node-data/local.sql'));
    const tree = treeOf(farm.directory);
    await expect(restoreBackup(context, request(file))).rejects.toMatchObject({
      code: 'newer-state',
      details: [expect.stringContaining('local.sql-wal')],
    });
    expect(treeOf(farm.directory)).toEqual(tree);
  });

  it('and a dry run change nothing, not even for a moment what a backup beside them has staged', async () => {
    const { root, farm, request } = await scene();
    const { context } = contextFor(farm.directory);
    const [file = ''] = await automatic(context);
    const staging = join(farm.directory, '.smesh/journal/.smesh-backup.staging.tmp');
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, 'copy'), 'of the other');
    rmSync(join(farm.directory, 'node-data/identities/post-0002.key'));
    const tree = treeOf(root);
    expect(await restoreBackup(context, { ...request(file), dryRun: true })).toBe(0);
    expect(treeOf(root)).toEqual(tree);
    expect(await create(context, true)).toBe(0);
    expect(treeOf(root)).toEqual(tree);
  });

  it('writes smesh.yaml after the keys: without it no other command starts anything', async () => {
    const { farm, request } = await scene({ keysBesideData: false });
    const { context } = contextFor(farm.directory);
    const [file = ''] = await automatic(context);
    farm.database.close();
    rmSync(farm.directory, { recursive: true });
    const files = {
      ...nodeFiles,
      writeNew: (path: string, ...rest: [string | Uint8Array, object?]) =>
        path.endsWith('post-0002.key')
          ? Promise.reject(new Error('killed'))
          : nodeFiles.writeNew(path, ...rest),
    };
    const killed = contextFor(farm.directory, { files });
    await expect(restoreBackup(killed.context, request(file))).rejects.toThrow('killed');
    expect(existsSync(join(farm.directory, 'smesh.yaml'))).toBe(false);
    expect(await restoreBackup(context, request(file))).toBe(0);
    expect(existsSync(join(farm.directory, 'smesh.yaml'))).toBe(true);
  });
});

describe('a backup that somebody has made up', () => {
  const entry = (path: string, origin: string, size: number, kind = 'project') => ({
    path,
    kind,
    origin,
    size,
    mode: 0o644,
    sha256: '0'.repeat(64),
    secret: false,
  });
  const refused = async (entries: readonly object[]) => {
    const root = tempFolder('made-up');
    const { directory } = makeFarm(root);
    const { context } = contextFor(directory);
    const [file = ''] = await automatic(context);
    const plain = readFileSync(file);
    const size = Number.parseInt(plain.toString('latin1', 124, 135), 8);
    const contents = JSON.parse(plain.toString('utf8', 512, 512 + size));
    const list = Buffer.from(JSON.stringify({ ...contents, entries }));
    const [first] = entries as readonly { readonly path: string; readonly size: number }[];
    const padding = Buffer.alloc((512 - (list.length % 512)) % 512);
    const head = tarHeader('contents.json', list.length, 0);
    const rest = first === undefined ? Buffer.alloc(0) : tarHeader(first.path, first.size, 0);
    writeFileSync(join(root, 'bad'), Buffer.concat([head, list, padding, rest, Buffer.alloc(4096)]));
    return readBackup(context, join(root, 'bad'), undefined, async () => {}).then(
      () => 'taken',
      ({ message }) => message as string,
    );
  };

  it('is refused where it names one place twice, or would fill the memory', async () => {
    const twice = ['a', 'b'].map((path) => entry(path, '/srv/farm/smesh.yaml', 0));
    expect(await refused(twice)).toContain('names something twice');
    expect(await refused([entry('a', '/srv/farm/.env', 2 ** 40)])).toContain('much too large');
    // Of a database any size may be true; there is not so much in the file.
    expect(await refused([entry('a', '/srv/n/local.sql', 2 ** 40, 'database')])).toContain('ends too early');
  });
});

it('state.sql-wal is not put beside a state.sql that stays', async () => {
  const state = (name: string, present: 'other' | 'absent') => ({
    entry: { kind: 'state', path: `node-data/${name}`, origin: `/n/${name}` },
    target: `/n/${name}`,
    present,
  });
  const decision = decideRestore({
    contents: { entries: [], identities: [] },
    items: [state('state.sql', 'other'), state('state.sql-wal', 'absent')],
    keys: [],
    hasDatabase: false,
    strayJournals: [],
    database: { kind: 'current' },
    withOldLocalSql: false,
  } as unknown as RestoreFacts);
  expect(decision.put).toEqual([]);
});

it('a backup is as old as the copy of its database, however long the rest takes', async () => {
  const { farm } = await scene();
  const { context } = contextFor(farm.directory);
  let now = NOW;
  const slow = { ...context, clock: { ...context.clock, now: () => (now += 60_000) } };
  const [path = ''] = await automatic(slow);
  expect(basename(path)).toContain('20261116T120100Z');
});

it('an old local.sql is judged by the PoETs of today, too: with an earlier phase publishing began earlier', async () => {
  const { farm, request } = await scene();
  const { context } = contextFor(farm.directory);
  const [file = ''] = await automatic(context);
  farm.database.close();
  rmSync(join(farm.directory, 'node-data/local.sql'));
  const path = join(farm.directory, 'smesh.yaml');
  writeFileSync(path, `${readFileSync(path, 'utf8')}poet: {phaseShift: 120h}\n`);
  // Gap 87 opens on 22 November by the backup's, on 17 November by today's.
  const { context: later, said } = contextFor(farm.directory, { now: NOW + 3 * 24 * 60 * 60_000 });
  expect(await restoreBackup(later, request(file))).toBe(0);
  expect(existsSync(join(farm.directory, 'node-data/local.sql'))).toBe(false);
  expect(said.warnings.join('\n')).toContain('local.sql was not put back');
});
