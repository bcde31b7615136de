import { chmodSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { engineError } from '../../../src/adapters/docker/engine-errors.ts';
import { parseEvent } from '../../../src/adapters/docker/events.ts';
import { createDocker } from '../../../src/adapters/docker/index.ts';
import type { DockerPort } from '../../../src/ports/docker.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** What pretends to be an engine, for faults that a real one does not have. */
async function engineOf(listener: RequestListener): Promise<DockerPort> {
  const socket = join(tempFolder('engine'), 'd.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return createDocker({ host: `unix://${socket}`, cliEnvironment: {} });
}

const version = { Version: '29.0.1', ApiVersion: '1.52' };
const info = {
  ID: 'x',
  Name: 'h',
  Architecture: 'x86_64',
  NCPU: 2,
  MemTotal: 1,
  CgroupVersion: '2',
  OperatingSystem: 'Docker Desktop',
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless', 'name=cgroupns'],
  Runtimes: { runc: {}, nvidia: {} },
};

function engineWith(versionAnswer: unknown, infoAnswer: unknown): RequestListener {
  return (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/version' ? versionAnswer : infoAnswer));
  };
}

describe('CPU quotas', () => {
  it.each([
    [{}, true],
    [{ CpuCfsQuota: true, Warnings: null }, true],
    [{ CpuCfsQuota: false }, false],
    [{ Warnings: ['WARNING: No cpu cfs quota support'] }, false],
  ])('with %j: %s', async (more, can) => {
    const docker = await engineOf(engineWith(version, { ...info, ...more }));
    expect((await docker.engine()).cpuQuotas).toBe(can);
  });

  it('that the engine takes and does not keep are refused', async () => {
    const docker = await engineOf((request, response) => {
      response.setHeader('content-type', 'application/json');
      const answers: Record<string, unknown> = { '/version': version, '/info': info };
      const inspected = {
        ...{ Id: 'x', Name: '/x', Created: '', Image: 'i', State: { Status: 'running', ExitCode: 0 } },
        ...{ Config: { Image: 'i' }, HostConfig: { CpuQuota: 0, CpuPeriod: 0 } },
      };
      const isUpdate = request.url?.endsWith('/update') === true;
      response.end(JSON.stringify(answers[request.url ?? ''] ?? (isUpdate ? { Warnings: null } : inspected)));
    });
    await expect(docker.setCpuQuota('x', { quotaUs: 1000, periodUs: 100_000 })).rejects.toMatchObject({
      code: 'quota-refused',
      message: 'The engine (Docker 29.0.1, cgroup v2) cannot set a CPU quota of x: it keeps 0 of 0 µs.',
    });
    await expect(docker.setCpuQuota('x', 'none')).resolves.toBeUndefined();
  });
});

describe('an engine', () => {
  it('says what it is', async () => {
    const docker = await engineOf(engineWith(version, info));
    expect(await docker.engine()).toMatchObject({
      version: '29.0.1',
      apiVersion: '1.52',
      cgroupVersion: 2,
      rootless: true,
      desktop: true,
      securityOptions: ['seccomp', 'rootless', 'cgroupns'],
      runtimes: ['runc', 'nvidia'],
    });
  });

  it.each(['1.43', '1.24', '0.99'])('of API %s is too old: exit 4', async (ApiVersion) => {
    const docker = await engineOf(engineWith({ ...version, ApiVersion }, info));
    await expect(docker.engine()).rejects.toMatchObject({ code: 'engine-too-old', exitCode: 4 });
  });

  it.each<[string, unknown, unknown]>([
    ['html', '<html>', '<html>'],
    ['another service', { version: 1 }, {}],
    ['no ID', version, { ...info, ID: undefined }],
  ])('that answers %s is none', async (_, versionAnswer, infoAnswer) => {
    const docker = await engineOf(engineWith(versionAnswer, infoAnswer));
    await expect(docker.engine()).rejects.toMatchObject({ code: 'engine-malformed', exitCode: 4 });
  });

  it('S20: that is down is named, with exit 4', async () => {
    const docker = await createDocker({ host: 'unix:///nowhere/docker.sock', cliEnvironment: {} });
    await expect(docker.containers()).rejects.toMatchObject({ code: 'engine-down', exitCode: 4 });
    await expect(docker.containers()).rejects.toThrow('unix:///nowhere/docker.sock');
  });

  it('that nobody runs any more, but whose socket is left, is down too', async () => {
    const folder = tempFolder('left');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'a.sock'), resolve));
    // The socket file of a killed engine stays.
    const { renameSync } = await import('node:fs');
    renameSync(join(folder, 'a.sock'), join(folder, 'b.sock'));
    await new Promise((resolve) => server.close(resolve));
    const docker = await createDocker({ host: `unix://${folder}/b.sock`, cliEnvironment: {} });
    await expect(docker.engine()).rejects.toMatchObject({ code: 'engine-down' });
  });

  it('S20: whose socket may not be used is told apart', async () => {
    const folder = tempFolder('closed');
    const server = createServer();
    const socket = join(folder, 'd.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => void server.close());
    chmodSync(socket, 0);
    const docker = await createDocker({ host: `unix://${socket}`, cliEnvironment: {} });
    // Root may do everything: look as nobody.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      await expect(docker.engine()).rejects.toMatchObject({ code: 'engine-permission', exitCode: 4 });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('S20: permission denied is one sentence and what to type', () => {
    const error = engineError(
      'unix:///run/d.sock',
      'x',
      Object.assign(new Error('connect'), { code: 'EACCES' }),
    );
    expect(error).toMatchObject({ code: 'engine-permission', exitCode: 4 });
    expect(error.hint).toContain('usermod');
  });

  it('says why it refuses, in its own words', async () => {
    const docker = await engineOf((_, response) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ message: 'disk full.' }));
    });
    await expect(docker.containers()).rejects.toThrow('Could not list the containers: disk full.');
  });

  it('whose container is gone between list and inspect does not fail the list', async () => {
    const docker = await engineOf((request, response) => {
      if (request.url?.startsWith('/containers/json')) return response.end(JSON.stringify([{ Id: 'gone' }]));
      response.statusCode = 404;
      response.end(JSON.stringify({ message: 'No such container: gone' }));
    });
    expect(await docker.containers({ project: 'p' })).toEqual([]);
    expect(await docker.inspect('gone')).toBeUndefined();
    await expect(docker.start('gone')).rejects.toMatchObject({ code: 'container-gone' });
  });

  it('is asked for containers of the project by label, and without a body in the address', async () => {
    const urls: string[] = [];
    const docker = await engineOf((request, response) => {
      urls.push(decodeURIComponent(`${request.method} ${request.url}`));
      response.end('[]');
    });
    await docker.containers({ project: 'p', service: 's', labels: ['x=y'] });
    expect(urls).toEqual([
      'GET /containers/json?all=true&filters={"label":["com.docker.compose.project=p","com.docker.compose.service=s","x=y"]}',
    ]);
  });

  it('tells of events again after a break, and says that something may be missing', async () => {
    let times = 0;
    const event = (action: string) =>
      JSON.stringify({
        Type: 'container',
        Action: action,
        time: 5,
        timeNano: 5_123_456_789,
        Actor: { ID: 'c', Attributes: { name: 'n', 'com.docker.compose.service': 's', exitCode: '137' } },
      });
    const docker = await engineOf((_, response) => {
      times += 1;
      const text = `${event(times === 1 ? 'die' : 'health_status: healthy')}\nnot json\n`;
      response.write(text.slice(0, 30));
      setTimeout(() => {
        response.write(text.slice(30));
        if (times === 1) response.end();
      }, 20);
    });
    const controller = new AbortController();
    const seen: unknown[] = [];
    for await (const told of docker.events({}, controller.signal)) {
      seen.push(told);
      if (seen.length === 5) controller.abort();
    }
    const base = { kind: 'container', at: 5123, containerId: 'c', name: 'n', service: 's', exitCode: 137 };
    expect(seen).toEqual([
      { kind: 'connected' },
      { ...base, action: 'die' },
      { kind: 'disconnected', reason: 'the connection was closed' },
      { kind: 'connected' },
      { ...base, action: 'health_status', health: 'healthy' },
    ]);
  });

  it('tells nothing that is not of a container', () => {
    expect(parseEvent('{"Type":"network","Action":"connect","time":1,"Actor":{"ID":"x"}}')).toBeUndefined();
    expect(parseEvent('{}')).toBeUndefined();
  });
});
