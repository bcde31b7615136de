import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../../../src/adapters/docker/client.ts';
import { resolveEndpoint } from '../../../src/adapters/docker/endpoint.ts';
import { sweepHelpers } from '../../../src/adapters/docker/helper.ts';
import { createDocker } from '../../../src/adapters/docker/index.ts';
import { askByHttp } from '../../../src/adapters/post-api/http-status.ts';
import { askInside } from '../../../src/adapters/post-api/inside-status.ts';
import type { DockerPort, EngineEvent, LogLine } from '../../../src/ports/docker.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';

const IMAGE = 'smesh-sim/base:latest';
const PREFIX = `smt-docker-${process.pid}`;

let docker: DockerPort;

function run(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** Starts a container with that shell script, as somebody else would. */
function container(name: string, script: string, ...options: string[]): string {
  const common = ['--name', `${PREFIX}-${name}`, '--label', `io.smesh-compose.test=${PREFIX}`, '--init'];
  return run('run', '-d', ...common, ...options, '--entrypoint', 'bash', IMAGE, '-c', script);
}

beforeAll(async () => {
  docker = await createDocker(await resolveEndpoint(process.env));
});

afterAll(() => {
  const left = run('ps', '-aq', '--filter', `label=io.smesh-compose.test=${PREFIX}`);
  if (left !== '') run('rm', '-f', ...left.split('\n'));
});

describe('the engine', () => {
  it('says who it is, as the docker command does', async () => {
    const engine = await docker.engine();
    expect(engine.id).toBe(run('info', '--format', '{{.ID}}'));
    expect(engine.version).toBe(run('version', '--format', '{{.Server.Version}}'));
    expect(engine.name).toBe(hostname());
    expect(engine.memoryBytes).toBeGreaterThan(0);
    expect(engine.runtimes).toContain('runc');
  });

  it('knows its images and says when one is not here', async () => {
    const image = await docker.image(IMAGE);
    expect(image?.id).toBe(run('image', 'inspect', '--format', '{{.Id}}', IMAGE));
    expect(image?.tags).toContain(IMAGE);
    expect(image?.digests).toEqual([]);
    expect(await docker.image('smesh-sim/not-there:v0')).toBeUndefined();
  });
});

describe('containers', () => {
  it('are observed as they are: confinement, mounts, ports, address', async () => {
    const id = container(
      'observed',
      'sleep 600',
      ...[
        '--user',
        '1000:1000',
        '--read-only',
        '--cap-drop',
        'ALL',
        '--security-opt',
        'no-new-privileges:true',
      ],
      ...['--memory', '64m', '--cpus', '0.5', '--oom-score-adj', '500', '--restart', 'unless-stopped'],
      ...['-v', '/tmp:/post:ro', '-p', '127.0.0.1::50051', '--label', 'com.docker.compose.service=post-0001'],
    );
    const observed = await docker.inspect(id);
    expect(observed).toMatchObject({
      id,
      name: `${PREFIX}-observed`,
      service: 'post-0001',
      oneOff: false,
      image: IMAGE,
      state: 'running',
      health: 'none',
      user: '1000:1000',
      oomKilled: false,
      restartCount: 0,
      mounts: [{ kind: 'bind', source: '/tmp', target: '/post', writable: false }],
      ports: [{ containerPort: 50051, protocol: 'tcp', hostAddress: '127.0.0.1' }],
      host: {
        readOnlyRootFs: true,
        capDrop: ['ALL'],
        securityOptions: ['no-new-privileges:true'],
        memoryBytes: 64 * 1024 * 1024,
        nanoCpus: 500_000_000,
        oomScoreAdj: 500,
        restartPolicy: 'unless-stopped',
        init: true,
      },
    });
    expect(observed?.addresses[0]?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(observed?.startedAt).toBeGreaterThan(Date.now() - 60_000);
    expect(observed).not.toHaveProperty('exitCode');
    const listed = await docker.containers({ labels: [`io.smesh-compose.test=${PREFIX}`] });
    expect(listed.map((found) => found.id)).toContain(id);
  });

  it('are started and stopped, and doing it twice is fine', async () => {
    const id = container('twice', 'exec sleep 600', '--stop-timeout', '5');
    expect(await docker.start(id)).toBe('already-running');
    expect(await docker.stop(id)).toBe('stopped');
    expect(await docker.stop(id)).toBe('already-stopped');
    expect(await docker.inspect(id)).toMatchObject({ state: 'exited', exitCode: 143 });
    expect(await docker.start(id)).toBe('started');
    const before = (await docker.inspect(id))?.startedAt;
    await docker.restart(id);
    expect((await docker.inspect(id))?.startedAt).toBeGreaterThan(before ?? 0);
  });

  it('that are gone are said to be gone', async () => {
    await expect(docker.start(`${PREFIX}-none`)).rejects.toMatchObject({
      code: 'container-gone',
      exitCode: 4,
    });
    expect(await docker.inspect(`${PREFIX}-none`)).toBeUndefined();
  });
});

describe('commands in containers', () => {
  const name = `${PREFIX}-exec`;
  beforeAll(() => void container('exec', 'sleep 600'));

  it('give their output apart, and their exit code', async () => {
    const result = await docker.exec(name, ['bash', '-c', 'echo out; echo err >&2; exit 3'], {
      timeoutMs: 20_000,
    });
    expect(result).toEqual({
      exitCode: 3,
      timedOut: false,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: false,
    });
  });

  it('are cut when they say too much', async () => {
    const script = 'for i in {1..20000}; do echo line $i; done';
    const result = await docker.exec(name, ['bash', '-c', script], {
      timeoutMs: 20_000,
      maxOutputBytes: 100,
    });
    expect(result).toMatchObject({ exitCode: 0, truncated: true });
    expect(result.stdout).toHaveLength(100);
  });

  it('are waited for only as long as told', async () => {
    const result = await docker.exec(name, ['bash', '-c', 'echo begun; sleep 30'], { timeoutMs: 1500 });
    expect(result).toMatchObject({ timedOut: true, stdout: 'begun\n' });
    expect(result).not.toHaveProperty('exitCode');
  });

  it('are refused in the words of the engine where they cannot run', async () => {
    const other = container('ended', 'true');
    await expect.poll(async () => (await docker.inspect(other))?.state).toBe('exited');
    await expect(docker.exec(other, ['true'], { timeoutMs: 5000 })).rejects.toMatchObject({
      code: 'engine-refused',
    });
  });
});

describe('helpers', () => {
  const folder = suiteTempFolder('helper');
  const data = join(folder, 'post $x: data#1');
  const leftovers = () =>
    run('ps', '-aq', '--filter', 'label=io.smesh-compose.role=helper', '--filter', `volume=${data}`);

  beforeAll(() => {
    mkdirSync(data);
    writeFileSync(join(data, 'postdata_metadata.json'), '{}');
    for (const path of [data, join(data, 'postdata_metadata.json')]) chownSync(path, 1234, 1234);
    chmodSync(data, 0o700);
    chmodSync(join(data, 'postdata_metadata.json'), 0o600);
  });

  const check = (user: string, command: readonly string[] = ['cat', '/post/postdata_metadata.json']) =>
    docker.runHelper({
      image: IMAGE,
      command,
      user,
      mounts: [{ source: data, target: '/post' }],
      timeoutMs: 10_000,
    });

  it('S13: see data as the owner does, and root without capabilities does not', async () => {
    expect(await check('1234:1234')).toMatchObject({ kind: 'ended', exitCode: 0, stdout: '{}' });
    const asRoot = await check('0:0');
    expect(asRoot).toMatchObject({ kind: 'ended', exitCode: 1 });
    expect(asRoot).toMatchObject({ stderr: expect.stringContaining('Permission denied') });
    await expect.poll(leftovers).toBe('');
  });

  it('cannot write to what they look at', async () => {
    const result = await check('1234:1234', ['bash', '-c', 'echo x > /post/new']);
    expect(result).toMatchObject({ kind: 'ended', exitCode: 1 });
  });

  it('are ended when they take too long, and leave nothing', async () => {
    const result = await docker.runHelper({
      image: IMAGE,
      command: ['bash', '-c', 'echo begun; sleep 60'],
      mounts: [{ source: data, target: '/post' }],
      timeoutMs: 500,
    });
    expect(result).toMatchObject({ kind: 'timed-out', stdout: 'begun\n' });
    await expect.poll(leftovers).toBe('');
  });

  it('that were killed before their start are removed by a later one; fresh ones and those that run are not', async () => {
    const label = ['--label', 'io.smesh-compose.role=helper', '--label', `io.smesh-compose.test=${PREFIX}`];
    const mount = ['--mount', `type=bind,src=${data},dst=/post,readonly`];
    const created = run('create', ...label, ...mount, IMAGE, 'true');
    const running = container('helper', 'sleep 60', ...label, ...mount);
    const client = await openClient(await resolveEndpoint(process.env));
    await sweepHelpers(client, Date.now() + 9 * 60_000);
    expect(leftovers().split('\n')).toHaveLength(2);
    await sweepHelpers(client, Date.now() + 11 * 60_000);
    const left = run('ps', '-aq', '--no-trunc', '--filter', `label=io.smesh-compose.test=${PREFIX}`);
    expect(left).toContain(running);
    expect(left).not.toContain(created);
    run('rm', '-f', running);
  });

  it.each([
    ['a mount source', { mounts: [{ source: '/not/there', target: '/post' }] }, /does not exist/],
    ['the image', { image: 'smesh-sim/not-there:v0' }, /no such image/i],
    ['the command', { command: ['/not/there'] }, /not\/there/],
  ])('say when %s is missing', async (_, change, reason) => {
    const helper = { image: IMAGE, command: ['true'], mounts: [], timeoutMs: 10_000, ...change };
    const result = await docker.runHelper(helper);
    expect(result).toMatchObject({ kind: 'not-started', reason: expect.stringMatching(reason) });
  });
});

async function all(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const read: LogLine[] = [];
  for await (const line of lines) read.push(line);
  return read;
}

describe('logs', () => {
  it('are lines of both streams, also when one is JSON or longer than a message of the engine', async () => {
    const long = '$(printf "%040000d" 7)';
    const id = container('log', `echo '{"a":1}'; echo "ü err" >&2; echo "${long}"; printf rest`);
    await expect.poll(async () => (await docker.inspect(id))?.state).toBe('exited');
    const lines = await all(docker.logs(id, {}));
    const texts = lines.map((line) => `${line.stream} ${line.text}`);
    expect(texts.sort()).toEqual(
      ['stderr ü err', 'stdout {"a":1}', `stdout ${'0'.repeat(39_999)}7`, 'stdout rest'].sort(),
    );
    for (const line of lines) expect(Math.abs(line.at - Date.now())).toBeLessThan(60_000);
  });

  it('of a terminal are lines as well', async () => {
    const id = container('tty', 'echo one; echo two', '-t');
    await expect.poll(async () => (await docker.inspect(id))?.state).toBe('exited');
    expect((await all(docker.logs(id, {}))).map((line) => line.text)).toEqual(['one', 'two']);
  });

  it('are followed until the signal, from the newest on, or from a time on', async () => {
    const id = container('follow', 'for i in {1..600}; do echo line $i; sleep 0.1; done');
    await expect.poll(async () => (await all(docker.logs(id, {}))).length).toBeGreaterThan(3);
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const line of docker.logs(id, { follow: true, tail: 1, signal: controller.signal })) {
      seen.push(line.text);
      if (seen.length === 4) controller.abort();
    }
    expect(seen).toHaveLength(4);
    const numbers = seen.map((text) => Number(text.replace('line ', '')));
    expect(numbers).toEqual([0, 1, 2, 3].map((step) => (numbers[0] ?? 0) + step));
    const before = await all(docker.logs(id, {}));
    const since = before[2]?.at ?? 0;
    expect((await all(docker.logs(id, { since })))[0]?.at).toBeGreaterThanOrEqual(since);
    expect((await all(docker.logs(id, { tail: 2 }))).length).toBe(2);
  });

  it('of a container that is gone say so', async () => {
    await expect(all(docker.logs(`${PREFIX}-none`, {}))).rejects.toMatchObject({ code: 'container-gone' });
  });
});

it('events tell what happens to a container', async () => {
  const controller = new AbortController();
  const label = `io.smesh-compose.test=${PREFIX}`;
  const seen: EngineEvent[] = [];
  const reading = (async () => {
    for await (const event of docker.events({ labels: [label] }, controller.signal)) {
      seen.push(event);
      if (event.kind === 'container' && event.action === 'die' && event.name === `${PREFIX}-events`) {
        controller.abort();
      }
    }
  })();
  await expect.poll(() => seen[0]?.kind).toBe('connected');
  container('events', 'exit 7');
  await reading;
  const actions = seen.flatMap((event) =>
    event.kind === 'container' && event.name === `${PREFIX}-events` ? [event.action] : [],
  );
  expect(actions.filter((action) => ['create', 'start', 'die'].includes(action))).toEqual([
    'create',
    'start',
    'die',
  ]);
  expect(seen.at(-1)).toMatchObject({ action: 'die', exitCode: 7 });
});

describe('a post-service in a container', () => {
  it('is asked the same at its address and from inside', async () => {
    const answer = String.raw`HTTP/1.0 200 OK\r\ncontent-length: 6\r\n\r\n"Idle"`;
    // The stand-in image has node: a listener that answers on 50051 and is silent on 50052.
    const script = [
      `require("net").createServer(s=>{s.once("data",()=>s.end('${answer}'))}).listen(50051)`,
      'require("net").createServer(()=>{}).listen(50052)',
    ].join(';');
    writeFileSync(join(folder, 'server.cjs'), script);
    const node = process.execPath;
    const id = container(
      'post',
      `${node} /t/server.cjs`,
      '-v',
      `${folder}:/t:ro`,
      '-v',
      `${node}:${node}:ro`,
    );
    const ip = (await docker.inspect(id))?.addresses[0]?.ip ?? '';
    await expect.poll(() => askByHttp(ip, 50051, 1000), { timeout: 20_000 }).toEqual({ kind: 'idle' });
    expect(await askInside(docker, id, 50051, 3000)).toEqual({ kind: 'idle' });
    expect(await askByHttp(ip, 50052, 500)).toEqual({ kind: 'no-answer' });
    expect(await askInside(docker, id, 50052, 1000)).toEqual({ kind: 'no-answer' });
    expect(await askByHttp(ip, 50053, 500)).toEqual({ kind: 'refused' });
    expect(await askInside(docker, id, 50053, 1000)).toEqual({ kind: 'refused' });
    await docker.stop(id);
    expect(await askInside(docker, id, 50051, 1000)).toMatchObject({ kind: 'unreachable' });
  });

  const folder = suiteTempFolder('post-api');
});
