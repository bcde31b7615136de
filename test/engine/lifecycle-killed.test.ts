import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { logOf, plain, turnKnobs, until, untilLogged } from './support/lifecycle.ts';
import { TestProject } from './support/project.ts';

const folder = suiteTempFolder('lifecycle-killed');
const pending = join(folder, '.smesh/pending-starts.json');
let project: TestProject;

/** One proves for as long as the test goes on, two are idle; nothing else is due for minutes. */
beforeAll(async () => {
  project = await TestProject.make(folder, 3, 15);
  const quick = { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: '10' };
  turnKnobs(project, {
    'post-0001': { SIM_K2POW_MS_PER_UNIT_GROUP: '900000' },
    'post-0002': quick,
    'post-0003': quick,
  });
  const run = await project.smesh(['up', '--detach']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  for (const service of ['post-0002', 'post-0003']) await untilLogged(project, service, /proof is valid/);
  await untilLogged(project, 'post-0001', /calculating proof of work/);
  // Two layers and a start.
  const idle = () => project.smesh(['guard', 'post-0002', 'post-0003']);
  await until('the node has settled', idle, ({ code }) => code === 0, 90_000);
});

afterAll(async () => {
  await project.cleanUp();
});

/** Starts a command and kills it with -9 when the moment has come. */
async function killWhen(
  args: readonly string[],
  moment: (said: string) => Promise<boolean> | boolean,
): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [requireBuiltCli(), ...args], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  let code: number | null | undefined;
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => {
    child.on('close', (result) => {
      code = result;
      resolve();
    });
  });
  await until(
    `the middle of ${args.join(' ')}`,
    async () => {
      if (code !== undefined) return 'ended';
      return (await moment(said)) ? 'there' : 'not yet';
    },
    (answer) => answer !== 'not yet',
  );
  expect(code, `${args.join(' ')} ended by itself:\n${said}`).toBeUndefined();
  child.kill('SIGKILL');
  await ended;
}

/** The real docker, but whoever has it `create` or `down` is killed: before it begins, or when it is done. */
function deadlyDocker(verb: 'create' | 'down', when: 'before' | 'after'): Record<string, string> {
  const bin = join(folder, `bin-${verb}-${when}`);
  mkdirSync(bin, { recursive: true });
  const kill = `if [[ " $* " == *" ${verb} "* ]]; then kill -9 $PPID; fi`;
  const script = [
    '#!/bin/bash',
    ...(when === 'before' ? [`if [[ " $* " == *" ${verb} "* ]]; then kill -9 $PPID; exit 1; fi`] : []),
    `PATH=${process.env['PATH']} docker "$@"`,
    'code=$?',
    ...(when === 'after' ? [kill] : []),
    'exit $code',
  ];
  writeFileSync(join(bin, 'docker'), `${script.join('\n')}\n`);
  chmodSync(join(bin, 'docker'), 0o755);
  return { PATH: `${bin}${delimiter}${process.env['PATH']}` };
}

const stateOf = async (service: string) => (await project.lives())[service]?.split(' ').at(-1);

/** The one that proves was never touched: same container, same start, one proof begun. */
async function expectStillProving(life: string | undefined): Promise<void> {
  expect((await project.lives())['post-0001']).toBe(life);
  expect((await logOf(project, 'post-0001')).match(/starting proof generation/g)).toHaveLength(1);
}

