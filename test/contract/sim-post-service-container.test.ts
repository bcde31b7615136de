import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeNode, type Registration } from './fake-node.ts';
import { freePort, removeScratch, scratch, until } from './run-stand-in.ts';

const run = promisify(execFile);
const IMAGE = 'smesh-sim/post-service:v0.8.5';
const NAME = `smt-sim-post-${process.pid}`;
const containers: string[] = [];

async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args)).stdout.trim();
}

/** A container of the stand-in with the host's network, on two units of data. */
async function startContainer(name: string, options: readonly string[], port: number): Promise<string> {
  const dir = join(scratch(), 'post');
  mkdirSync(dir);
  const metadata = {
    NodeId: Buffer.alloc(32, containers.length + 1).toString('base64'),
    CommitmentAtxId: Buffer.alloc(32).toString('base64'),
    LabelsPerUnit: 64,
    NumUnits: 1,
    MaxFileSize: 1024,
    Nonce: 1,
  };
  writeFileSync(join(dir, 'postdata_metadata.json'), JSON.stringify(metadata));
  writeFileSync(join(dir, 'postdata_0.bin'), Buffer.alloc(1024));
  chmodSync(dir, 0o755);
  const container = `${NAME}-${name}`;
  containers.push(container);
  const mount = `type=bind,source=${dir},target=/post,readonly`;
  const service = ['--dir', '/post', '--address', `http://127.0.0.1:${port}`, '--threads', '1'];
  const network = ['--min-num-units', '1', '--nonces', '16', '--randomx-mode', 'light'];
  const base = ['run', '-d', '--name', container, '--network', 'host', '--read-only', '--cap-drop', 'ALL'];
  await docker(...base, '--mount', mount, ...options, IMAGE, ...service, ...network);
  await until('it runs', async () => (await logsOf(container)).includes('not configuring TLS'));
  return container;
}

async function logsOf(container: string): Promise<string> {
  return (await run('docker', ['logs', container])).stderr;
}

async function stopAndTime(container: string): Promise<{ exit: number; seconds: number }> {
  const began = performance.now();
  await docker('stop', '-t', '4', container);
  const seconds = (performance.now() - began) / 1000;
  return { exit: Number(await docker('inspect', '-f', '{{.State.ExitCode}}', container)), seconds };
}

beforeAll(async () => {
  const script = fileURLToPath(new URL('../../scripts/build-sim-image.mjs', import.meta.url));
  await run(process.execPath, [script, '--quiet']);
});
afterAll(async () => {
  if (containers.length > 0) await docker('rm', '-f', ...containers);
  removeScratch();
});

describe('post-service stand-in in a container', () => {
  it('is deaf to SIGTERM as PID 1: the whole grace period, then 137', async () => {
    const container = await startContainer('deaf', [], await freePort());
    const { exit, seconds } = await stopAndTime(container);
    expect(exit).toBe(137);
    expect(seconds).toBeGreaterThan(3.9);
  });

  it('ends at once with 143 under an init process', async () => {
    const container = await startContainer('init', ['--init'], await freePort());
    const { exit, seconds } = await stopAndTime(container);
    expect(exit).toBe(143);
    expect(seconds).toBeLessThan(3);
  });

  it('crawls under a CPU quota set while it works, and keeps its proof', async () => {
    const node = await FakeNode.listen(await freePort());
    try {
      const pace = ['-e', 'SIM_K2POW_MS_PER_UNIT_GROUP=1500', '-e', 'SIM_READ_MS=100', '--init'];
      const container = await startContainer('quota', pace, node.port);
      await until('it is registered', () => node.registrations.length > 0);
      const registration = node.registrations[0] as Registration;
      await registration.poll(Buffer.alloc(32, 5));
      await docker('update', '--cpu-period', '100000', '--cpu-quota', '1000', container);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      expect(await logsOf(container)).not.toContain('finished k2pow');
      await docker('update', '--cpu-quota', '-1', container);
      await until('it is done', async () => (await logsOf(container)).includes('found proof'));
      expect((await registration.poll(Buffer.alloc(32, 5))).proof).not.toBeNull();
    } finally {
      node.kill();
    }
  });
});
