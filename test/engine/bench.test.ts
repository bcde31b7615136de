import { appendFileSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { startBusyProject } from './support/busy-project.ts';
import { plain, until } from './support/lifecycle.ts';
import { OWNER, POSTCLI_IMAGE, type TestProject } from './support/project.ts';

const folder = suiteTempFolder('bench');
let project: TestProject;

beforeAll(async () => {
  project = await startBusyProject(folder, true);
});

afterAll(async () => {
  await project.cleanUp();
});

describe('bench beside provers at work', () => {
  it('reads no disk on which somebody proves, and says who', async () => {
    const before = await project.lives();
    const run = await project.smesh(['bench', 'disk', '--for', '1s']);
    expect(run.code, run.stdout).toBe(5);
    expect(run.stdout).toBe('');
    expect(plain(run.stderr)).toMatch(/^Refused: on .+ somebody proves or may prove; .*Nothing was read\./m);
    expect(run.stderr).toContain('post-0001');
    expect(run.stderr).toContain('smesh-compose bench disk --force');
    const json = await project.smesh(['bench', 'disk', '--for', '1s', '--json']);
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: 'disk-busy', exitCode: 5 });
    expect(await project.lives()).toEqual(before);
  });

  it('post verify reads no label there either, and says the structure all the same', async () => {
    const before = await project.lives();
    const run = await project.smesh(['post', 'verify', 'post-0003']);
    expect(run.code, run.stdout).toBe(5);
    expect(plain(run.stderr)).toMatch(/^Refused: .+ at work, and a second reader makes both slow\./m);
    expect(run.stderr).toContain('post-0001');
    expect(run.stdout).toMatch(/post-0003 .* whole /);
    const search = await project.smesh(['post', 'verify', '--search-nonce', '--json']);
    expect(JSON.parse(search.stdout).places.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      project.identities.map(() => 'has-one'),
    );
    expect(await project.lives()).toEqual(before);
  });

  it('post init begins no data there, and does when it is told to', async () => {
    const before = await project.lives();
    const data = join(folder, 'post-0009');
    const job = `{name: post-0009-init, id: '${'9a'.repeat(32)}', data: ${data}, units: 1, commitmentAtx: '${'ab'.repeat(32)}'}`;
    mkdirSync(data);
    chownSync(data, OWNER.uid, OWNER.gid);
    appendFileSync(
      join(folder, 'smesh.yaml'),
      `init: {image: '${POSTCLI_IMAGE}', gpu: cpu, jobs: [${job}]}\n`,
    );
    expect((await project.smesh(['generate'])).code).toBe(0);
    const held = await project.smesh(['post', 'init', '--resume', '--detach']);
    expect(held.code, held.stderr).toBe(0);
    expect(held.stdout).toMatch(/post-0009-init {2}waits: post-000\d and .* on .*--during-gap/s);
    expect(readdirSync(data)).toEqual([]);
    expect(await project.lives()).toEqual(before);
    const told = await project.smesh(['post', 'init', '--resume', '--detach', '--during-gap']);
    expect(told.code, told.stderr).toBe(0);
    await until(
      'it has begun',
      async () => readdirSync(data),
      (names) => names.length > 0,
    );
    const { 'post-0009-init': _, ...others } = await project.lives();
    expect(others).toEqual(before);
  });

  it('reads it all the same when it is told to, and disturbs nobody', async () => {
    const before = await project.lives();
    const run = await project.smesh(['bench', 'disk', '--for', '500ms', '--force', '--json']);
    expect(run.code, run.stderr).toBe(0);
    const { disks } = JSON.parse(run.stdout);
    expect(disks.length).toBeGreaterThan(0);
    for (const disk of disks) expect(disk.bytesPerSecond).toBeGreaterThan(0);
    expect(await project.lives()).toEqual(before);
  });

  it('tells that k2pow of a private network is nothing to measure', async () => {
    const run = await project.smesh(['bench', 'k2pow', '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ trivial: true, hashesPerSecond: null, kept: false });
  });

  it('forecasts the gap of the private network from what the engine says', async () => {
    const run = await project.smesh(['forecast', '--json', '--runs', '20']);
    expect([0, 3]).toContain(run.code);
    const { identities, assumptions } = JSON.parse(run.stdout);
    expect(identities.length).toBeGreaterThan(2);
    expect(assumptions.cores).toBeGreaterThan(0);
  });
});
