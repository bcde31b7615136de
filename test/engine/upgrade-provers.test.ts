import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliRun, cleanEnvironment, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { askNode, plain, turnKnobs, until, untilLogged, untilSynced } from './support/lifecycle.ts';
import { docker, TestProject } from './support/project.ts';
import { TestReleases } from './support/releases.ts';

const folder = suiteTempFolder('upgrade-provers');
const blobs = suiteTempFolder('upgrade-provers-blobs');

let releases: TestReleases;
let project: TestProject;
/** What post-0002 said in its first life, to its end. */
let firstLife = '';
let follower: ChildProcess;

beforeAll(async () => {
  releases = await TestReleases.serve(blobs, [
    { of: 'node', tag: 'v1.7.6' },
    { of: 'node', tag: 'v1.7.7' },
    { of: 'node', tag: 'v1.7.8' },
    { of: 'node', tag: 'v1.7.9' },
    { of: 'prover', tag: 'v0.8.5' },
    { of: 'prover', tag: 'v0.8.6' },
    // Says its version, and panics when it is to serve.
    { of: 'prover', tag: 'v0.8.7', env: { SIM_READ_MS: 'fast' } },
    { of: 'prover', tag: 'v0.8.8' },
  ]);
  project = await TestProject.make(folder, 2, 5);
  project.hurry();
  project.set({ nodeImage: releases.node('v1.7.6'), proverImage: releases.prover('v0.8.5') });
  // Works on its first proof for about a minute: it outlasts the start of the node, and the test does not wait for ever.
  // The other one's comes too late for the first round, so that nobody is eligible while the tests run.
  turnKnobs(project, {
    'post-0001': { SIM_K2POW_MS_PER_UNIT_GROUP: '5000' },
    'post-0002': { SIM_K2POW_MS_PER_UNIT_GROUP: '30000' },
  });
  const run = await project.smesh(['up']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  follower = spawn('docker', ['logs', '-f', await project.containerOf('post-0002')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [follower.stdout, follower.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      firstLife += chunk.toString();
    });
  }
  await untilLogged(project, 'post-0001', /proof is valid/);
});

afterAll(async () => {
  follower?.kill();
  await project.cleanUp();
  await releases.stop();
});

const smeshYaml = () => readFileSync(join(folder, 'smesh.yaml'), 'utf8');
const recordPath = join(folder, '.smesh/upgrade.json');

async function imageOf(service: string): Promise<string> {
  const image = await docker('inspect', '-f', '{{.Config.Image}}', await project.containerOf(service));
  return /:(v[\d.]+)(?:@|$)/.exec(image)?.[1] ?? image;
}

async function stateOf(service: string): Promise<string> {
  return docker('inspect', '-f', '{{.State.Status}}', await project.containerOf(service));
}

/** Runs it until the engine tells that of one of these services, and gives it the signal in that moment. */
async function interruptAt(
  event: string,
  services: readonly string[],
  args: readonly string[],
  signal: NodeJS.Signals = 'SIGINT',
): Promise<{ readonly run: CliRun; readonly service: string }> {
  const format = '{{index .Actor.Attributes "com.docker.compose.service"}}';
  const label = `label=com.docker.compose.project=${project.name}`;
  const filters = ['--filter', label, '--filter', `event=${event}`, '--format', format];
  const events = spawn('docker', ['events', '--since', (Date.now() / 1000).toFixed(3), ...filters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let service = '';
  try {
    const run = await project.smesh(args, {
      timeout: 150_000,
      onStart: (kill) => {
        events.stdout.on('data', (chunk: Buffer) => {
          const named = chunk
            .toString()
            .split('\n')
            .find((line) => services.includes(line));
          if (named === undefined || service !== '') return;
          service = named;
          kill(signal);
        });
      },
    });
    return { run, service };
  } finally {
    events.kill();
  }
}

async function startOf(service: string): Promise<number> {
  return Date.parse(
    await docker('inspect', '-f', '{{.State.StartedAt}}', await project.containerOf(service)),
  );
}

describe('S41: node and post-services together', () => {
  it('idle ones first, then the node; the one that proves keeps its container and is named', async () => {
    const before = await project.lives();
    // Right after its start the node says IDLE of everybody, and nobody is touched on its word alone.
    const early = await project.smesh([
      'upgrade',
      '--node',
      'v1.7.7',
      '--post-service',
      'v0.8.6',
      '--dry-run',
    ]);
    expect(early.code, early.stderr).toBe(0);
    expect(plain(early.stdout)).toMatch(/postpone post-0002 v0\.8\.5 → v0\.8\.6; but it is proving/);
    const run = await until(
      'the first is idle beyond doubt',
      () => project.smesh(['upgrade', '--post-service', 'v0.8.6', '--dry-run']),
      ({ stdout }) => /recreate +post-0001/.test(stdout),
    );
    expect(run.code).toBe(0);
    const upgraded: string[] = [];
    // The node may have to wait for a moment: then it says so, and the next run goes on.
    await until(
      'the node has its turn',
      async () => {
        const done = await project.smesh([
          'upgrade',
          '--node',
          'v1.7.7',
          '--post-service',
          'v0.8.6',
          '--json',
        ]);
        expect(done.code, done.stdout + done.stderr).toBe(10);
        const answer = JSON.parse(done.stdout);
        expect(answer).toMatchObject({ outcome: 'waiting', warnings: [] });
        expect(answer.waiting).toContainEqual({
          service: 'post-0002',
          why: expect.stringContaining('is proving'),
        });
        upgraded.push(...answer.upgraded);
        return upgraded.includes('node');
      },
      (isDone) => isDone,
      120_000,
    );
    expect(upgraded).toEqual(['post-0001', 'node']);
    const after = await project.lives();
    expect(after['post-0002']).toBe(before['post-0002']);
    expect(await startOf('post-0001')).toBeLessThan(await startOf('node'));
    expect([await imageOf('post-0001'), await imageOf('node')]).toEqual(['v0.8.6', 'v1.7.7']);
    expect(existsSync(recordPath)).toBe(true);
  });

  it('the rest follows when its proof is at the node', async () => {
    const before = await project.lives();
    const run = await project.smesh(['upgrade', '--wait', '--json'], { timeout: 150_000 });
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      outcome: 'upgraded',
      upgraded: ['post-0002'],
      waiting: [],
    });
    expect(firstLife).toContain('proof is valid');
    const after = await project.lives();
    for (const service of ['node', 'post-0001']) expect(after[service]).toBe(before[service]);
    expect(await imageOf('post-0002')).toBe('v0.8.6');
    expect(existsSync(recordPath)).toBe(false);
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
  });

  it('an image that does not do takes one post-service with it, for a moment', async () => {
    const text = smeshYaml();
    const before = await project.lives();
    const run = await project.smesh(['upgrade', '--post-service', 'v0.8.7', '--force']);
    expect(run.code, run.stdout + run.stderr).toBe(6);
    expect(plain(run.stdout)).toMatch(
      /The first post-service did not do its work with .*v0\.8\.7: post-000[12]/,
    );
    expect(plain(run.stdout)).toContain('It is back on');
    expect(smeshYaml()).toBe(text);
    const after = await project.lives();
    expect(after['node']).toBe(before['node']);
    const touched = ['post-0001', 'post-0002'].filter((service) => after[service] !== before[service]);
    expect(touched).toHaveLength(1);
    expect(await imageOf(touched[0] ?? '')).toBe('v0.8.6');
  });

  it('S35: Ctrl-C as a post-service is taken down leaves none down; who is stopped meanwhile stays so', async () => {
    const { run, service } = await interruptAt(
      'die',
      ['post-0001', 'post-0002'],
      ['upgrade', '--post-service', 'v0.8.8', '--force'],
    );
    expect(run.code, run.stdout + run.stderr).toBe(130);
    expect(plain(run.stderr)).toContain(`Stopped before upgrade had started ${service} again; started now.`);
    expect(run.stderr).not.toContain('down');
    expect(await stateOf(service)).toBe('running');
    const other = service === 'post-0001' ? 'post-0002' : 'post-0001';
    await docker('stop', await project.containerOf(other));
    const rest = await project.smesh(['upgrade', '--force', '--json']);
    expect(rest.code, rest.stdout + rest.stderr).toBe(0);
    expect(JSON.parse(rest.stdout)).toMatchObject({ outcome: 'upgraded', upgraded: [service] });
    expect(plain(rest.stderr)).toContain(`${other} was up when the upgrade began and is down now`);
    expect([await stateOf(other), await imageOf(other)]).toEqual(['exited', 'v0.8.6']);
    const up = await project.smesh(['up']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(await imageOf(other)).toBe('v0.8.8');
  });

  it('S35: Ctrl-C as the node is stopped leaves it up, on its former image', async () => {
    const { run } = await interruptAt('kill', ['node'], ['upgrade', '--node', 'v1.7.8', '--wait']);
    expect(run.code, run.stdout + run.stderr).toBe(130);
    expect(plain(run.stderr)).toContain('Stopped before upgrade had started node again; started now.');
    expect([await stateOf('node'), await imageOf('node')]).toEqual(['running', 'v1.7.7']);
    expect(existsSync(recordPath)).toBe(true);
    await untilSynced(project);
  });

  it('S35: killed as the node is stopped, the next command starts it', async () => {
    const { run } = await interruptAt('kill', ['node'], ['upgrade', '--wait'], 'SIGKILL');
    expect(run.signal).toBe('SIGKILL');
    await until(
      'the node has ended',
      () => stateOf('node'),
      (state) => state === 'exited',
    );
    const next = await project.smesh(['generate']);
    expect(next.code, next.stdout + next.stderr).toBe(0);
    expect(await stateOf('node')).toBe('running');
    await untilSynced(project);
  });

  it('S35: killed between the change of the node and the look at it, the next one goes on', async () => {
    const before = await project.containerOf('node');
    const child = spawn(process.execPath, [requireBuiltCli(), 'upgrade', '--node', 'v1.7.8', '--wait'], {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const made = async () => ({ id: await project.containerOf('node'), image: await imageOf('node') });
    await until(
      'the node has its new container',
      made,
      ({ id, image }) => id !== before && image === 'v1.7.8',
    );
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(recordPath)).toBe(true);
    const run = await project.smesh(['upgrade', '--wait', '--json']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'upgraded', upgraded: ['node'] });
    const { version, status } = await askNode(project);
    expect(version.ok && version.value).toBe('v1.7.8');
    expect(status.ok && status.value.synced).toBe(true);
    expect(existsSync(recordPath)).toBe(false);
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
  });

  it('an identity that was removed is not missed', async () => {
    // Compose refuses an override of a service that is no longer there.
    turnKnobs(project, { 'post-0001': { SIM_K2POW_MS_PER_UNIT_GROUP: '5000' } });
    const removed = await project.smesh(['remove', 'post-0002']);
    expect(removed.code, removed.stdout + removed.stderr).toBe(0);
    const run = await project.smesh(['upgrade', '--node', 'v1.7.9', '--force', '--json']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'upgraded', upgraded: ['node'], warnings: [] });
    expect(await imageOf('node')).toBe('v1.7.9');
  });
});
