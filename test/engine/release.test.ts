import { spawn } from 'node:child_process';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { OWNER, TestProject } from './support/project.ts';

const folder = suiteTempFolder('release');
const leaseFile = join(folder, 'node-data/identities/post-0002.lease');
const stateOf = () => JSON.parse(readFileSync(leaseFile, 'utf8')).state as string;
const flat = (text: string) => text.replace(/\s+/g, ' ');
let project: TestProject;
let yaml = '';

beforeAll(async () => {
  project = await TestProject.make(folder, 2);
  chownSync(folder, OWNER.uid, OWNER.gid);
  const up = await project.smesh(['up', '--detach']);
  expect(up.code, up.stderr).toBe(0);
  const removed = await project.smesh(['remove', 'post-0002']);
  expect(removed.code, removed.stderr).toBe(0);
  yaml = readFileSync(join(folder, 'smesh.yaml'), 'utf8');
});

afterAll(async () => {
  await project.cleanUp();
});

describe('S40: a removed identity is not released while its node goes on', () => {
  it('under the name that the project had before', async () => {
    writeFileSync(join(folder, 'smesh.yaml'), yaml.replace(project.name, `${project.name}-new`));
    const down = await project.smesh(['down', '--force']);
    expect(down.code, down.stderr).toBe(0);
    expect(flat(down.stderr)).toMatch(/post-0002 \(.*\): not released yet.* goes on with it/);
    expect(stateOf()).toBe('leaving');
    writeFileSync(join(folder, 'smesh.yaml'), yaml);
  });

  it('where nobody finds it: its lock says that somebody works on the folder', async () => {
    const down = await project.smesh(['down', '--force']);
    expect(down.code, down.stderr).toBe(0);
    expect(flat(down.stderr)).toMatch(/post-0002 \(.*\): released. This project's node is down/);
    // The same again, with a holder of the lock that looks like no node.
    writeFileSync(leaseFile, readFileSync(leaseFile, 'utf8').replace('"released"', '"leaving"'));
    const lock = join(folder, 'node-data/LOCK');
    const holder = spawn('flock', ['-x', lock, 'sleep', '600'], { stdio: 'ignore', detached: true });
    const inode = `:${statSync(lock).ino} `;
    try {
      await expect.poll(() => readFileSync('/proc/locks', 'utf8')).toContain(inode);
      const again = await project.smesh(['down']);
      expect(again.code, again.stderr).toBe(0);
      expect(flat(again.stderr)).toMatch(
        /post-0002 \(.*\): not released yet.*LOCK, so a node that was not found/,
      );
      expect(stateOf()).toBe('leaving');
    } finally {
      if (holder.pid !== undefined) process.kill(-holder.pid);
    }
    await expect.poll(() => readFileSync('/proc/locks', 'utf8')).not.toContain(inode);
    const last = await project.smesh(['down']);
    expect(flat(last.stderr)).toMatch(/: released/);
    expect(stateOf()).toBe('released');
  });

  it('once released it is not taken back without a word: another host may have it by now', async () => {
    const [, moved] = project.identities;
    expect(stateOf()).toBe('released');
    const added = await project.smesh(['add', moved?.data ?? '']);
    expect(added.code, added.stderr).toBe(0);
    const up = await project.smesh(['up', '--detach']);
    expect(up.code, up.stderr).toBe(5);
    expect(flat(up.stderr)).toMatch(/was given up here .* smesh-compose keys adopt/);
    expect(await project.containerIds()).toEqual([]);
    const adopted = await project.smesh(['keys', 'adopt', '--all', '--confirm', hostname()]);
    expect(adopted.code, adopted.stderr).toBe(0);
    expect((await project.smesh(['plan'])).code).toBe(0);
  });
});
