import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createNodeApi } from '../../src/adapters/node-api/index.ts';
import { readLease, writeLease } from '../../src/domain/identity/lease.ts';
import { parseSmesherId, type SmesherId } from '../../src/domain/identity/smesher-id.ts';
import { runCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, NODE_IMAGE, TestProject } from './support/project.ts';

const folder = suiteTempFolder('identity-guard');
const flat = (text: string) => text.replace(/\s+/g, ' ');

/** `docker compose` of a project that somebody made by hand, beside ours. */
async function handMade(name: string, node: Record<string, unknown>) {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  const file = join(place, 'compose.yaml');
  writeFileSync(file, stringify({ name, services: { node } }));
  const compose = (...args: string[]) => docker('compose', '-p', name, '-f', file, ...args);
  return { compose, container: `${name}-node-1`, remove: () => compose('down', '-t', '0', '-v') };
}

/** A node's data folder with nothing in it but a copy of somebody's key. */
function keyElsewhere(name: string, keyFile: string): string {
  const data = join(folder, name);
  mkdirSync(join(data, 'identities'), { recursive: true });
  writeFileSync(join(data, 'identities/old.key'), keyFile, { mode: 0o600 });
  return data;
}

const idle = { image: NODE_IMAGE, entrypoint: ['sleep', '600'] };

