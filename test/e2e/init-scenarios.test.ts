import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { keyFilesIn, makeIdentity } from '../helpers/keys.ts';
import { builtCli } from '../helpers/places.ts';
import { makePostDirectory, type PostDirectory } from '../helpers/post-data.ts';
import { keys, startCli } from '../helpers/pty.ts';
import { type CliRun, runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { describeTree } from '../helpers/tree.ts';
import { makeLocalDatabase } from './support/local-database.ts';
import { COINBASE, composeServices } from './support/project.ts';

interface Scene {
  readonly base: string;
  readonly data: string;
  readonly project: string;
}

function setScene(): Scene {
  const base = tempFolder('scenario');
  const [data, project] = [join(base, 'mnt'), join(base, 'project')];
  mkdirSync(data);
  mkdirSync(project);
  return { base, data, project };
}

const init = ({ data, project }: Scene, ...more: string[]): Promise<CliRun> =>
  runCli(['init', '--yes', '--data', data, '--coinbase', COINBASE, ...more], { cwd: project });

async function initialised(scene: Scene, ...more: string[]): Promise<CliRun> {
  const run = await init(scene, ...more);
  expect(run).toMatchObject({ code: 0 });
  return run;
}

const installed = (project: string) => join(project, 'node-data/identities');
const names = (scene: Scene) => composeServices(scene.project).slice(1);
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

async function expectRefusal(
  scene: Scene,
  run: Promise<CliRun>,
  wanted: { readonly code: number; readonly says: readonly (string | RegExp)[] },
): Promise<void> {
  const before = describeTree(scene.base);
  const { code, stderr, stdout } = await run;
  expect({ code, stdout, stderr }).toMatchObject({ code: wanted.code });
  for (const text of wanted.says) expect(stderr).toMatch(text);
  expect(stderr).not.toContain('bug in smesh-compose');
  expect(describeTree(scene.base)).toEqual(before);
}

describe('init on what smeshers have', () => {
  it('S1: ten directories on five disks: one node, ten post-services, nothing is started', async () => {
    const scene = setScene();
    for (let number = 1; number <= 10; number += 1) {
      const disk = Math.ceil(number / 2);
      makePostDirectory(join(scene.data, `d${disk}/post${String(number).padStart(2, '0')}`), {
        units: 4 + number,
      });
    }
    const before = describeTree(scene.data);
    await initialised(scene);
    expect(composeServices(scene.project)).toEqual([
      'node',
      ...Array.from({ length: 10 }, (_, index) => `post-${String(index + 1).padStart(4, '0')}`),
    ]);
    expect(keyFilesIn(installed(scene.project))).toHaveLength(10);
    expect(describeTree(scene.data)).toEqual(before);
    const containers = execFileSync('docker', [
      'ps',
      '-aq',
      '--filter',
      `label=com.docker.compose.project.working_dir=${scene.project}`,
    ]);
    expect(containers.toString()).toBe('');
  });

  it('S2: one identity in two directories is refused, both are named; --ignore helps, --force does not', async () => {
    const scene = setScene();
    const original = makePostDirectory(join(scene.data, 'd1/post01'));
    makePostDirectory(join(scene.data, 'd2/copy'), { identity: original });
    makePostDirectory(join(scene.data, 'd3/post03'));
    const says = [/d1\/post01/, /d2\/copy/, /--ignore/];
    await expectRefusal(scene, init(scene), { code: 5, says });
    await expectRefusal(scene, init(scene, '--force'), { code: 5, says });
    await initialised(scene, '--ignore', join(scene.data, 'd2/copy'));
    expect(names(scene)).toHaveLength(2);
    // A copy that turns up later is refused as well, and so is one behind a link.
    await expectRefusal(scene, runCli(['add', join(scene.data, 'd2/copy')], { cwd: scene.project }), {
      code: 5,
      says,
    });
  });

  it.each([
    ['S3', 'half-initialised', { maxFileSize: 2 ** 36, without: [3] }, 'incomplete'],
    ['S4', 'with a gap', { maxFileSize: 2 ** 36, without: [1] }, 'damaged|incomplete'],
    ['S5', 'without a nonce', { nonce: false }, 'incomplete|damaged|split-part'],
    ['S7', 'without a key', { key: 'none' }, 'key-missing'],
    ['S11', 'of another network', { network: 'standalone' }, 'made for another network'],
  ] as const)(
    '%s: a directory %s never gets into the Compose file; the next step is in words',
    async (_, __, options, why) => {
      const scene = setScene();
      makePostDirectory(join(scene.data, 'good'));
      makePostDirectory(join(scene.data, 'good2'));
      makePostDirectory(join(scene.data, 'blocked'), options);
      const run = await initialised(scene, '--network', 'mainnet');
      expect(names(scene)).toHaveLength(2);
      expect(readFileSync(join(scene.project, 'compose.yaml'), 'utf8')).not.toContain('blocked');
      expect(run.stderr).toMatch(new RegExp(`blocked: .*(${why}).*`));
      expect(keyFilesIn(installed(scene.project))).toHaveLength(2);
    },
  );

  it('S6: a key of another identity is blocked, both are named, and where the right one is', async () => {
    const scene = setScene();
    const stranger = makeIdentity();
    const directory = makePostDirectory(join(scene.data, 'post01'), { keyContent: stranger.keyFile });
    const blocked = await init(scene);
    expect(blocked).toMatchObject({ code: 3 });
    expect(blocked.stderr).toContain(stranger.smesherId.slice(0, 8));
    expect(blocked.stderr).toContain(directory.smesherId.slice(0, 8));
    expect(readdirSync(scene.project)).toEqual([]);
    const places = join(scene.base, 'safe');
    mkdirSync(places);
    writeFileSync(join(places, 'right.key'), directory.keyFile, { mode: 0o600 });
    // Which of the two is the mistake only a person can say; the tool says where the right one is.
    const found = await init(scene, '--keys', places);
    expect(found).toMatchObject({ code: 3 });
    expect(found.stderr).toContain('right.key');
    expect(readdirSync(scene.project)).toEqual([]);
  });

  it('S7: key.bin is imported under a unique name, the original stays', async () => {
    const scene = setScene();
    const directories = ['a', 'b'].map((name) =>
      makePostDirectory(join(scene.data, name), { key: 'key.bin' }),
    );
    const before = describeTree(scene.data);
    await initialised(scene);
    expect(keyFilesIn(installed(scene.project))).toEqual(['post-0001.key', 'post-0002.key']);
    expectKeys(scene, directories);
    expect(describeTree(scene.data)).toEqual(before);
  });

  it('S8: a line break is dropped in the copy with consent only, and a mode of 0644 becomes 0600 there', async () => {
    const scene = setScene();
    const identity = makeIdentity();
    makePostDirectory(join(scene.data, 'post01'), {
      identity,
      keyContent: `${identity.keyFile}\n`,
      keyMode: 0o644,
    });
    makePostDirectory(join(scene.data, 'post02'), { keyContent: 'ab'.repeat(20) });
    const before = describeTree(scene.data);
    const refused = await init(scene);
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toContain('--repair-keys');
    expect(refused.stderr).toMatch(/post02: key-malformed/);
    await initialised(scene, '--repair-keys');
    const copy = join(installed(scene.project), 'post-0001.key');
    expect(readFileSync(copy, 'utf8')).toBe(identity.keyFile);
    expect(modeOf(copy)).toBe('600');
    expect(names(scene)).toEqual(['post-0001']);
    expect(describeTree(scene.data)).toEqual(before);
    // What is installed is kept right, too.
    chmodSync(copy, 0o644);
    const mended = await runCli(['generate'], { cwd: scene.project });
    expect(mended.stdout).toContain('mode and owner put right');
    expect(modeOf(copy)).toBe('600');
  });

  it('S9: a local.key of an identity of the project is renamed; one that the node made by itself is retired', async () => {
    const scene = setScene();
    const mine = makePostDirectory(join(scene.data, 'post01'));
    makePostDirectory(join(scene.data, 'post02'));
    const folder = installed(scene.project);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'local.key'), mine.keyFile, { mode: 0o644 });
    const first = await initialised(scene);
    expect(first.stderr).toContain('local.key is the key of post-0001');
    expect(keyFilesIn(folder)).toEqual(['post-0001.key', 'post-0002.key']);
    expect(modeOf(join(folder, 'post-0001.key'))).toBe('600');

    const stray = makeIdentity();
    writeFileSync(join(folder, 'local.key'), stray.keyFile, { mode: 0o600 });
    const second = await runCli(['generate'], { cwd: scene.project });
    expect(second).toMatchObject({ code: 0 });
    const retired = join(scene.project, '.smesh/retired', `local.key-${stray.smesherId.slice(0, 8)}.key`);
    expect(readFileSync(retired, 'utf8')).toBe(stray.keyFile);
    expect(readdirSync(folder)).not.toContain('local.key');
    await expectNoChange(scene);
  });

  it('S12: from a disk that cannot be written to, keys are copied', async () => {
    const scene = setScene();
    const directory = makePostDirectory(join(scene.data, 'post01'));
    chmodSync(join(directory.path, 'identity.key'), 0o400);
    chmodSync(directory.path, 0o555);
    const before = describeTree(scene.data);
    await initialised(scene);
    expectKeys(scene, [directory]);
    expect(describeTree(scene.data)).toEqual(before);
    expect(readFileSync(join(scene.project, 'compose.yaml'), 'utf8')).toContain('read_only: true');
  });

  it('S13: a directory that this user may not enter is explained; user: follows the owner', async () => {
    const scene = setScene();
    const open = makePostDirectory(join(scene.data, 'open'));
    makePostDirectory(join(scene.data, 'closed'));
    const user = { uid: 1234, gid: 1234 };
    for (const path of [scene.base, scene.data, scene.project, open.path]) chmodSync(path, 0o755);
    execFileSync('chown', ['-R', '1234:1234', open.path, scene.project]);
    chmodSync(join(scene.data, 'closed'), 0o700);
    const run = asUser(user, scene, ['init', '--yes', '--data', scene.data, '--coinbase', COINBASE]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toMatch(/closed.*(unreadable|EACCES|permission)/s);
    expect(names(scene)).toEqual(['post-0001']);
    expect(readFileSync(join(scene.project, 'compose.yaml'), 'utf8')).toMatch(/user: '?1234:1234/);
  });

  it('S16: 150 identities: no port of their own, every service there, quick to read', async () => {
    const scene = setScene();
    for (let number = 1; number <= 150; number += 1)
      makePostDirectory(join(scene.data, `d${number % 12}/p${number}`));
    await initialised(scene);
    expect(names(scene)).toHaveLength(150);
    const compose = readFileSync(join(scene.project, 'compose.yaml'), 'utf8');
    expect(compose.match(/^ {4}ports:/gm)).toHaveLength(1);
    const began = performance.now();
    await expectNoChange(scene);
    // The whole program, twice; the project file alone has a second.
    expect(performance.now() - began).toBeLessThan(4000);
  });

  it('S17: one more directory: one key and one service more, the provers keep their hashes and all else its bytes', async () => {
    const scene = setScene();
    for (const name of ['post01', 'post02', 'post03']) makePostDirectory(join(scene.data, name));
    await initialised(scene);
    const file = join(scene.project, 'smesh.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('identities:', '# my own words\nidentities:'));
    const [before, hashes] = [readFileSync(file, 'utf8'), configHashes(scene.project)];
    const keysBefore = describeTree(installed(scene.project));
    makePostDirectory(join(scene.data, 'post04'));
    const run = await runCli(['init', '--yes'], { cwd: scene.project });
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('Added post-0004');
    expect(run.stdout).toContain('only when it starts');
    expect(readFileSync(file, 'utf8').startsWith(before)).toBe(true);
    const after = configHashes(scene.project);
    for (const name of ['post-0001', 'post-0002', 'post-0003'])
      expect(after.get(name)).toBe(hashes.get(name));
    expect(after.get('node')).not.toBe(hashes.get('node'));
    expect(describeTree(installed(scene.project))).toEqual(expect.arrayContaining([...keysBefore]));
    expect(keyFilesIn(installed(scene.project))).toHaveLength(4);
  });

  it('S18: keys are in place before the first start: 0600, no newline, no local.key; the coinbase is in the config', async () => {
    const scene = setScene();
    const directories = ['a', 'b'].map((name) => makePostDirectory(join(scene.data, name)));
    await initialised(scene);
    expectKeys(scene, directories);
    expect(modeOf(installed(scene.project))).toBe('700');
    const config = readFileSync(join(scene.project, 'node/config.json'), 'utf8');
    expect(config).toContain(COINBASE);
    expect(config).toContain('"smeshing-start": false');
  });

  it('S19: a port in use is named with its user and taken elsewhere with consent only', async () => {
    const scene = setScene();
    makePostDirectory(join(scene.data, 'post01'));
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const dry = await init(scene, '--dry-run', '--private-port', String(port));
      expect(dry.stderr).toMatch(new RegExp(`Port ${port} .*in use by .*pid ${process.pid}`));
      const run = startCli(
        [
          'init',
          '--data',
          scene.data,
          '--coinbase',
          COINBASE,
          '--only',
          join(scene.data, 'post01'),
          '--node-data',
          join(scene.project, 'node-data'),
          '--private-port',
          String(port),
          '--name',
          'ports',
          '--service-names',
          'p1',
        ],
        { cwd: scene.project },
      );
      await run.waitFor(`Port ${port}`);
      await run.waitFor('Which port instead?');
      run.type(keys.enter);
      await run.waitFor('Write it?');
      run.type(keys.enter);
      expect((await run.exit).code).toBe(0);
      const compose = readFileSync(join(scene.project, 'compose.yaml'), 'utf8');
      expect(compose).not.toContain(`:${port}:`);
      expect(compose).toMatch(/127\.0\.0\.1:\d+:9093/);
    } finally {
      server.close();
    }
  });

  it('S23: a key that has smeshed with another node is refused, and that folder is offered', async () => {
    const scene = setScene();
    const directory = makePostDirectory(join(scene.data, 'post01'), { key: 'none' });
    const other = join(scene.base, 'old node');
    mkdirSync(join(other, 'identities'), { recursive: true });
    writeFileSync(join(other, 'identities/old.key'), directory.keyFile, { mode: 0o600 });
    makeLocalDatabase(join(other, 'local.sql'), directory.smesherId);
    await expectRefusal(scene, init(scene, '--keys', join(other, 'identities')), {
      code: 5,
      says: [/have smeshed with the node in .*old node/, /--node-data/],
    });
    // By hand into smesh.yaml, and the key named for generate: the same.
    const third = makePostDirectory(join(scene.data, 'post02'));
    await initialised(scene);
    const file = join(scene.project, 'smesh.yaml');
    writeFileSync(file, `  - {id: '${directory.smesherId}', name: by-hand, data: ${directory.path}}\n`, {
      flag: 'a',
    });
    await expectRefusal(
      scene,
      runCli(['generate', '--keys', join(other, 'identities')], { cwd: scene.project }),
      { code: 5, says: [/have smeshed with the node in/] },
    );
    expect(third.path).toContain('post02');
    // Merged into this node's database it has its history here, and may come.
    makeLocalDatabase(join(scene.project, 'node-data/local.sql'), directory.smesherId);
    const merged = await runCli(['generate', '--dry-run', '--keys', join(other, 'identities')], {
      cwd: scene.project,
    });
    expect(merged).toMatchObject({ code: 0 });
    // The offered way: that node's folder.
    const again = join(scene.base, 'again');
    mkdirSync(again);
    const taken = await runCli(
      ['init', '--yes', '--data', scene.data, '--coinbase', COINBASE, '--node-data', other],
      { cwd: again },
    );
    expect(taken).toMatchObject({ code: 0 });
    expect(keyFilesIn(join(other, 'identities'))).toEqual(['old.key', 'post-0002.key']);
  });

  it('S44: every changing command has --dry-run, and a second run changes nothing', async () => {
    const scene = setScene();
    makePostDirectory(join(scene.data, 'post01'));
    makePostDirectory(join(scene.data, 'post02'));
    const unchanged = async (args: readonly string[], says: RegExp) => {
      const before = describeTree(scene.base);
      const run = await runCli(args, { cwd: scene.project });
      expect(run).toMatchObject({ code: 0 });
      expect(run.stdout + run.stderr).toMatch(says);
      expect(describeTree(scene.base)).toEqual(before);
    };
    const initArgs = ['init', '--yes', '--data', scene.data, '--coinbase', COINBASE];
    await unchanged([...initArgs, '--dry-run'], /compose\.yaml/);
    await initialised(scene);
    await unchanged(initArgs, /No new identity/);
    makePostDirectory(join(scene.data, 'post03'));
    const add = ['add', join(scene.data, 'post03')];
    await unchanged([...add, '--dry-run'], /1 key copied/);
    expect(await runCli(add, { cwd: scene.project })).toMatchObject({ code: 0 });
    await unchanged(add, /already/);
    await unchanged(['remove', 'post-0003', '--dry-run'], /moved to/);
    expect(await runCli(['remove', 'post-0003'], { cwd: scene.project })).toMatchObject({ code: 0 });
    await unchanged(['remove', 'post-0003'], /removed before/);
    rmSync(join(scene.project, 'compose.yaml'));
    await unchanged(['generate', '--dry-run'], /would be written/);
    expect(await runCli(['generate'], { cwd: scene.project })).toMatchObject({ code: 0 });
    await unchanged(['generate'], /up to date/);
    await unchanged(['generate', '--check'], /up to date/);
  });

  it('a link to a directory is no second copy of it', async () => {
    const scene = setScene();
    const real = makePostDirectory(join(scene.base, 'far/away/post01'));
    makePostDirectory(join(scene.data, 'post02'));
    symlinkSync(real.path, join(scene.data, 'link'));
    await initialised(scene);
    expect(names(scene)).toHaveLength(2);
    // Seen from the other side it is still the same.
    const run = await runCli(['init', '--yes', '--data', join(scene.base, 'far'), scene.data], {
      cwd: scene.project,
    });
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('No new identity');
  });

  it('S40: a removed identity keeps its key and its name, and comes back under it', async () => {
    const scene = setScene();
    const directories = ['post01', 'post02'].map((name) => makePostDirectory(join(scene.data, name)));
    await initialised(scene);
    const before = describeTree(scene.data);
    expect(await runCli(['remove', 'post-0001'], { cwd: scene.project })).toMatchObject({ code: 0 });
    expect(keyFilesIn(installed(scene.project))).toEqual(['post-0002.key']);
    expect(keyFilesIn(join(scene.project, '.smesh/retired'))).toHaveLength(1);
    makePostDirectory(join(scene.data, 'post03'));
    expect(await runCli(['add', scene.data], { cwd: scene.project })).toMatchObject({ code: 0 });
    expect(names(scene).sort()).toEqual(['post-0001', 'post-0002', 'post-0003']);
    expectKeys(scene, directories);
    expect(describeTree(scene.data)).toEqual(expect.arrayContaining([...before]));
  });
});

/** Exactly the keys of these identities among the installed ones: 0600, byte for byte. */
function expectKeys(scene: Scene, directories: readonly PostDirectory[]): void {
  const folder = installed(scene.project);
  const files = readdirSync(folder);
  for (const { keyFile } of directories) {
    const file = files.find((name) => readFileSync(join(folder, name), 'utf8') === keyFile);
    expect(file).toBeDefined();
    expect(modeOf(join(folder, file ?? ''))).toBe('600');
  }
  expect(files).not.toContain('local.key');
}

async function expectNoChange(scene: Scene): Promise<void> {
  const before = describeTree(scene.project);
  expect(await runCli(['generate', '--check'], { cwd: scene.project })).toMatchObject({ code: 0 });
  expect(await runCli(['generate'], { cwd: scene.project })).toMatchObject({ code: 0 });
  expect(describeTree(scene.project)).toEqual(before);
}

function configHashes(project: string): ReadonlyMap<string, string> {
  const text = execFileSync('docker', ['compose', 'config', '--hash', '*'], { cwd: project }).toString();
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

/** The built program as another user, from a copy that this user may read. */
function asUser(
  user: { readonly uid: number; readonly gid: number },
  scene: Scene,
  args: readonly string[],
): CliRun {
  const program = join(scene.base, 'program');
  for (const folder of ['dist', 'templates', 'compose'])
    cpSync(join(dirname(dirname(builtCli)), folder), join(program, folder), { recursive: true });
  execFileSync('chmod', ['-R', 'a+rX', program]);
  const node = join(scene.base, 'node');
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  const { status, signal, stdout, stderr } = spawnSync(node, [join(program, 'dist/cli.js'), ...args], {
    cwd: scene.project,
    env: { PATH: process.env.PATH, HOME: scene.project },
    encoding: 'utf8',
    ...user,
  });
  return { code: status, signal, stdout, stderr };
}
