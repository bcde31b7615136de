import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { makeIdentity } from '../../helpers/keys.ts';
import { root as packageRoot } from '../../helpers/places.ts';
import { makePostDirectory, type PostDirectoryOptions } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { scanFolders, verdictsOf } from './scan-folder.ts';

const isRoot = process.getuid?.() === 0;
const small = (path: string, options: PostDirectoryOptions = {}) =>
  makePostDirectory(path, { network: 'standalone', ...options });

describe('what is found', () => {
  it('S1: finds ten directories, units from metadata, and changes nothing', async () => {
    const folder = tempFolder('scan');
    for (let index = 0; index < 10; index += 1)
      small(`${folder}/disk${index % 5}/post${index}`, { units: 1 + (index % 2) });
    const before = readdirSync(folder, { recursive: true }).map(
      (name) => statSync(join(folder, String(name))).mtimeMs,
    );
    const report = await scanFolders([folder]);
    expect(Object.values(verdictsOf(report, folder))).toEqual(Array(10).fill('ready'));
    expect(report.directories.map(({ metadata }) => metadata?.units).toSorted()).toEqual([
      1, 1, 1, 1, 1, 2, 2, 2, 2, 2,
    ]);
    const after = readdirSync(folder, { recursive: true }).map(
      (name) => statSync(join(folder, String(name))).mtimeMs,
    );
    expect(after).toEqual(before);
  });

  it('S10, S11: real sizes, several networks', async () => {
    const folder = tempFolder('scan');
    makePostDirectory(`${folder}/main4`, { maxFileSize: 4 * 2 ** 30 });
    makePostDirectory(`${folder}/main32`, { maxFileSize: 32 * 2 ** 30, units: 66 });
    makePostDirectory(`${folder}/test`, { network: 'testnet' });
    small(`${folder}/own`);
    const report = await scanFolders([folder]);
    expect(
      report.directories.map(({ path, network, files }) => [
        path.slice(folder.length + 1),
        network,
        files?.present,
      ]),
    ).toEqual([
      ['main4', 'mainnet', 64],
      ['main32', 'mainnet', 132],
      ['own', 'standalone', 1],
      ['test', 'testnet', 1],
    ]);
    expect(report.directories[1]?.notes.join()).toContain('66 units');
  });

  it.each([
    'with space',
    '$HOME',
    'a:b',
    '#1',
    `it's "quoted"`,
    'two\nlines',
    'Größe 数据 👩‍👧',
    '\u001b[31mred',
    '-rf',
    '`id`',
    'back\\slash',
  ])('a directory called %j', async (name) => {
    const folder = tempFolder('scan');
    small(`${folder}/${name}/post`);
    small(`${folder}/${name}/part`, { maxFileSize: 1024, without: [1] });
    const report = await scanFolders([folder]);
    expect(verdictsOf(report, folder)).toEqual({ [`${name}/post`]: 'ready', [`${name}/part`]: 'incomplete' });
    const command =
      report.directories
        .find(({ verdict }) => verdict === 'incomplete')
        ?.next.split('\n')
        .at(-1) ?? '';
    const words = execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${command}`], {
      encoding: 'utf8',
      env: { LC_ALL: 'C.UTF-8' },
    }).split('\0');
    expect(words[words.indexOf('--resume') + 1]).toBe(`${folder}/${name}/part`);
  });
});

describe('where it looks', () => {
  it('not deeper than told, not into hidden or foreign folders', async () => {
    const folder = tempFolder('scan');
    for (const place of [
      'a',
      'a/b',
      'a/b/c',
      '.hidden/x',
      'lost+found/x',
      'node_modules/x',
      'node-data/post',
    ]) {
      small(`${folder}/${place}/p`);
    }
    const at = async (maxDepth: number) =>
      Object.keys(verdictsOf(await scanFolders([folder], { maxDepth }), folder));
    expect(await at(6)).toEqual(['a/b/c/p', 'a/b/p', 'a/p']);
    expect(await at(2)).toEqual(['a/p']);
    expect(await at(0)).toEqual([]);
    const named = await scanFolders([`${folder}/.hidden`, `${folder}/a/b/c/p`]);
    expect(named.directories).toHaveLength(2);
  });

  it('follows no symlink twice and is not caught in a circle', async () => {
    const folder = tempFolder('scan');
    small(`${folder}/real/post`);
    symlinkSync('real', `${folder}/also`);
    symlinkSync('..', `${folder}/real/up`);
    symlinkSync('nowhere', `${folder}/dead`);
    const elsewhere = tempFolder('scan-other');
    small(`${elsewhere}/linked`);
    symlinkSync(elsewhere, `${folder}/other`);
    const report = await scanFolders([folder, `${folder}/real`]);
    expect(report.directories.map(({ path, realPath }) => [path, realPath])).toEqual([
      [`${folder}/other/linked`, `${elsewhere}/linked`],
      [`${folder}/real/post`, `${folder}/real/post`],
    ]);
    expect(new Set(report.directories.map(({ verdict }) => verdict))).toEqual(new Set(['ready']));
  });

  it('data files may be symlinks to another disk', async () => {
    const folder = tempFolder('scan');
    const other = tempFolder('scan-other');
    small(`${folder}/post`, { maxFileSize: 1024 });
    renameSync(`${folder}/post/postdata_1.bin`, `${other}/file`);
    symlinkSync(`${other}/file`, `${folder}/post/postdata_1.bin`);
    expect(verdictsOf(await scanFolders([folder]), folder)).toEqual({ post: 'ready' });
    rmSync(`${other}/file`);
    expect(verdictsOf(await scanFolders([folder]), folder)).toEqual({ post: 'incomplete' });
  });

  it('says what is not there', async () => {
    const report = await scanFolders(['/no/such/place'], { keyPlaces: ['/no/such/keys'] });
    expect(report.skipped.map(({ path }) => path).toSorted()).toEqual(['/no/such/keys', '/no/such/place']);
    expect(report.directories).toEqual([]);
  });
});

describe('keys', () => {
  it('S7: finds the key in the identities of a node, in --keys, under its old name', async () => {
    const folder = tempFolder('scan');
    const away = tempFolder('scan-keys');
    const [installed, given, old] = ['installed', 'given', 'old'].map((name) => {
      return small(`${folder}/${name}`, { key: name === 'old' ? 'key.bin' : 'none' });
    });
    mkdirSync(`${folder}/node-data/identities`, { recursive: true });
    writeFileSync(`${folder}/node-data/local.sql`, '');
    writeFileSync(`${folder}/node-data/identities/one.key`, installed?.keyFile ?? '', { mode: 0o600 });
    mkdirSync(`${away}/deep/er`, { recursive: true });
    writeFileSync(`${away}/deep/er/my.key`, given?.keyFile ?? '', { mode: 0o600 });
    writeFileSync(`${away}/tls.key`, '-----BEGIN PRIVATE KEY-----\n');
    const stranger = makeIdentity();
    writeFileSync(`${away}/stranger.key`, stranger.keyFile);
    const report = await scanFolders([folder], { keyPlaces: [away] });
    expect(verdictsOf(report, folder)).toEqual({ given: 'ready', installed: 'ready', old: 'ready' });
    expect(report.directories.map(({ key }) => [key?.path.split('/').at(-1), key?.where])).toEqual([
      ['my.key', 'elsewhere'],
      ['one.key', 'node-identities'],
      ['key.bin', 'beside-data-old-name'],
    ]);
    expect(report.nodeFolders).toEqual([`${folder}/node-data`]);
    expect(report.looseKeys).toMatchObject([{ path: `${away}/stranger.key`, smesherId: stranger.smesherId }]);
    expect(old?.smesherId).toHaveLength(64);
  });

  it('S7: without them the key is missing', async () => {
    const folder = tempFolder('scan');
    small(`${folder}/a`, { key: 'none' });
    expect(verdictsOf(await scanFolders([folder]), folder)).toEqual({ a: 'key-missing' });
  });

  it('S6: key of another identity is blocked, the right one is found beside other data', async () => {
    const folder = tempFolder('scan');
    const [one, two] = [makeIdentity(), makeIdentity()];
    small(`${folder}/one`, { identity: one, keyContent: two.keyFile });
    small(`${folder}/two`, { identity: two, keyContent: one.keyFile });
    const report = await scanFolders([folder]);
    expect(verdictsOf(report, folder)).toEqual({ one: 'key-mismatch', two: 'key-mismatch' });
    expect(report.directories[0]?.next).toContain(`${folder}/two/identity.key`);
  });

  it('S8: malformed keys and loose modes are told, the file stays as it is', async () => {
    const folder = tempFolder('scan');
    const keys = ['cut', 'newline', 'open'].map(() => makeIdentity());
    const [cut, newline, open] = keys;
    small(`${folder}/cut`, { identity: cut!, keyContent: cut!.keyFile.slice(0, 90) });
    small(`${folder}/newline`, { identity: newline!, keyContent: `${newline!.keyFile}\n` });
    small(`${folder}/open`, { identity: open!, keyMode: 0o644 });
    const report = await scanFolders([folder]);
    expect(verdictsOf(report, folder)).toEqual({
      cut: 'key-malformed',
      newline: 'key-malformed',
      open: 'ready',
    });
    expect(report.directories.map(({ key }) => key?.repairable)).toEqual([false, true, undefined]);
    expect(report.directories[2]?.notes.join()).toContain('0644');
    expect(statSync(`${folder}/open/identity.key`).mode & 0o777).toBe(0o644);
    for (const { keyFile } of keys) expect(report.shown).not.toContain(keyFile.slice(0, 32));
  });

  it('S2: a copied set is refused in both places', async () => {
    const folder = tempFolder('scan');
    small(`${folder}/a`);
    cpSync(`${folder}/a`, `${folder}/b`, { recursive: true });
    const report = await scanFolders([folder]);
    expect(verdictsOf(report, folder)).toEqual({ a: 'duplicate', b: 'duplicate' });
    expect(report.directories[0]?.reasons.join()).toContain(`${folder}/b`);
    expect(report.directories[0]?.next).toContain(`--ignore ${folder}/b`);
  });
});

describe.skipIf(!isRoot || !existsSync('/usr/bin/setpriv'))(
  'S13: as a user who may not read (needs root and setpriv)',
  () => {
    it('explains what is in the way and who owns it', async () => {
      const folder = tempFolder('scan');
      chmodSync(folder, 0o755);
      for (const name of ['fine', 'keys-only-root', 'files-only-root', 'shut', 'half-shut'])
        small(`${folder}/${name}`);
      for (const entry of readdirSync(folder, { recursive: true })) {
        const path = join(folder, String(entry));
        chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
      }
      chownSync(`${folder}/fine/identity.key`, 4321, 4321);
      chmodSync(`${folder}/fine/identity.key`, 0o600);
      chmodSync(`${folder}/keys-only-root/identity.key`, 0o600);
      chmodSync(`${folder}/files-only-root/postdata_0.bin`, 0o600);
      chmodSync(`${folder}/shut`, 0o700);
      chmodSync(`${folder}/half-shut`, 0o711);

      const bundle = join(tempFolder('scan-bundle'), 'scan.mjs');
      await build({
        entryPoints: [join(packageRoot, 'test/unit/scanner/print-scan.ts')],
        outfile: bundle,
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'silent',
      });
      chmodSync(join(bundle, '..'), 0o755);
      const user = ['--reuid=4321', '--regid=4321', '--clear-groups'];
      const text = execFileSync('setpriv', [...user, process.execPath, bundle, folder], { encoding: 'utf8' });
      const { directories, skipped } = JSON.parse(text) as {
        directories: { path: string; verdict: string; reasons: string[]; next: string }[];
        skipped: { path: string; reason: string }[];
      };
      expect(
        Object.fromEntries(directories.map(({ path, verdict }) => [path.slice(folder.length + 1), verdict])),
      ).toEqual({
        fine: 'ready',
        'files-only-root': 'unreadable',
        'half-shut': 'unreadable',
        'keys-only-root': 'unreadable',
      });
      const reasons = directories.flatMap((directory) => directory.reasons).join('\n');
      expect(reasons).toContain('its data files (uid 0, mode 0600)');
      expect(reasons).toContain('the folder (uid 0, mode 0711)');
      expect(reasons).toContain('identity.key (uid 0, mode 0600)');
      expect(directories.find(({ verdict }) => verdict === 'unreadable')?.next).toContain('uid 0, gid 0');
      expect(skipped).toEqual([
        { path: `${folder}/shut`, reason: 'cannot be listed: EACCES (uid 0, mode 0700)' },
      ]);
    });
  },
);
