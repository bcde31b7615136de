import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, truncateSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { scanFolders, verdictsOf } from './scan-folder.ts';

function mount(point: string, ...args: string[]): void {
  mkdirSync(point, { recursive: true });
  execFileSync('mount', [...args, point], { stdio: 'ignore' });
  onTestFinished(() => {
    execFileSync('umount', [point], { stdio: 'ignore' });
  });
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'smt', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const small = (path: string) => makePostDirectory(path, { network: 'standalone' });

describe.skipIf(!canMount())('real mounts (skipped where this process may not mount)', () => {
  it('S1: ten directories on five disks are grouped by disk', async () => {
    const folder = tempFolder('mounts');
    for (let disk = 1; disk <= 5; disk += 1) {
      mount(`${folder}/d${disk}`, '-t', 'tmpfs', '-o', 'size=1m', `smt-scan-${disk}`);
      small(`${folder}/d${disk}/post1`);
      small(`${folder}/d${disk}/post2`);
    }
    const report = await scanFolders([folder]);
    expect(report.directories.map(({ disk }) => disk)).toEqual(
      [1, 1, 2, 2, 3, 3, 4, 4, 5, 5].map((disk) => `tmpfs:${folder}/d${disk}`),
    );
    expect(report.disks).toHaveLength(5);
    for (const disk of report.disks) expect(disk.freeBytes).toBeGreaterThan(0);
    expect(new Set(Object.values(verdictsOf(report, folder)))).toEqual(new Set(['ready']));
  });

  it('S12: a read-only mount can be proved from, and that is said', async () => {
    const folder = tempFolder('mounts');
    mount(`${folder}/d`, '-t', 'tmpfs', 'smt-scan-ro');
    small(`${folder}/d/post`);
    execFileSync('mount', ['-o', 'remount,ro', `${folder}/d`]);
    const report = await scanFolders([folder]);
    expect(verdictsOf(report, folder)).toEqual({ 'd/post': 'ready' });
    expect(report.directories[0]?.notes.join()).toContain('read-only mount');
  });

  it('S2: the same directory seen again through a bind mount is no duplicate', async () => {
    const folder = tempFolder('mounts');
    small(`${folder}/data/post`);
    mount(`${folder}/view`, '--bind', `${folder}/data`);
    expect(verdictsOf(await scanFolders([folder]), folder)).toEqual({ 'data/post': 'ready' });
  });

  it('S15: an image file counts as the disk that it lies on', async () => {
    const folder = tempFolder('mounts');
    const image = `${folder}/image`;
    closeSync(openSync(image, 'w'));
    truncateSync(image, 8 * 2 ** 20);
    execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'ignore' });
    mount(`${folder}/d`, '-o', 'loop', image);
    small(`${folder}/d/post`);
    small(`${folder}/beside`);
    const report = await scanFolders([folder]);
    expect(new Set(report.directories.map(({ disk }) => disk)).size).toBe(1);
    expect(report.directories).toHaveLength(2);
  });
});
