import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { takeLock } from '../../../src/adapters/files/lock.ts';
import { realDirectory } from '../../../src/adapters/files/real-directory.ts';
import { tempFolder } from '../../helpers/temp.ts';

const modeOf = (path: string) => statSync(path).mode & 0o7777;
const root = process.getuid?.() === 0;

describe('writing a file whole', () => {
  it('gives exactly the mode that is asked for, whatever the umask', async () => {
    const folder = tempFolder('files');
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    await nodeFiles.writeAtomic(join(folder, 'a'), 'x', { mode: 0o644 });
    expect(modeOf(join(folder, 'a'))).toBe(0o644);
  });

  it.runIf(root)('keeps mode and owner of what it replaces, where nothing else is asked for', async () => {
    const file = join(tempFolder('files'), 'smesh.yaml');
    writeFileSync(file, 'old');
    chmodSync(file, 0o640);
    chownSync(file, 1500, 1501);
    await nodeFiles.writeAtomic(file, 'new');
    expect({ mode: modeOf(file), uid: statSync(file).uid, gid: statSync(file).gid }).toEqual({
      mode: 0o640,
      uid: 1500,
      gid: 1501,
    });
    await nodeFiles.writeAtomic(file, 'newer', { mode: 0o600 });
    expect(modeOf(file)).toBe(0o600);
  });

  it('leaves a link a link and writes where it leads', async () => {
    const folder = tempFolder('files');
    const real = join(folder, 'dotfiles/smesh.yaml');
    mkdirSync(join(folder, 'dotfiles'));
    writeFileSync(real, 'old');
    symlinkSync(real, join(folder, 'smesh.yaml'));
    await nodeFiles.writeAtomic(join(folder, 'smesh.yaml'), 'new');
    expect(lstatSync(join(folder, 'smesh.yaml')).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toBe('new');
    expect(readdirSync(join(folder, 'dotfiles'))).toEqual(['smesh.yaml']);
  });

  it('never replaces a file that is to be new, and leaves nothing beside it', async () => {
    const folder = tempFolder('files');
    const key = join(folder, 'a.key');
    writeFileSync(key, 'first');
    await expect(nodeFiles.writeNew(key, 'second')).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(nodeFiles.move(key, key)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(key, 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['a.key']);
  });

  it('leaves nothing behind where it may not write', async () => {
    const folder = tempFolder('files');
    mkdirSync(join(folder, 'compose.yaml'));
    await expect(nodeFiles.writeAtomic(join(folder, 'compose.yaml'), 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['compose.yaml']);
  });
});

describe('folders', () => {
  it('come with all that is missing above them, in one mode; what is there stays as it is', async () => {
    const folder = tempFolder('files');
    chmodSync(folder, 0o751);
    await nodeFiles.makeDirectory(join(folder, 'a/b/c'), { mode: 0o700 });
    expect(['a', 'a/b', 'a/b/c'].map((name) => modeOf(join(folder, name)))).toEqual([0o700, 0o700, 0o700]);
    expect(modeOf(folder)).toBe(0o751);
    await nodeFiles.makeDirectory(join(folder, 'a/b'), { mode: 0o755 });
    expect(modeOf(join(folder, 'a/b'))).toBe(0o700);
  });

  it.runIf(process.platform === 'linux')(
    'that the system does not make end in an error, not in a circle',
    async () => {
      await expect(nodeFiles.makeDirectory('/proc/smesh/a')).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('lose what killed writes left, and nothing else', async () => {
    const folder = tempFolder('files');
    const own = ['.smesh-a.key.0123456789ab.tmp', '.smesh-.smesh-odd.1f.tmp'];
    const others = ['a.key', '.smesh-notes', 'x.tmp', '.smesh-.tmp', '.smesh'];
    for (const name of [...own, ...others]) writeFileSync(join(folder, name), '');
    await nodeFiles.removeLeftovers(folder);
    expect(readdirSync(folder).sort()).toEqual([...others].sort());
    await nodeFiles.removeLeftovers(join(folder, 'absent'));
  });
});

describe('the lock of a project', () => {
  it('is one for all ways to the folder, says who holds it, and writes nothing', async () => {
    const folder = tempFolder('lock');
    symlinkSync(folder, join(folder, 'link'));
    const first = await takeLock(folder, 'up (pid 1)');
    expect(await takeLock(join(folder, 'link'), 'generate')).toEqual({ heldBy: 'up (pid 1)' });
    expect(readdirSync(folder)).toEqual(['link']);
    if ('release' in first) await first.release();
    const second = await takeLock(join(folder, 'link'), 'generate');
    expect(second).toHaveProperty('release');
    if ('release' in second) await second.release();
  });

  it('holds for a folder that does not exist yet', async () => {
    const folder = join(tempFolder('lock'), 'new');
    const first = await takeLock(folder, 'init (pid 1)');
    mkdirSync(folder);
    expect(await takeLock(folder, 'init (pid 2)')).toEqual({ heldBy: 'init (pid 1)' });
    if ('release' in first) await first.release();
  });

  it('is given back although somebody who asks never hangs up', async () => {
    const folder = tempFolder('lock');
    const lock = await takeLock(folder, 'up');
    const asking = takeLock(folder, 'x');
    if ('release' in lock) await lock.release();
    await asking.then(async (other) => {
      if ('release' in other) await other.release();
    });
    const again = await takeLock(folder, 'y');
    expect(again).toHaveProperty('release');
    if ('release' in again) await again.release();
  });

  it('a holder that does not say who it is does not keep anybody waiting', async () => {
    const folder = tempFolder('lock');
    const { createHash } = await import('node:crypto');
    const name = `\0smesh-compose-${createHash('sha256').update(folder).digest('hex').slice(0, 40)}`;
    const silent = createServer(() => {}).listen(name);
    onTestFinished(() => void silent.close());
    await new Promise((resolve) => silent.once('listening', resolve));
    const began = performance.now();
    expect(await takeLock(folder, 'x')).toEqual({ heldBy: 'another smesh-compose' });
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('a project directory by way of a link', () => {
  it('is the directory itself, there or yet to be made', async () => {
    const folder = tempFolder('files');
    symlinkSync(folder, `${folder}/link`);
    expect(await realDirectory(`${folder}/link`)).toBe(folder);
    expect(await realDirectory(`${folder}/link/new/project`)).toBe(`${folder}/new/project`);
  });
});
