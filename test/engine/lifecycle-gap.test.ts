import { execFile } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeApi } from '../../src/adapters/node-api/index.ts';
import { parseSmesherId } from '../../src/domain/identity/smesher-id.ts';
import { bundleProgram } from '../e2e/support/bundle.ts';
import { cleanEnvironment } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { keepTranscript } from '../helpers/transcripts.ts';
import {
  factsOf,
  limitCpu,
  logOf,
  plain,
  turnKnobs,
  until,
  untilLogged,
  wantedOf,
} from './support/lifecycle.ts';
import { TestProject } from './support/project.ts';

const folder = suiteTempFolder('lifecycle-gap');
const LAYER_S = 6;
let project: TestProject;
let later: string;

/** Slower by sixteen, and just no hold. */
const SLOW = 6000;

/**
 * An epoch of two minutes whose cycle gap is open almost from its beginning to its end, and a node that takes its time
 * to sync: while it does, it says IDLE of everybody.
 */
beforeAll(async () => {
  later = await bundleProgram('test/engine/support/later-cli.ts', 'later-cli');
  project = await TestProject.make(folder, 3, LAYER_S);
  project.openGap();
  const quick = { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: '8000', SIM_READ_FRACTION: '1' };
  const provers = Object.fromEntries(project.identities.map(({ name }) => [name, quick]));
  turnKnobs(project, { ...provers, node: { SIM_SYNC_DELAY_MS: '8000' } });
  const generated = await project.smesh(['generate']);
  expect(generated.code, generated.stderr).toBe(0);
  // Metadata that go away after its start and before the first question: that proof fails, and sticks (§3.2).
  await project.compose('up', '-d', 'post-0003');
  await untilLogged(project, 'post-0003', /running operator service/);
  hideMetadata();
  const run = await project.smesh(['up', '--detach']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
});

afterAll(async () => {
  await project.cleanUp();
});

const metadata = () => join(project.identities[2]?.data ?? '', 'postdata_metadata.json');
const hideMetadata = () => renameSync(metadata(), `${metadata()}.away`);
const bringMetadata = () => renameSync(`${metadata()}.away`, metadata());

/** The same command as if everything had stayed so for two minutes more. */
async function smeshLater(...args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const env = cleanEnvironment({ LATER_MS: '125000' });
  return new Promise((resolve) => {
    execFile(process.execPath, [later, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      keepTranscript(`later-cli ${args.join(' ')}`, stdout + stderr);
      resolve({ code: error === null ? 0 : Number(error.code), stderr: stdout + stderr });
    });
  });
}

function misfortunes(halfOpen: readonly (string | undefined)[]): void {
  writeFileSync(join(folder, 'node-data/misfortunes.json'), JSON.stringify({ halfOpen }));
}

const proofsOf = async (service: string) =>
  (await logOf(project, service)).match(/proof is valid/g)?.length ?? 0;

async function published(service: string): Promise<boolean> {
  const { publicApi, privateApi } = project.ports;
  const endpoint = { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` };
  const id = project.identities.find(({ name }) => name === service)?.smesherId ?? '';
  const smeshers = [parseSmesherId(id)].flatMap((one) => one ?? []);
  const query = { smeshers, fromEpoch: 1, toEpoch: 1, timeoutMs: 3000 };
  const answer = await createNodeApi().activations(endpoint, query);
  return answer.ok && answer.value.some(({ publishEpoch }) => publishEpoch === 1);
}

describe('S33: a proof that failed sticks until a restart', () => {
  it('is refused before two layers, and restarted after them', async () => {
    await untilLogged(project, 'post-0003', /failed to generate proof/);
    const early = await project.smesh(['restart', 'post-0003']);
    expect(early.code, early.stdout).toBe(5);
    expect(plain(early.stderr)).toMatch(
      /post-0003 \([0-9a-f]{8}\) has a proof that the node has not fetched yet/,
    );
    const guarded = async () => project.smesh(['guard', 'post-0003']);
    await until('it counts as stuck', guarded, ({ code }) => code === 0);
    const status = await project.smesh(['status']);
    expect(plain(status.stdout)).toMatch(
      /! post-0003 cannot prove \(.*\) and stays so until it is restarted → smesh-compose restart post-0003/,
    );
    bringMetadata();
    const run = await project.smesh(['restart', 'post-0003', '--timeout', '60s']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    await untilLogged(project, 'post-0003', /proof is valid/);
  });
});

describe('in the cycle gap', () => {
  beforeAll(async () => {
    misfortunes([project.identities[1]?.smesherId]);
    await untilLogged(project, 'post-0001', /proof is valid/);
    await limitCpu(project, 'post-0001', SLOW);
    const due = (wanted: Readonly<Record<string, string>>) => wanted['post-0001'] === 'proving';
    await until('the round is over', () => wantedOf(project), due, 150_000);
    await until(
      'post-0001 reads',
      () => project.smesh(['guard', 'post-0001']),
      ({ stdout }) => / read,/.test(stdout),
    );
  });

  it('S30: the price is a registration, and the epoch that hangs on it', async () => {
    const [loss] = factsOf(await project.smesh(['restart', 'post-0001', '--json'])).losses;
    expect(loss).toMatchObject({ loses: 'work', deadline: { kind: 'register', epoch: 3 } });
    const run = await project.smesh(['stop', 'post-0001']);
    expect(plain(run.stderr)).toMatch(
      /published and registered later than .* UTC, it earns nothing in epoch 3/,
    );
  });

  it('the node is left alone, and guard says why', async () => {
    const before = await project.lives();
    const run = await project.smesh(['restart', 'node']);
    expect(run.code, run.stdout).toBe(5);
    expect(plain(run.stderr)).toMatch(
      /Refused: the node should stay up: \d identit(y has|ies have) yet to publish.*\. Nothing was changed\. node: no proof is lost by its restart, but who has not published and registered by .* earns nothing in the epoch after the next: post-0001/,
    );
    const guard = await project.smesh(['guard', 'node', '--json']);
    expect(guard.code).toBe(75);
    expect(JSON.parse(guard.stdout)).toMatchObject({
      safe: false,
      losses: [],
      node: { services: expect.arrayContaining(['post-0001']) },
    });
    expect(await project.lives()).toEqual(before);
  });

  it('S33: a half-open connection: left alone for two minutes, then a restart is safe and heals it', async () => {
    const early = await project.smesh(['restart', 'post-0002']);
    expect(early.code, early.stdout).toBe(5);
    expect(plain(early.stderr)).toMatch(/post-0002 .* is about to prove, or has just handed its proof over/);
    const before = await project.lives();
    const run = await smeshLater('restart', 'post-0002', '--detach');
    expect(run.code, run.stderr).toBe(0);
    const after = await project.lives();
    expect(after).toEqual({ ...before, 'post-0002': after['post-0002'] });
    expect(after['post-0002']).not.toBe(before['post-0002']);
    misfortunes([]);
    await until(
      'it proves again',
      () => proofsOf('post-0002'),
      (proofs) => proofs === 2,
    );
  });

  it('S31: a proof outlives its node: never stopped meanwhile, delivered afterwards', async () => {
    const life = (await project.lives())['post-0001'];
    await project.compose('stop', 'node');
    await limitCpu(project, 'post-0001', -1);
    await untilLogged(project, 'post-0001', /found proof/, 2);
    const refused = async (why: RegExp) => {
      const run = await project.smesh(['stop', 'post-0001']);
      expect(run.code, run.stdout).toBe(5);
      expect(plain(run.stderr)).toMatch(why);
    };
    await refused(/post-0001 .* has a proof that the node has not fetched yet/);
    await project.compose('start', 'node');
    const idle = (wanted: Readonly<Record<string, string>>) => wanted['post-0001'] === 'idle';
    await until('the states flash IDLE', () => wantedOf(project), idle);
    await refused(/post-0001 .* has a proof that the node has not fetched yet/);
    await until(
      'it is published',
      () => published('post-0001'),
      (is) => is,
    );
    expect((await project.lives())['post-0001']).toBe(life);
    // The initial one and this one: nothing was proved twice.
    expect((await logOf(project, 'post-0001')).match(/starting proof generation/g)).toHaveLength(2);
  });

  it('--wait waits for the safe moment, and then does it', async () => {
    const before = await project.lives();
    const file = join(folder, 'smesh.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('name: post-0001\n', '$&    nonces: 32\n'));
    const up = await project.smesh(['up', 'post-0001', '--wait', '--detach']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stderr).toMatch(/Waiting for a safe moment of post-0001\n/);
    expect(plain(up.stderr)).toMatch(/recreate post-0001 .* Costs nothing: it is idle/);
    const after = await project.lives();
    expect(after['post-0001']?.split(' ')[0]).not.toBe(before['post-0001']?.split(' ')[0]);
    expect(after).toEqual({ ...before, 'post-0001': after['post-0001'] });
    const guard = await project.smesh(['guard', 'post-0002']);
    expect(guard).toMatchObject({ code: 0, stdout: 'Safe: post-0002 may be stopped now.\n' });
    const stop = await project.smesh(['stop', 'post-0001', 'post-0002', '--wait']);
    expect(stop.code, stop.stderr).toBe(0);
    expect(stop.stdout).toMatch(/2 containers stopped: post-000\d, post-000\d\. No proof was lost/);
    expect(await published('post-0002')).toBe(true);
  });
});