describe('S23: a second node with the same identities', () => {
  let project: TestProject;
  const key = () => project.identities[0]?.keyFile ?? '';

  beforeAll(async () => {
    const place = join(folder, 'first');
    mkdirSync(place);
    project = await TestProject.make(place, 1);
  });

  afterAll(async () => {
    await project.cleanUp();
  });

  async function expectRefused(message: RegExp): Promise<void> {
    for (const args of [['plan'], ['up', '--force']]) {
      const run = await project.smesh(args);
      expect(run.code, run.stderr).toBe(5);
      expect(flat(run.stderr)).toMatch(message);
    }
    expect(await project.containerIds()).toEqual([]);
    const keys = await project.smesh(['keys', '--json']);
    expect(keys.code, keys.stdout).toBe(5);
    expect(JSON.parse(keys.stdout).identities).toMatchObject([{ name: 'post-0001', verdict: 'twice' }]);
  }

  it('of another Compose project: refused, also while it is only created: one `up` there and it runs', async () => {
    expect(await project.smesh(['generate'])).toMatchObject({ code: 0 });
    const other = await handMade(`${project.name}-farm`, {
      ...idle,
      volumes: [`${keyElsewhere('farm-data', key())}:/old`],
    });
    try {
      await other.compose('create');
      await expectRefused(new RegExp(`container ${other.container} of Compose project .* has its key`));
      await other.compose('up', '-d');
      await expectRefused(new RegExp(`container ${other.container} of Compose project .* has its key`));
    } finally {
      await other.remove();
    }
    expect((await project.smesh(['keys'])).code).toBe(0);
  });

  it('of a plain container with a named volume: refused while it runs, warned of while it is down', async () => {
    const name = `${project.name}-plain`;
    const source = keyElsewhere('plain-data', key());
    await docker('volume', 'create', name);
    try {
      const mounts = ['-v', `${source}:/from:ro`, '-v', `${name}:/data`];
      await docker(
        'run',
        '--rm',
        '--entrypoint',
        'cp',
        ...mounts,
        NODE_IMAGE,
        '-r',
        '/from/identities',
        '/data',
      );
      await docker(
        'create',
        '--name',
        name,
        '-v',
        `${name}:/data`,
        '--entrypoint',
        'sleep',
        NODE_IMAGE,
        '600',
      );
      const created = await project.smesh(['plan']);
      expect(created.code, created.stderr).toBe(0);
      expect(flat(created.stderr)).toMatch(new RegExp(`second place, which is down now: container ${name}`));
      expect((await project.smesh(['keys'])).stdout).toMatch(/second place, down/);
      await docker('start', name);
      await expectRefused(new RegExp(`container ${name} has its key`));
    } finally {
      await docker('rm', '-f', name);
      await docker('volume', 'rm', name);
    }
  });

  it('of a plain container that keeps its keys in itself, with nothing mounted', async () => {
    const name = `${project.name}-bare`;
    const source = keyElsewhere('bare-data', key());
    const program = [
      'bash',
      '-c',
      'exec -a go-spacemesh sleep 600',
      'go-spacemesh',
      '--data-folder',
      '/node',
    ];
    await docker('create', '--name', name, '--entrypoint', program[0] ?? '', NODE_IMAGE, ...program.slice(1));
    try {
      await docker('cp', source, `${name}:/node`);
      await docker('start', name);
      await expectRefused(new RegExp(`container ${name} has its key`));
    } finally {
      await docker('rm', '-f', name);
    }
  });

  it('of a process of the host that is told its folder by a config file', async () => {
    const data = keyElsewhere('process data', key());
    const config = join(folder, 'process.json');
    writeFileSync(config, JSON.stringify({ main: { 'Data-Folder': data } }));
    const script = 'exec -a /opt/go-spacemesh "$0" -e "setTimeout(() => {}, 60000)" -- -c "$1"';
    const node = spawn('bash', ['-c', script, process.execPath, config], { stdio: 'ignore' });
    try {
      await expect
        .poll(() => readFileSync(`/proc/${node.pid}/cmdline`, 'latin1'))
        .toMatch(/^\/opt\/go-spacemesh/);
      await expectRefused(
        new RegExp(`process go-spacemesh \\(pid ${node.pid},.*process data\\) has its key`),
      );
    } finally {
      node.kill('SIGKILL');
    }
  });

  it('on the same data folder: the second container cannot start, and the first goes on', async () => {
    const up = await project.smesh(['up']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const before = await project.lives();
    const config = JSON.parse(await project.compose('config', '--format', 'json'));
    const { image, user, entrypoint, command, environment, volumes } = config.services.node;
    const service = { image, user, entrypoint, command, environment, volumes, restart: 'no' };
    const other = await handMade(`${project.name}-copy`, service);
    try {
      await other.compose('up', '-d');
      expect(await docker('wait', other.container)).toBe('1');
      expect(await other.compose('logs', '--no-color')).toContain(
        'only one spacemesh instance should be running',
      );
      expect(await project.lives()).toEqual(before);
      // Both have the key: whoever is recreated first would win the folder.
      const plan = await project.smesh(['plan']);
      expect(plan.code, plan.stderr).toBe(5);
      expect(plan.stderr).toContain(other.container);
    } finally {
      await other.remove();
    }
    // The leases beside the keys are nothing to plain Compose and to the node.
    await project.compose('restart', '-t', '1', 'node');
    await project.compose('up', '-d');
    expect((await project.lives())['node']).toContain('running');
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
  });
});

describe('S23: the lease of a key', () => {
  let project: TestProject;
  const place = join(folder, 'leased');
  const lease = join(place, 'node-data/identities/post-0001.lease');
  const read = () => {
    const reading = readLease(readFileSync(lease, 'utf8'));
    if (reading.kind !== 'read') throw new Error(reading.reason);
    return reading.lease;
  };

  beforeAll(async () => {
    mkdirSync(place);
    project = await TestProject.make(place, 1);
    const run = await project.smesh(['generate']);
    expect(run.code, run.stderr).toBe(0);
  });

  afterAll(async () => {
    await project.cleanUp();
  });

  it('of another host keeps everything down, and keys adopt is the only cure', async () => {
    const ours = read();
    writeFileSync(lease, writeLease({ ...ours, host: { id: 'another', name: 'borg', cards: [] } }));
    for (const args of [['plan'], ['up'], ['up', '--force', '--yes']]) {
      const run = await project.smesh(args);
      expect(run.code, run.stderr).toBe(5);
      expect(flat(run.stderr)).toMatch(/post-0001 \([0-9a-f]{8}\) is held by another host, borg/);
      expect(run.stderr).toContain('smesh-compose keys adopt post-0001');
    }
    expect(await project.containerIds()).toEqual([]);
    const list = await project.smesh(['keys']);
    expect(list.code, list.stdout).toBe(5);
    expect(list.stdout).toMatch(/borg .*held elsewhere/);

    for (const [args, code] of [
      [['keys', 'adopt', '--all'], 2],
      [['keys', 'adopt', '--all', '--yes'], 2],
      [['keys', 'adopt', '--all', '--confirm', 'atlas'], 5],
    ] as const) {
      const run = await project.smesh(args);
      expect(run.code, run.stderr).toBe(code);
      expect(run.stderr).toContain('--confirm borg');
      expect(read().host.name).toBe('borg');
    }
    const dry = await project.smesh(['keys', 'adopt', '--all', '--dry-run']);
    expect(dry.code, dry.stderr).toBe(0);
    expect(read().host.name).toBe('borg');

    const adopted = await project.smesh(['keys', 'adopt', 'post-0001', '--confirm', 'borg']);
    expect(adopted.code, adopted.stderr).toBe(0);
    expect(adopted.stderr).toMatch(/all of this must be true[\s\S]*stopped for good[\s\S]*local\.sql/);
    expect(read()).toMatchObject({ host: ours.host, adopted: { host: 'borg' } });
    const up = await project.smesh(['up', '--detach']);
    expect(up.code, up.stderr).toBe(0);
    expect(Date.parse(read().renewedAt)).toBeGreaterThanOrEqual(Date.parse(ours.renewedAt));
    expect(await project.smesh(['down', '--force'])).toMatchObject({ code: 0 });
  });

  it('that cannot be read is not taken for ours', async () => {
    const before = readFileSync(lease);
    writeFileSync(lease, before.subarray(0, 60));
    const run = await project.smesh(['up']);
    expect(run.code, run.stderr).toBe(5);
    expect(flat(run.stderr)).toMatch(/cannot be told from one that another host holds: it is damaged/);
    const adopt = await project.smesh(['keys', 'adopt', '--all', '--confirm', 'unknown']);
    expect(adopt.code, adopt.stderr).toBe(0);
    expect((await project.smesh(['plan'])).code).toBe(0);
  });

  it('tells a copied project folder from the original, and cannot be taken while that is at work', async () => {
    const copy = join(folder, 'copied');
    cpSync(place, copy, { recursive: true, preserveTimestamps: true });
    const up = await project.smesh(['up', '--detach']);
    expect(up.code, up.stderr).toBe(0);
    const before = await project.lives();
    try {
      const run = await project.smesh(['up', '--force'], { cwd: copy });
      expect(run.code, run.stderr).toBe(5);
      expect(flat(run.stderr)).toContain(`is held for another folder on this host (project ${place},`);
      const host = read().host.name;
      const adopt = await project.smesh(['keys', 'adopt', '--all', '--confirm', host], { cwd: copy });
      expect(adopt.code, adopt.stderr).toBe(5);
      expect(flat(adopt.stderr)).toMatch(/Not taken over: .*served by somebody else on this host/);
      expect(await project.lives()).toEqual(before);
    } finally {
      rmSync(copy, { recursive: true });
    }
    expect((await project.smesh(['plan'])).code).toBe(0);
  });
});

describe('S40: an identity moves from one project to another', () => {
  const api = createNodeApi();
  let [a, b]: TestProject[] = [];
  const places = { a: join(folder, 'move-a'), b: join(folder, 'move-b') };
  const smesh = (where: 'a' | 'b', ...args: string[]) =>
    runCli(args, { cwd: places[where], timeout: 120_000 });
  const endpoint = ({ ports }: TestProject) => ({
    publicApi: `127.0.0.1:${ports.publicApi}`,
    privateApi: `127.0.0.1:${ports.privateApi}`,
  });

  async function smeshersOf(project: TestProject | undefined): Promise<readonly string[]> {
    if (project === undefined) return [];
    const { smesherIds } = await api.snapshot(endpoint(project), { timeoutMs: 1000, withoutEvents: true });
    return smesherIds.ok ? smesherIds.value : [];
  }

  async function waitForAtx(project: TestProject, id: SmesherId): Promise<void> {
    const query = { smeshers: [id], fromEpoch: 0, toEpoch: 1000, timeoutMs: 3000 };
    const isThere = async () => {
      const answer = await api.activations(endpoint(project), query);
      return answer.ok && answer.value.length > 0;
    };
    await expect.poll(isThere, { timeout: 150_000, interval: 500 }).toBe(true);
  }

  beforeAll(async () => {
    for (const place of Object.values(places)) mkdirSync(place);
    a = await TestProject.make(places.a, 2, 1);
    a.hurry();
    b = await TestProject.make(places.b, 1, 1);
    b.hurry();
    // Both projects are of one network: the second is told the first one's.
    const files = [places.a, places.b].map((place) => join(place, 'smesh.yaml'));
    const [first, second] = files.map((file) => parse(readFileSync(file, 'utf8')));
    writeFileSync(files[1] ?? '', stringify({ ...second, network: first.network }));
  });

  afterAll(async () => {
    await a?.cleanUp();
    await b?.cleanUp();
  });

  it('is refused until the first node has been seen without it, then publishes at the second, and is never at both', async () => {
    const moved = a?.identities[1];
    const id = parseSmesherId(moved?.smesherId ?? '');
    if (a === undefined || b === undefined || moved === undefined || id === undefined)
      throw new Error('scene');
    for (const where of ['a', 'b'] as const) {
      const run = await smesh(where, 'up');
      expect(run.code, run.stdout + run.stderr).toBe(0);
    }
    await waitForAtx(a, id);

    const atBoth: string[] = [];
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        const [left, right] = await Promise.all([smeshersOf(a), smeshersOf(b)]);
        if (left.includes(id) && right.includes(id)) atBoth.push(new Date().toISOString());
        await sleep(200);
      }
    })();

    const early = await smesh('b', 'add', moved.data);
    expect(early.code, early.stderr).toBe(5);
    expect(flat(early.stderr)).toContain('gives an identity up with remove and up');

    const removed = await smesh('a', 'remove', moved.name);
    expect(removed.code, removed.stderr).toBe(0);
    const leaseFile = join(places.a, 'node-data/identities', `${moved.name}.lease`);
    expect(readLease(readFileSync(leaseFile, 'utf8'))).toMatchObject({ lease: { state: 'leaving' } });
    // The key is gone from the folder, but the node that runs has read it.
    expect((await smeshersOf(a)).includes(id)).toBe(true);
    const stillThere = await smesh('b', 'add', moved.data);
    expect(stillThere.code, stillThere.stderr).toBe(5);

    const gone = await smesh('a', 'up', '--force');
    expect(gone.code, gone.stdout + gone.stderr).toBe(0);
    expect(flat(gone.stderr)).toMatch(new RegExp(`${moved.name} \\(.*\\): released`));
    const noted = readdirSync(join(places.a, '.smesh/retired')).filter((name) => name.endsWith('.lease'));
    for (const file of [leaseFile, ...noted.map((name) => join(places.a, '.smesh/retired', name))])
      expect(readLease(readFileSync(file, 'utf8'))).toMatchObject({ lease: { state: 'released' } });
    expect(noted).toHaveLength(1);
    expect((await smeshersOf(a)).includes(id)).toBe(false);

    const added = await smesh('b', 'add', moved.data);
    expect(added.code, added.stderr).toBe(0);
    const up = await smesh('b', 'up', '--force');
    expect(up.code, up.stdout + up.stderr).toBe(0);
    await waitForAtx(b, id);

    // The way back is the same way: as long as it is served there, it is not started here.
    expect(await smesh('a', 'add', moved.data)).toMatchObject({ code: 0 });
    const back = await smesh('a', 'up', '--force');
    expect(back.code, back.stderr).toBe(5);
    expect(flat(back.stderr)).toMatch(/is served by somebody else: container \S+ of Compose project/);
    watching.abort();
    await watch;
    expect(atBoth).toEqual([]);
  }, 400_000);
});
