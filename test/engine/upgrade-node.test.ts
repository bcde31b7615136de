import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { askNode, plain, turnKnobs, untilSynced } from './support/lifecycle.ts';
import { docker, TestProject } from './support/project.ts';
import { TestReleases } from './support/releases.ts';

const folder = suiteTempFolder('upgrade-node');
const blobs = suiteTempFolder('upgrade-node-blobs');
const FOR_EVER = '3600000';
const BUSY = {
  'post-0001': { SIM_K2POW_MS_PER_UNIT_GROUP: FOR_EVER },
  'post-0002': { SIM_K2POW_MS_PER_UNIT_GROUP: FOR_EVER },
};

let releases: TestReleases;
let project: TestProject;

beforeAll(async () => {
  releases = await TestReleases.serve(blobs, [
    { of: 'node', tag: 'v1.7.6' },
    { of: 'node', tag: 'v1.7.7' },
    // Ends at its start, never listens, never gets in sync, and one that migrates first.
    { of: 'node', tag: 'v1.7.8', env: { SIM_START_DELAY_MS: 'soon' } },
    { of: 'node', tag: 'v1.7.9', env: { SIM_START_DELAY_MS: FOR_EVER } },
    { of: 'node', tag: 'v1.7.10', env: { SIM_SYNC_DELAY_MS: FOR_EVER } },
    { of: 'node', tag: 'v1.7.11', env: { SIM_SYNC_DELAY_MS: FOR_EVER, SIM_STATE_VERSION: '26' } },
    { of: 'prover', tag: 'v0.8.5' },
    { of: 'prover', tag: 'v0.8.8', entrypoint: ['/bin/nothing'] },
  ]);
  project = await TestProject.make(folder, 2, 5);
  project.hurry();
  project.set({ nodeImage: releases.node('v1.7.6'), proverImage: releases.prover('v0.8.5') });
  // Both work on their first proof for as long as the tests look at them: nobody publishes, so nobody is ever eligible,
  // and the node has to wait for nothing but the few seconds of the gap.
  turnKnobs(project, BUSY);
  const run = await project.smesh(['up']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  await untilSynced(project);
});

afterAll(async () => {
  await project.cleanUp();
  await releases.stop();
});

const smeshYaml = () => readFileSync(join(folder, 'smesh.yaml'), 'utf8');

async function imageOf(service: string): Promise<string> {
  return docker('inspect', '-f', '{{.Config.Image}}', await project.containerOf(service));
}

async function versionOfNode(): Promise<string> {
  const { version } = await askNode(project);
  return version.ok ? version.value : version.error.message;
}

describe('S24: before anything is pulled', () => {
  it('--check says what is newer among stable releases, and what nobody can say', async () => {
    const run = await project.smesh(['upgrade', '--check', '--json']);
    expect(run.code, run.stderr).toBe(10);
    const { images } = JSON.parse(run.stdout);
    expect(images).toMatchObject([
      {
        use: 'node',
        state: 'newer',
        current: 'v1.7.6',
        newer: ['v1.7.11', 'v1.7.10', 'v1.7.9', 'v1.7.8', 'v1.7.7'],
      },
      { use: 'post-service', state: 'newer', newer: ['v0.8.8'], next: 'v0.8.8' },
    ]);
  });

  it('--check ends with 4 when nobody can say anything: cron must not take that for the newest', async () => {
    const text = smeshYaml();
    writeFileSync(join(folder, 'smesh.yaml'), text.replaceAll(releases.registry.host, '127.0.0.1:1'));
    const run = await project.smesh(['upgrade', '--check']);
    writeFileSync(join(folder, 'smesh.yaml'), text);
    expect(run.code, run.stdout).toBe(4);
    expect(run.stdout).toContain('nobody knows whether there is a newer one');
    expect(plain(run.stderr)).toContain('Nobody could be asked');
    expect((await project.smesh(['upgrade', '--check', '--wait'])).code).toBe(2);
  });

  it('refuses what cannot be reached, and what is broken; nothing is asked of the registry', async () => {
    const before = await project.lives();
    const asked = releases.registry.asked.length;
    const refused = async (...args: string[]) => {
      const run = await project.smesh(['upgrade', ...args]);
      expect(run.stderr).toContain('Nothing was changed');
      return { code: run.code, words: plain(run.stderr) };
    };
    expect(await refused('--node', 'v1.9.0')).toMatchObject({
      code: 5,
      words: expect.stringContaining('v1.8.x'),
    });
    expect(await refused('--node', 'v1.7.4')).toMatchObject({
      code: 5,
      words: expect.stringContaining('older'),
    });
    expect(await refused('--node', 'v1.7.5')).toMatchObject({
      code: 3,
      words: expect.stringContaining('invalid ATX'),
    });
    expect(await refused('--post-service', 'latest')).toMatchObject({ code: 3 });
    expect(await refused('--post-service', 'v0.7.8')).toMatchObject({
      code: 3,
      words: expect.stringContaining('have other flags and another program name'),
    });
    expect(releases.registry.asked.length).toBe(asked);
    expect(await project.lives()).toEqual(before);
  });

  it('up refuses the same jump when smesh.yaml was edited by hand', async () => {
    const text = smeshYaml();
    const before = await project.lives();
    const asked = releases.registry.asked.length;
    writeFileSync(join(folder, 'smesh.yaml'), text.replace('go-spacemesh:v1.7.6', 'go-spacemesh:v1.9.0'));
    const run = await project.smesh(['up']);
    writeFileSync(join(folder, 'smesh.yaml'), text);
    expect(run.code, run.stdout).toBe(5);
    expect(plain(run.stderr)).toContain('From v1.7.6 no node goes to v1.9.0 at once');
    expect(await project.lives()).toEqual(before);
    expect(releases.registry.asked.length).toBe(asked);
  });

  it('refuses a release that is not there, or whose program does not run', async () => {
    const before = { lives: await project.lives(), text: smeshYaml() };
    const missing = await project.smesh(['upgrade', '--node', 'v1.7.99']);
    expect(missing.code).toBe(4);
    expect(plain(missing.stderr)).toContain('go-spacemesh:v1.7.99 cannot be had. Nothing was changed.');
    const broken = await project.smesh(['upgrade', '--post-service', 'v0.8.8']);
    expect(broken.code).toBe(4);
    expect(broken.stderr).toContain('does not even say its version');
    expect({ lives: await project.lives(), text: smeshYaml() }).toEqual(before);
    expect(existsSync(join(folder, '.smesh/upgrade.json'))).toBe(false);
  });

  it('a dry run shows the plan and pulls nothing', async () => {
    const asked = releases.registry.asked.length;
    const run = await project.smesh(['upgrade', '--node', 'v1.7.7', '--dry-run']);
    expect(run.code, run.stderr).toBe(0);
    expect(plain(run.stdout)).toMatch(/the node to .*go-spacemesh:v1\.7\.7:/);
    expect(plain(run.stdout)).toMatch(/(recreate|postpone) node v1\.7\.6 → v1\.7\.7.*no proof is lost/);
    expect(releases.registry.asked.length).toBe(asked);
  });
});

describe('S24: a node that has not been started here', () => {
  const data = suiteTempFolder('upgrade-space');
  const TIB = 1024 ** 4;

  it('is refused a migration without room for a second state.sql, before anything is pulled', async () => {
    const idle = await TestProject.make(data, 1);
    idle.set({ nodeImage: releases.node('v1.6.8'), proverImage: releases.prover('v0.8.5') });
    for (const [name, version] of [
      ['local', 8],
      ['state', 21],
    ] as const) {
      const path = join(data, 'node-data', `${name}.sql`);
      const database = new Database(path);
      database.exec(`PRAGMA user_version = ${version}; CREATE TABLE t (x)`);
      database.close();
      // Of holes: nobody has the room for it twice.
      if (name === 'state') truncateSync(path, 8 * TIB);
    }
    const asked = releases.registry.asked.length;
    const run = await idle.smesh(['upgrade', '--node', 'v1.7.7']);
    expect(run.code, run.stdout + run.stderr).toBe(4);
    expect(plain(run.stderr)).toMatch(/v1\.7\.7 migrates state\.sql: .*\(8192 GiB\).* are free/);
    expect(releases.registry.asked.length).toBe(asked);
    const jump = await idle.smesh(['upgrade', '--node', 'v1.8.0']);
    expect(jump.code, jump.stdout + jump.stderr).toBe(5);
    expect(plain(jump.stderr)).toContain('v1.7.x');
    await idle.cleanUp();
  });
});

describe('S41: the node', () => {
  it('gets its image and its digest; post-services go on in the same containers', async () => {
    const before = await project.lives();
    const run = await project.smesh(['upgrade', '--node', 'v1.7.7', '--wait', '--json']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      outcome: 'upgraded',
      upgraded: ['node'],
      waiting: [],
      warnings: [],
    });
    expect(await versionOfNode()).toBe('v1.7.7');
    const image = await imageOf('node');
    expect(image).toMatch(/go-spacemesh:v1\.7\.7@sha256:[0-9a-f]{64}$/);
    expect(smeshYaml()).toContain(image);
    const after = await project.lives();
    expect(after['node']).not.toBe(before['node']);
    for (const prover of ['post-0001', 'post-0002']) expect(after[prover]).toBe(before[prover]);
    expect(existsSync(join(folder, '.smesh/upgrade.json'))).toBe(false);
    expect(
      readdirSync(join(folder, '.smesh/backups')).some((name) => name.endsWith('-upgrade.smesh-backup.tar')),
    ).toBe(true);
  });

  it('a second time there is nothing to do, and up and plain Compose leave all as it is', async () => {
    const before = await project.lives();
    const again = await project.smesh(['upgrade', '--node', 'v1.7.7']);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain('Nothing to upgrade');
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
    await project.compose('up', '-d');
    expect(await project.lives()).toEqual(before);
  });

  it('one that others have finished is complete, and asks for no release', async () => {
    const [text, image] = [smeshYaml(), await imageOf('node')];
    const record = {
      ...{ version: 1, startedAt: new Date().toISOString(), before: text, after: text, back: {} },
      ...{ node: { from: image, to: image }, running: ['node'], synced: true, smesherIds: [], databases: {} },
      passed: ['node'],
    };
    const path = join(folder, '.smesh/upgrade.json');
    writeFileSync(path, JSON.stringify(record));
    const asked = releases.registry.asked.length;
    const run = await project.smesh(['upgrade', '--wait']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^It is complete: nothing was left to do for .*go-spacemesh:v1\.7\.7\.$/m);
    expect(releases.registry.asked.length).toBe(asked);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['ends at its start', 'v1.7.8', '1h', 'SIM_START_DELAY_MS is not a number'],
    ['never listens', 'v1.7.9', '6s', 'not healthy after'],
    ['never gets in sync', 'v1.7.10', '14s', 'not in sync after'],
  ])('one that %s goes back to the former image', async (_, tag, timeout, why) => {
    const text = smeshYaml();
    const before = await project.lives();
    const image = await imageOf('node');
    const run = await project.smesh(['upgrade', '--node', tag, '--wait', '--timeout', timeout]);
    expect(run.code, run.stdout + run.stderr).toBe(6);
    expect(plain(run.stdout)).toContain(why);
    expect(plain(run.stdout)).toContain('It is back on');
    expect(smeshYaml()).toBe(text);
    expect(await imageOf('node')).toBe(image);
    expect(await versionOfNode()).toBe('v1.7.7');
    const after = await project.lives();
    for (const prover of ['post-0001', 'post-0002']) expect(after[prover]).toBe(before[prover]);
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
  });

  it('one that cannot be started is a failure, and nobody claims that it is as it was', async () => {
    const text = smeshYaml();
    const copies = () =>
      readdirSync(join(folder, '.smesh/backups')).filter((name) =>
        /-upgrade(-\d+)?\.smesh-backup\.tar$/.test(name),
      );
    const before = copies().length;
    turnKnobs(project, BUSY, { node: { devices: ['/dev/smt-is-not-there'] } });
    const run = await project.smesh(['upgrade', '--node', 'v1.7.8', '--wait', '1m']);
    expect(run.code, run.stdout + run.stderr).toBe(6);
    expect(plain(run.stdout)).toContain('node could not be started');
    expect(plain(run.stdout)).toContain('The node is down.');
    expect(run.stdout).not.toMatch(/as they are|No container was changed/);
    expect(smeshYaml()).toBe(text);
    expect(copies().length).toBe(before + 1);
    turnKnobs(project, BUSY);
    const up = await project.smesh(['up']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    await untilSynced(project);
    expect(await versionOfNode()).toBe('v1.7.7');
  });

  it('one that has migrated its database first stays, and says why nothing leads back', async () => {
    const run = await project.smesh(['upgrade', '--node', 'v1.7.11', '--wait', '--timeout', '14s', '--json']);
    expect(run.code, run.stdout + run.stderr).toBe(6);
    const answer = JSON.parse(run.stdout);
    expect(answer).toMatchObject({
      outcome: 'failed',
      failed: { use: 'node', back: { kind: 'impossible' } },
    });
    expect(answer.failed.back.why).toContain('state.sql from version 25 to 26');
    expect(await imageOf('node')).toContain(':v1.7.11@');
    expect(smeshYaml()).toContain(':v1.7.11@');
    // The proof that it was right: the former release would not have started.
    const back = await project.smesh(['upgrade', '--node', 'v1.7.7']);
    expect(back.code, back.stdout + back.stderr).toBe(5);
    expect(plain(back.stderr)).toContain('v1.7.7 is older than v1.7.11');
  });
});
