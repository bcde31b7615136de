import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { takeLock } from '../../src/adapters/files/lock.ts';
import { keyFilesIn } from '../helpers/keys.ts';
import { makePostDirectory } from '../helpers/post-data.ts';
import { type CliRun, runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { describeTree } from '../helpers/tree.ts';
import { COINBASE, composeServices } from './support/project.ts';

interface Scene {
  readonly base: string;
  readonly data: string;
  readonly project: string;
}

/** A project of two identities, as init makes it. */
async function setScene(): Promise<Scene> {
  const base = tempFolder('bad');
  const [data, project] = [join(base, 'mnt'), join(base, 'project')];
  mkdirSync(project);
  makePostDirectory(join(data, 'post01'));
  makePostDirectory(join(data, 'post02'));
  const run = await runCli(['init', '--yes', '--data', data, '--coinbase', COINBASE], { cwd: project });
  expect(run).toMatchObject({ code: 0 });
  return { base, data, project };
}

function edit({ project }: Scene, change: (text: string) => string): void {
  const file = join(project, 'smesh.yaml');
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

interface Wanted {
  readonly code: number;
  /** Must all stand in what is printed. */
  readonly says: readonly RegExp[];
}

/** Runs a command that must fail: as wanted, in words, as JSON too, and without a change anywhere. */
async function expectFailure(
  base: string,
  args: readonly string[],
  cwd: string,
  wanted: Wanted,
): Promise<CliRun> {
  const before = describeTree(base);
  const plain = await runCli(args, { cwd });
  expect(plain).toMatchObject({ code: wanted.code, stdout: '' });
  for (const text of wanted.says) expect(plain.stderr).toMatch(text);
  expect(plain.stderr).not.toMatch(/bug in smesh-compose|^\s+at .*:\d+:\d+/m);
  const json = await runCli([...args, '--json'], { cwd });
  expect(json.code).toBe(wanted.code);
  expect(JSON.parse(json.stdout)).toMatchObject({
    schemaVersion: 1,
    error: { code: expect.stringMatching(/^[a-z-]+$/), exitCode: wanted.code },
  });
  expect(describeTree(base)).toEqual(before);
  return plain;
}

const faultsOfTheModel: readonly [string, (text: string) => string, Wanted][] = [
  [
    'broken YAML',
    (text) => text.replace('network: mainnet', 'network: [mainnet'),
    { code: 3, says: [/smesh\.yaml:\d+:\d+/] },
  ],
  [
    'an unknown key',
    (text) => text.replace('network: mainnet', 'network: mainnet\nnodee: {}'),
    { code: 3, says: [/smesh\.yaml:\d+:\d+ /, /nodee/, /did you mean.*node/] },
  ],
  [
    'a coinbase with a wrong letter',
    (text) => text.replace(COINBASE, COINBASE.replace(/7y$/, '8y')),
    { code: 3, says: [/smesh\.yaml:\d+:\d+ .*coinbase/, /check sum/] },
  ],
  [
    'a coinbase of another network',
    (text) => text.replace('network: mainnet', 'network: testnet'),
    { code: 3, says: [/belongs to mainnet, but the network is testnet/] },
  ],
  [
    'a PoET without its public key',
    (text) => `${text}poet:\n  servers:\n    - address: https://poet.example.org\n`,
    { code: 3, says: [/pubkey/, /crashes at the end of every round/] },
  ],
  [
    'node.config that starts smeshing by itself',
    (text) => `${text}node:\n  config: {smeshing: {smeshing-start: true}}\n`,
    { code: 3, says: [/smeshing-start/] },
  ],
  [
    'node.config that takes the post listener away',
    (text) => `${text}node:\n  config: {api: {grpc-post-listener: '127.0.0.1:9094'}}\n`,
    { code: 3, says: [/grpc-post-listener/] },
  ],
  [
    'one directory for two identities',
    (text) => text.replace('post02\n', 'post01\n'),
    { code: 3, says: [/is the directory of post-0001 already/] },
  ],
  ['nothing at all', () => '', { code: 3, says: [/the file is empty/] }],
];

describe('a smesh.yaml with a fault', () => {
  for (const [name, change, wanted] of faultsOfTheModel) {
    it(`${name}: line and column, exit ${wanted.code}, nothing written`, async () => {
      const scene = await setScene();
      edit(scene, change);
      for (const args of [['generate'], ['generate', '--check'], ['init', '--yes'], ['remove', 'post-0001']])
        await expectFailure(scene.base, args, scene.project, wanted);
    });
  }

  it('a path with a line break is refused by name', async () => {
    const base = tempFolder('bad');
    makePostDirectory(join(base, 'mnt/two\nlines'));
    mkdirSync(join(base, 'project'));
    await expectFailure(
      base,
      ['init', '--yes', '--data', join(base, 'mnt'), '--coinbase', COINBASE],
      join(base, 'project'),
      { code: 3, says: [/line break|control character/] },
    );
  });
});

describe('a command line with a fault', () => {
  it.each([
    ['a verb that does not exist', ['statsu'], /did you mean status/i],
    ['an option that does not exist', ['init', '--coinbsae', 'x'], /did you mean --coinbase/i],
    ['an argument too many', ['generate', 'everything'], /too many arguments/],
    ['a missing argument', ['remove'], /missing required argument/],
    ['a network that does not exist', ['init', '--network', 'maynet'], /mainnet, testnet, standalone/],
    ['a port out of range', ['init', '--private-port', '99999'], /1 to 65535/],
    ['a port that is no number', ['init', '--p2p-port', '75a'], /1 to 65535/],
    ['no time', ['init', '--genesis-time', 'tomorrow'], /2030-01-01T00:00:00Z/],
    ['an identity that is not there', ['remove', 'post-001'], /did you mean post-0001/],
    ['no name', ['init', '--name', ''], /--name/],
    ['a place from an empty variable', ['post', 'init', ''], /empty word/],
    ['a place with a line break', ['post', 'init', '/x\ny'], /places holds a control character.*\/x\\x0ay/],
    ['no user', ['post', 'init', '/x', '--user', '9999999999:1'], /1000:1000/],
    ['a folder as passphrase file', ['backup', 'create', '--passphrase-file', '/'], /is a directory/],
  ])('%s: exit 2, and what was meant', async (_, args, says) => {
    const scene = await setScene();
    await expectFailure(scene.base, args, scene.project, { code: 2, says: [says] });
  });

  it.each([
    ['a wrong check sum', COINBASE.replace(/7y$/, '8y'), /check sum/],
    ['another network', 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa', /belongs to testnet/],
    ['no address', '0x1234567890123456789012345678901234567890', /Ethereum/],
    ['nothing', '', /empty/],
  ])('a coinbase with %s: exit 2 and nothing written', async (_, coinbase, says) => {
    const base = tempFolder('bad');
    makePostDirectory(join(base, 'mnt/post01'));
    mkdirSync(join(base, 'project'));
    const args = ['init', '--yes', '--data', join(base, 'mnt'), '--coinbase', coinbase];
    await expectFailure(base, args, join(base, 'project'), { code: 2, says: [says] });
  });

  it('no project here: exit 3 and how to get one', async () => {
    const base = tempFolder('bad');
    for (const args of [['generate'], ['add', '/mnt'], ['remove', 'x'], ['generate', '--check']])
      await expectFailure(base, args, base, { code: 3, says: [/There is no smesh\.yaml/, /init/] });
    const absent = join(base, 'absent');
    await expectFailure(base, ['-C', absent, 'generate'], base, { code: 3, says: [/absent/] });
  });

  it('no identities found: exit 3 and where else to look', async () => {
    const base = tempFolder('bad');
    const args = ['init', '--yes', '--data', base, '--coinbase', COINBASE];
    await expectFailure(base, args, base, { code: 3, says: [/No PoST directory was found/, /--data/] });
  });

  it('a root that is not there is said', async () => {
    const base = tempFolder('bad');
    const args = ['init', '--yes', '--data', join(base, 'no/such'), '--coinbase', COINBASE];
    await expectFailure(base, args, base, { code: 3, says: [/no\/such/] });
  });

  it('settings that the project has otherwise are refused, the same ones are not', async () => {
    const scene = await setScene();
    await expectFailure(scene.base, ['init', '--yes', '--private-port', '9999'], scene.project, {
      code: 2,
      says: [/--private-port 9999: smesh\.yaml says 9093/],
    });
    const same = await runCli(['init', '--yes', '--coinbase', COINBASE], { cwd: scene.project });
    expect(same).toMatchObject({ code: 0 });
  });

  it('add takes each option for itself: an argument behind --keys is a directory', async () => {
    const scene = await setScene();
    makePostDirectory(join(scene.base, 'new/post03'));
    makePostDirectory(join(scene.base, 'new/post04'));
    const args = ['add', '--keys', scene.base, '--keys', scene.data, join(scene.base, 'new/post03')];
    expect(await runCli(args, { cwd: scene.project })).toMatchObject({ code: 0 });
    expect(composeServices(scene.project)).toEqual(['node', 'post-0001', 'post-0002', 'post-0003']);
  });
});

describe('files in the way', () => {
  it('a generated file changed by hand: the difference, exit 5; --force keeps a backup', async () => {
    const scene = await setScene();
    const compose = join(scene.project, 'compose.yaml');
    writeFileSync(compose, readFileSync(compose, 'utf8').replace('mem_limit: 3g', 'mem_limit: 9g'));
    const edited = readFileSync(compose, 'utf8');
    const wanted = {
      code: 5,
      says: [/compose\.yaml was changed by hand/, /^\s*-.*9g$/m, /^\s*\+.*3g$/m, /--force/],
    };
    await expectFailure(scene.base, ['generate'], scene.project, wanted);
    await expectFailure(scene.base, ['generate', '--dry-run'], scene.project, wanted);
    await expectFailure(scene.base, ['init', '--yes'], scene.project, wanted);
    const check = await runCli(['generate', '--check'], { cwd: scene.project });
    expect(check.code).toBe(10);
    expect(check.stdout).toMatch(/^-.*9g$/m);
    const forced = await runCli(['generate', '--force'], { cwd: scene.project });
    expect(forced).toMatchObject({ code: 0 });
    const backups = join(scene.project, '.smesh/backups');
    const [backup = ''] = readdirSync(backups);
    expect(forced.stdout).toContain(backup);
    expect(readFileSync(join(backups, backup), 'utf8')).toBe(edited);
    expect(readFileSync(compose, 'utf8')).toContain('mem_limit: 3g');
  });

  it('a compose.yaml of somebody else is not overwritten by a first init', async () => {
    const base = tempFolder('bad');
    const project = join(base, 'project');
    makePostDirectory(join(base, 'mnt/post01'));
    mkdirSync(project);
    writeFileSync(join(project, 'compose.yaml'), 'services: {web: {image: nginx}}\n');
    const args = ['init', '--yes', '--data', join(base, 'mnt'), '--coinbase', COINBASE];
    await expectFailure(base, args, project, {
      code: 5,
      says: [/compose\.yaml is not of smesh-compose's making/, /-C DIR/],
    });
  });

  it('a node key that the node would refuse stops everything, without its content', async () => {
    const scene = await setScene();
    const folder = join(scene.project, 'node-data/identities');
    const key = readFileSync(join(folder, 'post-0001.key'), 'utf8');
    writeFileSync(join(folder, 'broken.key'), key.slice(0, 100));
    const run = await expectFailure(scene.base, ['generate'], scene.project, {
      code: 3,
      says: [/broken\.key/, /keep it/],
    });
    expect(run.stderr).not.toContain(key.slice(0, 16));
  });

  it('one key twice in the node is refused', async () => {
    const scene = await setScene();
    const folder = join(scene.project, 'node-data/identities');
    writeFileSync(join(folder, 'again.key'), readFileSync(join(folder, 'post-0001.key')));
    await expectFailure(scene.base, ['generate'], scene.project, {
      code: 5,
      says: [/more than once/, /again\.key/],
    });
  });

  it('a project that another command changes: exit 75 and who holds it', async () => {
    const scene = await setScene();
    const lock = await takeLock(scene.project, 'a test (pid 1, since now)');
    try {
      for (const args of [['generate'], ['init', '--yes'], ['remove', 'post-0001']])
        await expectFailure(scene.base, args, scene.project, {
          code: 75,
          says: [/a test \(pid 1, since now\)/],
        });
      // Looking is always possible.
      expect(await runCli(['generate', '--check'], { cwd: scene.project })).toMatchObject({ code: 0 });
    } finally {
      if ('release' in lock) await lock.release();
    }
    expect(await runCli(['generate'], { cwd: scene.project })).toMatchObject({ code: 0 });
  });

  it('the lock is one by whichever way the folder is named', async () => {
    const scene = await setScene();
    execFileSync('ln', ['-s', scene.project, join(scene.base, 'link')]);
    const lock = await takeLock(join(scene.base, 'link'), 'a test');
    try {
      await expectFailure(scene.base, ['generate'], scene.project, { code: 75, says: [/a test/] });
    } finally {
      if ('release' in lock) await lock.release();
    }
  });

  it('a folder that cannot be written to: exit 4, in words', async () => {
    const scene = await setScene();
    const args = ['-C', '/proc/smesh', 'init', '--yes', '--data', scene.data, '--coinbase', COINBASE];
    const run = await runCli(args, { cwd: scene.base });
    expect(run.stderr).not.toContain('bug in smesh-compose');
    expect(run.code).toBe(4);
  });
});

describe('what is printed where', () => {
  it('results on stdout, the rest on stderr; --quiet leaves results; --json is one document', async () => {
    const scene = await setScene();
    makePostDirectory(join(scene.data, 'post03'));
    const quiet = await runCli(['add', join(scene.data, 'post03'), '--quiet'], { cwd: scene.project });
    expect(quiet).toMatchObject({ code: 0, stderr: '' });
    expect(quiet.stdout).toContain('Added post-0003');
    for (const args of [
      ['generate'],
      ['generate', '--check'],
      ['generate', '--dry-run'],
      ['init', '--yes'],
      ['init', '--yes', '--dry-run'],
      ['add', join(scene.data, 'post03')],
      ['remove', 'post-0003', '--dry-run'],
      ['remove', 'post-0003'],
    ]) {
      const { code, stdout, stderr } = await runCli([...args, '--json'], { cwd: scene.project });
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1 });
    }
  });

  it('a name cannot command the terminal', async () => {
    const base = tempFolder('bad');
    makePostDirectory(join(base, 'mnt/\u001b[2Jpost'), { key: 'none' });
    mkdirSync(join(base, 'project'));
    const args = ['init', '--yes', '--data', join(base, 'mnt'), '--coinbase', COINBASE];
    const { code, stdout, stderr } = await runCli(args, { cwd: join(base, 'project') });
    expect(code).toBe(3);
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stderr).toContain('\\x1b[2Jpost');
  });
});

describe('weird paths', () => {
  const WEIRD = [
    'a disk',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is the point
    '$HOME ${USER}',
    'c:d',
    '#1 # no',
    `it's "quoted"`,
    'платформа ✓',
    'back\\slash',
    '{a: b}, [c]&*!|>%@`',
    '- dash',
  ];

  it('S1: data, project and keys in folders with spaces, $, :, #, quotes, unicode', async () => {
    const base = tempFolder('weird');
    const project = join(base, 'my $project: #1 "ü"');
    mkdirSync(project);
    const keys = join(base, 'keys & co');
    mkdirSync(keys);
    const directories = WEIRD.map((name) => makePostDirectory(join(base, 'mnt', name), { key: 'none' }));
    directories.forEach(({ keyFile }, index) => {
      writeFileSync(join(keys, `${WEIRD[index]}.key`), keyFile, { mode: 0o600 });
    });
    const run = await runCli(
      ['init', '--yes', '--data', join(base, 'mnt'), '--keys', keys, '--coinbase', COINBASE],
      { cwd: project },
    );
    expect(run).toMatchObject({ code: 0 });
    const config = JSON.parse(
      execFileSync('docker', ['compose', 'config', '--format', 'json'], { cwd: project }).toString(),
    ) as { services: Record<string, { volumes: { source: string; target: string }[] }> };
    const sources = Object.values(config.services).flatMap(({ volumes }) =>
      // Compose writes a literal $ as $$ in what it prints.
      volumes.map(({ source }) => source.replaceAll('$$', '$')),
    );
    expect(sources).toEqual(expect.arrayContaining(directories.map(({ path }) => path)));
    expect(sources).toContain(join(project, 'node-data'));
    const installed = keyFilesIn(join(project, 'node-data/identities')).map((name) =>
      readFileSync(join(project, 'node-data/identities', name), 'utf8'),
    );
    expect(installed.sort()).toEqual(directories.map(({ keyFile }) => keyFile).sort());
    expect(await runCli(['generate', '--check'], { cwd: project })).toMatchObject({ code: 0 });
  });
});

describe('under sudo', () => {
  const owner = (path: string) => execFileSync('stat', ['-c', '%u:%g', path]).toString().trim();

  it("files belong to the user whose folder it is; the node's to whom it runs as", async () => {
    const base = tempFolder('sudo');
    const project = join(base, 'project');
    makePostDirectory(join(base, 'mnt/post01'));
    makePostDirectory(join(base, 'mnt/post02'));
    mkdirSync(project);
    execFileSync('chown', ['1500:1500', project]);
    const env = { SUDO_UID: '1500', SUDO_GID: '1500' };
    const args = ['init', '--yes', '--data', join(base, 'mnt/post01'), '--coinbase', COINBASE];
    expect(await runCli(args, { cwd: project, env })).toMatchObject({ code: 0 });
    const all = readdirSync(project, { recursive: true, encoding: 'utf8' });
    expect(all.filter((name) => owner(join(project, name)) !== '1500:1500')).toEqual([]);
    expect(all).toContain('node-data/identities/post-0001.key');
    // Later runs as root, with sudo or without: the same owners, also of what is replaced.
    chmodSync(join(project, 'smesh.yaml'), 0o640);
    const add = await runCli(['add', join(base, 'mnt/post02')], { cwd: project });
    expect(add).toMatchObject({ code: 0 });
    const after = readdirSync(project, { recursive: true, encoding: 'utf8' });
    expect(after.filter((name) => owner(join(project, name)) !== '1500:1500')).toEqual([]);
    expect(
      execFileSync('stat', ['-c', '%a', join(project, 'smesh.yaml')])
        .toString()
        .trim(),
    ).toBe('640');
    expect(readFileSync(join(project, 'compose.yaml'), 'utf8')).toMatch(/user: '?1500:1500/);
  });

  it('a folder that sudo makes belongs to who called it', async () => {
    const base = tempFolder('sudo');
    const project = join(base, 'new');
    makePostDirectory(join(base, 'mnt/post01'));
    const env = { SUDO_UID: '1500', SUDO_GID: '1500' };
    const args = ['-C', project, 'init', '--yes', '--data', join(base, 'mnt'), '--coinbase', COINBASE];
    expect(await runCli(args, { cwd: base, env })).toMatchObject({ code: 0 });
    expect(owner(project)).toBe('1500:1500');
    expect(owner(join(project, 'smesh.yaml'))).toBe('1500:1500');
    expect(execFileSync('stat', ['-c', '%a', project]).toString().trim()).toBe('755');
  });
});
