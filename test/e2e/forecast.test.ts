import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePostDirectory } from '../helpers/post-data.ts';
import { runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';

const NO_DOCKER = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';

interface Disk {
  readonly identities: number;
  readonly units: number;
}

/** A project on mainnet whose identities say on which disk they are. */
function makeProject(disks: readonly Disk[]): string {
  const folder = tempFolder('forecast');
  const lines = disks.flatMap(({ identities, units }, disk) =>
    Array.from({ length: identities }, (_, index) => {
      const data = join(folder, `d${disk}`, `post${index}`);
      const { smesherId } = makePostDirectory(data, { units });
      return `  - {id: ${smesherId}, name: post-${disk}${index}, data: ${data}, disk: disk${disk}}`;
    }),
  );
  const settings = [
    'version: 1',
    'name: farm',
    'network: mainnet',
    `coinbase: ${COINBASE}`,
    'schedule: {memory: 32g, rates: {k2pow: 8000, disks: {disk0: 180MB/s}}}',
    'defaults: {nonces: 288}',
    'identities:',
  ];
  writeFileSync(join(folder, 'smesh.yaml'), [...settings, ...lines, ''].join('\n'));
  return folder;
}

describe('forecast', () => {
  it('works without Docker and ends with 0 when everybody registers', async () => {
    const folder = makeProject([
      { identities: 2, units: 8 },
      { identities: 1, units: 8 },
    ]);
    const run = await runCli(['-C', folder, 'forecast', '--json'], { env: NO_DOCKER });
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const document = JSON.parse(run.stdout);
    expect(document).toMatchObject({ schemaVersion: 1, project: 'farm', fits: true, remedies: [] });
    expect(document.identities.map(({ name }: { name: string }) => name)).toEqual([
      'post-00',
      'post-01',
      'post-10',
    ]);
    expect(
      document.disks.map(({ disk, source }: { disk: string; source: string }) => [disk, source]),
    ).toEqual([
      ['disk0', 'configured'],
      ['disk1', 'default'],
    ]);
    expect(document.assumptions).toMatchObject({
      hashesPerSecond: 8000,
      hashesPerSecondSource: 'configured',
    });
    expect(existsSync(join(folder, '.smesh')), 'a forecast writes nothing').toBe(false);
  });

  it('S25: ends with 3 for a full disk of 10 TB, says who misses it and what would help, in 80 columns', async () => {
    const folder = makeProject([{ identities: 4, units: 36 }]);
    const run = await runCli(['-C', folder, 'forecast', '--runs', '20'], {
      env: { ...NO_DOCKER, COLUMNS: '80' },
    });
    expect(run.code).toBe(3);
    expect(run.stdout).toMatch(/^Next cycle gap: .* UTC, 12 h\.\n/);
    expect(run.stdout).toMatch(/^! [12] of 4 miss(es)? the registration at Mon .* 08:00 UTC/m);
    // The rest depends on the cores of this machine: few of them cannot follow the disk.
    expect(run.stdout).toContain('What would help, each by itself:');
    expect(run.stdout).toMatch(/at most \d+ of 144 units on disk0/);
    expect(run.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('answers what if: with fewer nonces a pass is rarer enough', async () => {
    const folder = makeProject([{ identities: 1, units: 4 }]);
    const text = async (...args: string[]) =>
      (await runCli(['-C', folder, 'forecast', '--runs', '50', '--json', ...args], { env: NO_DOCKER }))
        .stdout;
    const [many, few] = [JSON.parse(await text()), JSON.parse(await text('--nonces', '64'))];
    expect(few.doneP90).not.toBe(many.doneP90);
    expect(many.runs).toBe(50);
  });

  it('refuses what makes no sense', async () => {
    const folder = makeProject([{ identities: 1, units: 4 }]);
    for (const args of [
      ['--nonces', '100'],
      ['--gap', 'last'],
      ['--runs', '0'],
    ]) {
      expect((await runCli(['-C', folder, 'forecast', ...args], { env: NO_DOCKER })).code).toBe(2);
    }
  });
});

describe('bench disk', () => {
  const options = ['--for', '600ms'];

  it('reads real files, keeps the rate for the forecast, and changes nothing of them', async () => {
    const folder = makeProject([{ identities: 1, units: 4 }]);
    const data = join(folder, 'd0', 'post0');
    const content = randomBytes(48 * 2 ** 20);
    rmSync(join(data, 'postdata_0.bin'));
    writeFileSync(join(data, 'postdata_0.bin'), content);
    writeFileSync(
      join(folder, 'smesh.yaml'),
      readFileSync(join(folder, 'smesh.yaml'), 'utf8').replace(', disks: {disk0: 180MB/s}', ''),
    );

    const bench = ['-C', folder, 'bench', 'disk', ...options, '--json'];
    const refused = await runCli(bench, { env: NO_DOCKER });
    expect(refused.code, 'who proves cannot be asked').toBe(4);

    const run = await runCli([...bench, '--force'], { env: NO_DOCKER });
    expect(run.code).toBe(0);
    const document = JSON.parse(run.stdout);
    expect(document.disks).toHaveLength(1);
    const [disk] = document.disks;
    expect(disk).toMatchObject({ disk: 'disk0', services: ['post-00'] });
    expect(disk.bytesPerSecond).toBeGreaterThan(1e6);
    expect(disk.bytesRead).toBeGreaterThan(0);
    expect(readFileSync(join(data, 'postdata_0.bin')).equals(content)).toBe(true);

    const forecast = JSON.parse(
      (await runCli(['-C', folder, 'forecast', '--json', '--runs', '5'], { env: NO_DOCKER })).stdout,
    );
    expect(document.kept).toBe(disk.counts);
    expect(forecast.disks[0].source).toBe(disk.counts ? 'measured' : 'default');
    if (disk.counts) expect(forecast.disks[0].bytesPerSecond).toBe(disk.bytesPerSecond);
  });

  it('takes directories without a project, and says what is not there', async () => {
    const folder = tempFolder('bench');
    mkdirSync(join(folder, 'post'));
    writeFileSync(join(folder, 'post', 'postdata_0.bin'), randomBytes(2 ** 20));
    const here = join(folder, 'post');
    const run = await runCli(['-C', folder, 'bench', 'disk', here, `${here}-gone`, ...options], {
      env: NO_DOCKER,
    });
    expect(run.code).toBe(6);
    expect(run.stdout).toContain(`! ${here}-gone: is not there`);
    expect((await runCli(['-C', folder, 'bench', 'disk'], { env: NO_DOCKER })).code).toBe(3);
    expect((await runCli(['-C', folder, 'bench', 'memory'], { env: NO_DOCKER })).code).toBe(2);
  });
});