describe('S35: the tool is killed with -9', () => {
  it('in stop --wait, after it has stopped the idle ones: they stay stopped, and up starts them', async () => {
    const before = await project.lives();
    await killWhen(['stop', '--wait'], async (said) => {
      return (
        said.includes('Waiting for') &&
        (await stateOf('post-0003')) === 'exited' &&
        (await stateOf('post-0002')) === 'exited'
      );
    });
    expect(await stateOf('node')).toBe('running');
    const next = await project.smesh(['generate']);
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).not.toContain('interrupted');
    expect(await stateOf('post-0002')).toBe('exited');
    const up = await project.smesh(['up']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    for (const service of ['post-0002', 'post-0003']) {
      expect((await project.lives())[service]).toMatch(
        new RegExp(`^${before[service]?.split(' ')[0]} .* running$`),
      );
    }
    await expectStillProving(before['post-0001']);
  });

  it('in down --wait: what it has stopped stays, and the next command finds a plain state', async () => {
    const before = await project.lives();
    await killWhen(['down', '--wait'], async () => (await stateOf('post-0002')) === 'exited');
    expect(await stateOf('node')).toBe('running');
    const up = await project.smesh(['up']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(Object.keys(await project.lives())).toEqual(Object.keys(before));
    await expectStillProving(before['post-0001']);
  });

  it('in restart: nobody who was restarted stays down', async () => {
    const before = await project.lives();
    // The first sign of the act: it has ended.
    await killWhen(['restart', 'post-0002', 'post-0003'], async () => {
      const now = await project.lives();
      return ['post-0002', 'post-0003'].some((service) => now[service] !== before[service]);
    });
    const next = await project.smesh(['generate']);
    expect(next.code, next.stderr).toBe(0);
    for (const service of ['post-0002', 'post-0003']) expect(await stateOf(service), service).toBe('running');
    await expectStillProving(before['post-0001']);
  });

  describe('in up', () => {
    /** Another definition of the two idle provers. */
    function redefine(nonces: number): void {
      const file = join(folder, 'smesh.yaml');
      const text = readFileSync(file, 'utf8').replace(/\n {4}nonces: \d+/g, '');
      writeFileSync(file, text.replace(/name: post-000[23]\n/g, `$&    nonces: ${nonces}\n`));
    }

    it('between its stop of the idle ones and their recreation: the next command starts them', async () => {
      const before = await project.lives();
      redefine(32);
      const killed = await project.smesh(['up', '--detach'], { env: deadlyDocker('create', 'before') });
      expect(killed.code, killed.stdout).not.toBe(0);
      expect(await stateOf('post-0002')).toBe('exited');
      expect(existsSync(pending)).toBe(true);
      const next = await project.smesh(['generate']);
      expect(next.code, next.stderr).toBe(0);
      expect(plain(next.stderr)).toMatch(
        /before it had started post-0002(,| and) post-0003 again; started now/,
      );
      // Not recreated yet, and as it was before.
      expect((await project.lives())['post-0002']).toMatch(
        new RegExp(`^${before['post-0002']?.split(' ')[0]} .* running$`),
      );
      expect(existsSync(pending)).toBe(false);
      await expectStillProving(before['post-0001']);
    });

    it('between their recreation and their start: likewise, and each once', async () => {
      const before = await project.lives();
      const safe = () => project.smesh(['guard', 'post-0002', 'post-0003']);
      await until('both are idle again', safe, ({ code }) => code === 0);
      const killed = await project.smesh(['up', '--detach'], { env: deadlyDocker('create', 'after') });
      expect(killed.code, killed.stdout).not.toBe(0);
      expect(await stateOf('post-0002')).toBe('created');
      const next = await project.smesh(['generate']);
      expect(next.code, next.stderr).toBe(0);
      expect(plain(next.stderr)).toMatch(
        /before it had started post-0002(,| and) post-0003 again; started now/,
      );
      const after = await project.lives();
      for (const service of ['post-0002', 'post-0003']) {
        expect(after[service]).not.toBe(before[service]);
        expect(after[service]).toContain('running');
      }
      expect((await project.containerIds()).length).toBe(4);
      const again = await project.smesh(['up']);
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(await project.lives()).toEqual(after);
      await expectStillProving(before['post-0001']);
    });
  });

  it('in down --force, before Compose has removed anything: down goes on, or up starts all again', async () => {
    const killed = await project.smesh(['down', '--force'], { env: deadlyDocker('down', 'before') });
    expect(killed.code, killed.stdout).not.toBe(0);
    expect(new Set(Object.values(await project.lives()).map((life) => life.split(' ').at(-1)))).toEqual(
      new Set(['exited']),
    );
    const up = await project.smesh(['up', '--detach']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect((await project.containerIds()).length).toBe(4);
    const down = await project.smesh(['down', '--force']);
    expect(down.code, down.stderr).toBe(0);
    expect(await project.containerIds()).toEqual([]);
  });
});
