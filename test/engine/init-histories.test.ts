import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLocalDatabase } from '../e2e/support/local-database.ts';
import { COINBASE } from '../e2e/support/project.ts';
import { makePostDirectory } from '../helpers/post-data.ts';
import { type CliRun, runCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { describeTree } from '../helpers/tree.ts';
import { docker, NODE_IMAGE } from './support/project.ts';

const base = suiteTempFolder('init-histories');
const prefix = `smt-init-${process.pid}`;
const container = `${prefix}-node`;
const volume = `${prefix}-volume`;

/** PoST data that are found, and two project folders: one to begin, one that has a project. */
const data = join(base, 'data');
const fresh = join(base, 'fresh');
const present = join(base, 'present');
let directory: ReturnType<typeof makePostDirectory>;

const init = (cwd: string, from: string, env: Record<string, string> = {}): Promise<CliRun> =>
  runCli(['init', '--yes', '--data', from, '--coinbase', COINBASE], { cwd, env });

beforeAll(async () => {
  for (const folder of [data, fresh, present, join(base, 'other')]) mkdirSync(folder);
  directory = makePostDirectory(join(data, 'post01'));
  makePostDirectory(join(base, 'other/post02'));
  expect(await init(present, join(base, 'other'))).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await docker('rm', '-f', container).catch(() => '');
  await docker('volume', 'rm', '-f', volume).catch(() => '');
});

async function makeNode(mount: string, ...more: string[]): Promise<void> {
  await docker('rm', '-f', container).catch(() => '');
  await docker(
    'create',
    '--name',
    container,
    '-v',
    mount,
    ...more,
    '--entrypoint',
    'sleep',
    NODE_IMAGE,
    '600',
  );
}

async function expectRefusals(folder: string, says: RegExp): Promise<void> {
  const before = describeTree(base);
  const runs = [
    await init(fresh, data),
    await init(present, data),
    await runCli(['add', '--yes', '--data', data], { cwd: present }),
  ];
  for (const run of runs) {
    expect(run, run.stderr).toMatchObject({ code: 5 });
    const text = run.stderr.replace(/\s+/g, ' ');
    expect(text).toContain(`have smeshed with the node in ${folder}`);
    expect(text).toContain(directory.smesherId.slice(0, 8));
    expect(text).toMatch(says);
  }
  expect(describeTree(base)).toEqual(before);
}

describe('S23: init and add, for an identity that has smeshed with another node of the engine', () => {
  it('refuse, whether that node is down or runs', async () => {
    const nodeData = join(base, 'their node');
    mkdirSync(nodeData);
    makeLocalDatabase(join(nodeData, 'local.sql'), directory.smesherId);
    await makeNode(`${nodeData}:/data`);
    await expectRefusals(nodeData, new RegExp(`container ${container}\\)`));
    await docker('start', container);
    await expectRefusals(nodeData, new RegExp(`container ${container}, which runs\\)`));
    // Without an engine nobody is asked, and nobody is told.
    const alone = await runCli(['init', '--yes', '--dry-run', '--data', data, '--coinbase', COINBASE], {
      cwd: fresh,
      env: { DOCKER_HOST: `unix://${base}/no-engine.sock` },
    });
    expect(alone, alone.stderr).toMatchObject({ code: 0 });
    expect(alone.stderr).not.toContain('Docker');
  });

  it('refuse when its folder is a named volume', async () => {
    await makeNode(`${volume}:/data`);
    const place = await docker('volume', 'inspect', '--format', '{{.Mountpoint}}', volume);
    makeLocalDatabase(join(place, 'local.sql'), directory.smesherId);
    await expectRefusals(place, new RegExp(`container ${container}\\)`));
  });

  it('go on when it is of others', async () => {
    await docker('rm', '-f', container);
    expect(await init(fresh, data)).toMatchObject({ code: 0 });
  });
});
