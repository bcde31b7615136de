import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, NODE_IMAGE, OWNER, TestProject } from './support/project.ts';

const folder = suiteTempFolder('up-killed');
const pending = join(folder, '.smesh/pending-starts.json');
let project: TestProject;
let peers = 0;

beforeAll(async () => {
  project = await TestProject.make(folder, 1);
  chownSync(folder, OWNER.uid, OWNER.gid);
  const run = await project.smesh(['up', '--detach']);
  expect(run.code, run.stderr).toBe(0);
});

afterAll(async () => {
  await project.cleanUp();
});

/** The real docker, but whoever had it make containers is killed once they are made. */
function deadlyDocker(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const script = [
    '#!/bin/bash',
    `PATH=${process.env['PATH']} docker "$@"`,
    'code=$?',
    'if [[ " $* " == *" create "* ]]; then kill -9 $PPID; fi',
    'exit $code',
  ];
  writeFileSync(join(bin, 'docker'), `${script.join('\n')}\n`);
  chmodSync(join(bin, 'docker'), 0o755);
  return bin;
}

async function stateOf(service: string): Promise<string | undefined> {
  return (await project.lives())[service]?.split(' ').at(-1);
}

it('nothing is started beside a container of the same service that is up; it stays noted', async () => {
  const labels = [`com.docker.compose.project=${project.name}`, 'com.docker.compose.service=node'];
  const flags = labels.flatMap((label) => ['--label', label]);
  const second = await docker('create', ...flags, '--entrypoint', 'sleep', NODE_IMAGE, '60');
  const note = JSON.stringify({ version: 1, project: project.name, services: ['node'] });
  writeFileSync(pending, note);
  try {
    const run = await project.smesh(['generate']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).not.toContain('started now');
    expect(await docker('inspect', '--format', '{{.State.Status}}', second)).toBe('created');
    expect(JSON.parse(readFileSync(pending, 'utf8'))).toEqual(JSON.parse(note));
  } finally {
    await docker('rm', '-f', second);
    rmSync(pending);
  }
});

describe('S23: a note that names the node', () => {
  const note = (services: readonly string[], ageMs = 0) => {
    const at = new Date(Date.now() - ageMs).toISOString();
    const noted = Object.fromEntries(services.map((service) => [service, at]));
    writeFileSync(pending, JSON.stringify({ version: 1, project: project.name, services, noted }));
  };
  const flat = (text: string) => text.replace(/\s+/g, ' ');
  const lease = () => join(folder, 'node-data/identities/post-0001.lease');
  let held = '';

  beforeEach(async () => {
    held = readFileSync(lease(), 'utf8');
    await docker('stop', await project.containerOf('node'));
  });

  afterEach(async () => {
    writeFileSync(lease(), held);
    rmSync(pending, { force: true });
    await docker('start', await project.containerOf('node'));
  });

  it('starts no node whose key another host holds by now; provers are started, and the rest stays noted', async () => {
    const moved = { ...JSON.parse(held), host: { id: 'other', name: 'borg', cards: [] } };
    writeFileSync(lease(), JSON.stringify(moved));
    await docker('stop', await project.containerOf('post-0001'));
    note(['node', 'post-0001']);
    const run = await project.smesh(['generate']);
    expect(run.code, run.stderr).toBe(0);
    expect(flat(run.stderr)).toMatch(/node was down .* not started: .*borg.* smesh-compose up/);
    expect(await stateOf('node')).toBe('exited');
    expect(await stateOf('post-0001')).toBe('running');
    expect(JSON.parse(readFileSync(pending, 'utf8')).services).toEqual(['node']);
  });

  it('starts none for commands that take keys over or stop the node', async () => {
    note(['node']);
    const run = await project.smesh(['keys', 'adopt', '--all', '--confirm', 'borg']);
    expect(run.code, run.stderr).toBe(0);
    expect(flat(run.stderr)).toContain('this command does not start node');
    expect(await stateOf('node')).toBe('exited');
    const stop = await project.smesh(['stop', 'node', '--force']);
    expect(stop.stderr).not.toContain('started now');
    expect(await stateOf('node')).toBe('exited');
    expect(existsSync(pending)).toBe(true);
  });

  it('forgets a node that somebody stopped long after the note, and says so', async () => {
    note(['node'], 10 * 60_000);
    const run = await project.smesh(['generate']);
    expect(run.code, run.stderr).toBe(0);
    expect(flat(run.stderr)).toContain('somebody else stopped or made it anew since: left as found');
    expect(await stateOf('node')).toBe('exited');
    expect(existsSync(pending)).toBe(false);
  });

  it('Ctrl-C while a container that was just stopped is waited for is no bug (130)', async () => {
    note(['node']);
    await docker('start', await project.containerOf('node'));
    await docker('stop', await project.containerOf('node'));
    const lock = `@smesh-compose-${createHash('sha256').update(folder).digest('hex').slice(0, 40)}`;
    let interrupt: (() => void) | undefined;
    const ended = project.smesh(['generate'], {
      onStart: (kill) => {
        interrupt = () => kill('SIGINT');
      },
    });
    await expect.poll(() => readFileSync('/proc/net/unix', 'utf8'), { timeout: 30_000 }).toContain(lock);
    interrupt?.();
    const run = await ended;
    expect(run.code, run.stderr).toBe(130);
    expect(run.stderr).not.toContain('bug');
  });
});

describe('after up was killed between recreating the node and starting it', () => {
  beforeEach(async () => {
    // Another configuration each time: the node, and only the node, is recreated.
    peers += 1;
    project.set({ nodeConfig: { p2p: { 'min-peers': peers } } });
    const env = { PATH: `${deadlyDocker()}${delimiter}${process.env['PATH']}` };
    const killed = await project.smesh(['up', '--detach'], { env });
    expect(killed.code, killed.stdout + killed.stderr).not.toBe(0);
    expect(killed.stdout).toBe('');
    expect(await stateOf('node')).toBe('created');
    expect(existsSync(pending)).toBe(true);
  });

  afterEach(() => {
    expect(existsSync(pending)).toBe(false);
  });

  it('the next generate starts it, says so, and touches nobody else', async () => {
    const before = await project.lives();
    const run = await project.smesh(['generate']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr.replace(/\s+/g, ' ')).toContain('before it had started node again; started now');
    expect(await stateOf('node')).toBe('running');
    expect((await project.lives())['post-0001']).toBe(before['post-0001']);
    expect((await project.smesh(['generate'])).stderr).not.toContain('interrupted');
  });

  it('up of another service starts it as well', async () => {
    const run = await project.smesh(['up', 'post-0001']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(await stateOf('node')).toBe('running');
  });

  it('a command that cannot reach the engine warns and does its work; a later one starts it', async () => {
    const run = await project.smesh(['generate'], { env: { DOCKER_HOST: `unix://${folder}/none.sock` } });
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr.replace(/\s+/g, ' ')).toMatch(/may have left node down.*none\.sock/);
    expect(await stateOf('node')).toBe('created');
    expect((await project.smesh(['generate'])).code).toBe(0);
    expect(await stateOf('node')).toBe('running');
  });

  it('down takes it away without starting it', async () => {
    const run = await project.smesh(['down', '--force']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).not.toContain('started now');
    expect(await project.containerIds()).toEqual([]);
  });
});
