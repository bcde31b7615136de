import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { startBusyProject } from './support/busy-project.ts';
import { logOf, plain, untilLogged } from './support/lifecycle.ts';
import { docker, type TestProject } from './support/project.ts';

const folder = suiteTempFolder('lifecycle-mixed');
let project: TestProject;
let holder: ChildProcess | undefined;

beforeAll(async () => {
  project = await startBusyProject(folder, false);
});

afterEach(() => {
  holder?.kill('SIGKILL');
  holder = undefined;
});

afterAll(async () => {
  await project.cleanUp();
});

const untouched = async (act: () => Promise<void>) => {
  const before = await project.lives();
  await act();
  expect(await project.lives()).toEqual(before);
};

describe('S36: two commands at once', () => {
  /** Holds the lock until the test ends: it waits for a safe moment that does not come. */
  async function holdLock(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [requireBuiltCli(), 'stop', 'post-0001', '--wait'], {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    holder = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('Waiting for a safe moment of post-0001')) resolve();
      });
      child.on('close', (code) => reject(new Error(`ended with ${code}: ${text}`)));
    });
    return child;
  }

  it('the second is told who is at it and since when; what only looks needs no lock; kill -9 frees it', async () => {
    const { pid } = await holdLock();
    await untouched(async () => {
      const commands = [['restart', 'post-0003'], ['up'], ['down', '--force'], ['generate']];
      for (const args of commands) {
        const run = await project.smesh(args);
        expect(run.code, args.join(' ') + run.stderr).toBe(75);
        expect(plain(run.stderr)).toMatch(
          new RegExp(
            `is being changed by stop \\(pid ${pid}, since \\d{4}-\\d\\d-\\d\\dT.*\\)\\. Nothing was`,
          ),
        );
      }
      expect((await project.smesh(['guard'])).stdout).toContain('post-0001');
      expect((await project.smesh(['status'])).stdout).toContain('post-0001');
      expect((await project.smesh(['plan'])).code).toBe(0);
      expect((await project.smesh(['up', '--dry-run'])).code).toBe(0);
      expect((await project.smesh(['down', '--dry-run'])).code).toBe(5);
    });
    holder?.kill('SIGKILL');
    const next = await project.smesh(['generate']);
    expect(next.code, next.stderr).toBe(0);
  });
});

describe('the node and the idle', () => {
  it('S31: the node is restarted while provers are at work, which is no licence to stop an idle one', async () => {
    const before = await project.lives();
    const run = await project.smesh(['restart', 'node', '--timeout', '60s']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(plain(run.stderr)).toMatch(/The node says for a while that it wants nothing/);
    const after = await project.lives();
    expect(after['node']).not.toBe(before['node']);
    expect(after).toEqual({ ...before, node: after['node'] });
    const refused = await project.smesh(['stop', 'post-0003']);
    expect(refused.code, refused.stdout).toBe(5);
    expect(plain(refused.stderr)).toMatch(/post-0003 .* (has just started|cannot be asked)/);
    // They go on with the same proof.
    for (const service of ['post-0001', 'post-0002']) {
      expect((await logOf(project, service)).match(/starting proof generation/g)).toHaveLength(1);
    }
  });

  it('a node that hangs is not one that is down: refused, and allowed once it is down', async () => {
    const pid = await mainProcess('node');
    process.kill(pid, 'SIGSTOP');
    try {
      const run = await project.smesh(['stop', 'post-0003']);
      expect(run.code, run.stdout).toBe(5);
      expect(plain(run.stderr)).toMatch(/says that it is idle, while the node cannot be asked/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await project.compose('stop', 'node');
    const refused = await project.smesh(['stop', 'post-0001']);
    expect(refused.code, refused.stdout).toBe(5);
    const run = await project.smesh(['stop', 'post-0003']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/1 container stopped: post-0003\. No proof was lost/);
    expect((await project.lives())['post-0003']).toContain('exited');
  });
});

describe('mixing with plain Docker Compose', () => {
  it('what is down is not restarted; what plain Compose starts is left running', async () => {
    const run = await project.smesh(['restart', 'post-0003']);
    expect(run.code, run.stdout).toBe(6);
    expect(plain(run.stderr)).toMatch(/post-0003 does not run.*smesh-compose up post-0003/);
    const id = (await project.lives())['post-0003']?.split(' ')[0];
    await project.compose('up', '-d');
    expect((await project.lives())['post-0003']).toMatch(new RegExp(`^${id} .* running$`));
    expect((await project.lives())['node']).toContain('running');
  });

  it('S30: a plain docker restart of a prover at work is seen and told as lost work', async () => {
    await docker('restart', '-t', '0', await project.containerOf('post-0002'));
    await untilLogged(project, 'post-0002', /starting proof generation/, 2);
    const status = await project.smesh(['status']);
    expect(plain(status.stdout)).toMatch(
      /post-0002 was restarted while it proved: \d+ (s|min) of work is lost, it began anew/,
    );
    const json = JSON.parse((await project.smesh(['status', '--json'])).stdout);
    const lost = json.findings.filter(({ code }: { code: string }) => code === 'work-lost');
    expect(lost).toMatchObject([{ services: ['post-0002'], severity: 'notice' }]);
    const refused = await project.smesh(['stop', 'post-0002']);
    expect(refused.code, refused.stdout).toBe(5);
  });

  it('S30: one that plain Compose, or an updater, has recreated: its log is new, and the node remembers', async () => {
    // The node was restarted a moment ago: a question of less than two seconds before could be the clocks' difference.
    await sleep(3000);
    await project.compose('up', '-d', '--no-deps', '--force-recreate', 'post-0001');
    await untilLogged(project, 'post-0001', /starting proof generation/);
    // On a busy machine the node's events may come too late for one look; what they tell stays true.
    const status = async () => plain((await project.smesh(['status'])).stdout);
    await expect
      .poll(status, { timeout: 30_000, interval: 500 })
      .toMatch(/post-0001 was restarted while it proved: its work is lost, it began anew/);
  });
});

async function mainProcess(service: string): Promise<number> {
  const top = await docker('top', await project.containerOf(service), '-o', 'pid,args');
  const line = top.split('\n').findLast((one) => /node|go-spacemesh/.test(one)) ?? '';
  return Number(line.trim().split(/\s+/)[0]);
}
