import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../../src/adapters/docker/endpoint.ts';
import { createDocker } from '../../../src/adapters/docker/index.ts';
import { isHeld, isHeldDeep } from '../../../src/domain/proving/identity-state.ts';
import type { DockerPort } from '../../../src/ports/docker.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';

const folder = suiteTempFolder('docker-quota');
const PROJECT = `smt-quota-${process.pid}`;

let docker: DockerPort;
let id: string;

function run(...args: string[]): string {
  return execFileSync('docker', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** A letter for each round, as fast as it gets CPU. */
const COUNT = 'while :; do printf x; done > /tmp/n';

beforeAll(async () => {
  docker = await createDocker(await resolveEndpoint(process.env));
  const service = {
    image: 'smesh-sim/base:latest',
    entrypoint: ['bash', '-c', COUNT],
    init: true,
    tmpfs: ['/tmp'],
    stop_grace_period: '1s',
    healthcheck: { test: ['CMD', 'bash', '-c', 'true'], interval: '2s', timeout: '10s', start_period: '1s' },
  };
  writeFileSync(join(folder, 'compose.yaml'), JSON.stringify({ name: PROJECT, services: { one: service } }));
  run('compose', 'up', '-d');
  id = run('compose', 'ps', '-q', 'one');
});

afterAll(() => {
  run('compose', 'down', '-t', '0');
});

const hostOf = async () => {
  const found = await docker.inspect(id);
  if (found === undefined) throw new Error('it is gone');
  return found.host;
};

const HOLD = { quotaUs: 1000, periodUs: 100_000 };
const DEEP = { quotaUs: 1000, periodUs: 1_000_000 };

async function countedIn(ms: number): Promise<number> {
  const count = () => Number(run('exec', id, 'stat', '-c', '%s', '/tmp/n'));
  const before = count();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return count() - before;
}

describe('a CPU quota', () => {
  it('the engine says that it can', async () => {
    expect((await docker.engine()).cpuQuotas).toBe(true);
  });

  it('holds a container that runs, which stays healthy, and Compose sees nothing to do', async () => {
    await expect.poll(async () => (await docker.inspect(id))?.health, { timeout: 30_000 }).toBe('healthy');
    const free = await countedIn(1000);
    await docker.setCpuQuota(id, HOLD);
    expect(isHeld(await hostOf())).toBe(true);
    expect(isHeldDeep(await hostOf())).toBe(false);
    expect(await countedIn(1000)).toBeLessThan(free / 5);
    const before = run('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', id);
    run('compose', 'up', '-d');
    expect(run('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', id)).toBe(before);
    expect((await docker.inspect(id))?.health).toBe('healthy');
  });

  it('may be made deeper and less deep again', async () => {
    await docker.setCpuQuota(id, DEEP);
    expect(isHeldDeep(await hostOf())).toBe(true);
    await docker.setCpuQuota(id, HOLD);
    expect(await hostOf()).toMatchObject({ cpuQuota: 1000, cpuPeriod: 100_000 });
  });

  it('outlives a restart until it is lifted; lifting it twice is fine', async () => {
    await docker.restart(id);
    expect(isHeld(await hostOf())).toBe(true);
    await docker.setCpuQuota(id, 'none');
    await docker.setCpuQuota(id, 'none');
    expect(isHeld(await hostOf())).toBe(false);
    expect((await docker.inspect(id))?.state).toBe('running');
  });

  it('is lifted also of one that is stopped', async () => {
    await docker.setCpuQuota(id, HOLD);
    await docker.stop(id);
    await docker.setCpuQuota(id, 'none');
    expect(isHeld(await hostOf())).toBe(false);
  });

  it('that the engine refuses says so, with its cgroup version', async () => {
    const other = run('create', '--cpus', '0.5', 'smesh-sim/base:latest', 'true');
    try {
      await expect(docker.setCpuQuota(other, HOLD)).rejects.toMatchObject({
        code: 'quota-refused',
        message: expect.stringMatching(/cgroup v[12]\) cannot set a CPU quota of/),
      });
    } finally {
      run('rm', '-f', other);
    }
    await expect(docker.setCpuQuota('smt-not-there', HOLD)).rejects.toMatchObject({ code: 'container-gone' });
  });
});
