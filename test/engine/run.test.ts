import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { plain, turnKnobs, until, untilLogged, untilSynced, wantedOf } from './support/lifecycle.ts';
import { LoopProcess } from './support/loop-process.ts';
import { docker, TestProject } from './support/project.ts';

const folder = suiteTempFolder('run');
const GAP = { phaseShift: '800s', cycleGap: '400s', gracePeriod: '12s', positioningAtxTimeout: '4s' };
const FOR_EVER = '900000';
let project: TestProject;
let loop: LoopProcess;

/** post-0001 and post-0002 share a disk; whoever is not quick reads for as long as anybody looks. */
beforeAll(async () => {
  project = await TestProject.make(folder, 0, 4);
  for (const disk of ['d1', 'd1', 'd2']) project.addIdentity({ disk });
  // Settled after two layers, and the first epoch outlives the test.
  project.change({ layersPerEpoch: 400, poet: GAP, schedule: { every: '3s', k2pow: 2 } });
  const quick = { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: '1500', SIM_READ_FRACTION: '1' };
  turnKnobs(project, {
    'post-0001': quick,
    'post-0002': { ...quick, SIM_READ_MS: FOR_EVER },
    'post-0003': { ...quick, SIM_READ_MS: FOR_EVER },
  });
  const generated = await project.smesh(['generate']);
  expect(generated.code, generated.stderr).toBe(0);
  await project.compose('create');
  await project.compose('start', 'node');
  await untilSynced(project);
  const allWanted = (wanted: Readonly<Record<string, string>>) =>
    Object.values(wanted).length === 3 && Object.values(wanted).every((state) => state === 'proving');
  await until('all are wanted', () => wantedOf(project), allWanted);
});

afterAll(async () => {
  await loop?.end('SIGKILL');
  await project.cleanUp();
});

/** Acts of a loop that were done: `start post-0001`. */
const acts = (of: LoopProcess, what?: string) =>
  of.lines
    .filter(({ kind, outcome }) => kind === 'act' && outcome === 'done')
    .map(({ act, name }) => `${act} ${name}`)
    .filter((act) => what === undefined || act.startsWith(what));

const untilActed = (act: string) =>
  until(
    act,
    async () => acts(loop),
    (done) => done.includes(act),
  );
const lastTick = () => loop.lines.findLast(({ kind }) => kind === 'tick');
const stateOf = async (service: string) => (await project.lives())[service]?.split(' ').at(-1);

describe('run', () => {
  it('says beforehand what it would do, and does nothing', async () => {
    const run = await project.smesh(['run', '--dry-run']);
    expect(run.code, run.stderr).toBe(10);
    expect(run.stdout).toMatch(/^\d\d:\d\d:\d\dZ {2}post-000[12] {2}would be started: /m);
    expect(await stateOf('post-0003')).toBe('created');
    const json = await project.smesh(['run', '--dry-run', '--json']);
    expect(json.code).toBe(10);
    const [first, ...rest] = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({ schemaVersion: 1, kind: 'act', act: 'start', outcome: 'pending' });
    expect(rest.at(-1)).toMatchObject({ kind: 'tick', wanted: 3 });
  });

  it('starts whose proof the node wants, and stops who is done', async () => {
    loop = new LoopProcess(folder);
    await untilActed('start post-0003');
    await untilActed('start post-0001');
    await untilLogged(project, 'post-0001', /proof is valid/);
    await untilActed('stop post-0001');
    expect(await stateOf('post-0001')).toBe('exited');
    await untilLogged(project, 'post-0002', /Reading file/);
    await untilLogged(project, 'post-0003', /Reading file/);
    const run = await project.smesh(['run', '--once']);
    expect(run.code).toBe(75);
  });

  it('S36: a second one ends with 75 and names the first', async () => {
    const second = await project.smesh(['run']);
    expect(second.code, second.stdout).toBe(75);
    expect(second.stderr).toMatch(/A schedule runs for .* already: run \(pid \d+, since 20/);
    expect(loop.running).toBe(true);
  });

  it('S35: killed and started again, it adopts what runs and does nothing twice', async () => {
    const before = await project.lives();
    await loop.end('SIGKILL');
    loop = new LoopProcess(folder);
    await until(
      'it looks',
      async () => loop.lines.filter(({ kind }) => kind === 'tick').length,
      (n) => n >= 3,
    );
    expect(acts(loop)).toEqual([]);
    expect(await project.lives()).toEqual(before);
  });

  /** What `verify` finds of each service: `post-0001 not-due left-to-schedule`. */
  const verified = async () => {
    const { stdout, stderr } = await project.smesh(['verify', '--json']);
    if (stdout === '') throw new Error(stderr);
    const { identities } = JSON.parse(stdout) as {
      readonly identities: readonly {
        readonly name: string;
        readonly checks: readonly {
          readonly subject: string;
          readonly level: string;
          readonly code: string;
        }[];
      }[];
    };
    return identities.flatMap(({ name, checks }) =>
      checks
        .filter(({ subject }) => subject === 'service')
        .map(({ level, code }) => `${name} ${level} ${code}`),
    );
  };

  it('is known to verify and stop: who rests is no fault, and is not kept down by a stop', async () => {
    expect(await verified()).toEqual([
      'post-0001 not-due left-to-schedule',
      'post-0002 ok service',
      'post-0003 ok service',
    ]);
    const stop = await project.smesh(['stop', 'post-0001']);
    expect(stop.code, stop.stderr).toBe(0);
    expect(plain(stop.stderr)).toMatch(/post-0001 rests and is left to the schedule, which starts it when/);
    const json = await project.smesh(['stop', 'post-0001', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ stopped: [], leftToSchedule: ['post-0001'] });
  });

  it('who was stopped by a person stays stopped', async () => {
    await docker('stop', await project.containerOf('post-0003'));
    await until(
      'it says so',
      async () => lastTick(),
      (tick) => JSON.stringify(tick?.['waiting'] ?? []).includes('stopped-by-person'),
    );
    const seen = loop.lines.length;
    await until(
      'it looks again',
      async () => loop.lines.length,
      (lines) => lines > seen + 2,
    );
    expect(await stateOf('post-0003')).toBe('exited');
    expect(acts(loop, 'start')).toEqual([]);
    expect(await verified()).toContain('post-0003 costs-rewards service-down');
  });

  it('until somebody asks for it; up leaves to the schedule whom that has stopped', async () => {
    const before = await project.lives();
    const up = await project.smesh(['up']);
    expect(up.code, up.stderr).toBe(0);
    expect(plain(up.stderr)).toMatch(/1 post-service is left to the schedule/);
    const after = await project.lives();
    expect(after).toEqual({ ...before, 'post-0003': after['post-0003'] });
    await untilLogged(project, 'post-0003', /Reading file/, 2);
    expect(JSON.stringify(lastTick()?.['waiting'])).not.toContain('stopped-by-person');
    expect(await stateOf('post-0003')).toBe('running');
  });

  it('a stop by this tool counts as a stop by a person, and stop says so', async () => {
    const stop = await project.smesh(['stop', 'post-0003', '--force']);
    expect(stop.code, stop.stderr).toBe(0);
    expect(plain(stop.stderr)).toMatch(
      /The schedule leaves down what you have stopped\. .*: smesh-compose up post-0003/,
    );
    await until(
      'the schedule says so, too',
      async () => JSON.stringify(lastTick()?.['waiting'] ?? []),
      (waiting) => waiting.includes('stopped-by-person'),
    );
    expect(await stateOf('post-0003')).toBe('exited');
    const up = await project.smesh(['up', 'post-0003']);
    expect(up.code, up.stderr).toBe(0);
    await untilLogged(project, 'post-0003', /Reading file/, 3);
  });

  it('leaves all as it is at SIGTERM, and the quota of a dead loop is lifted by the next', async () => {
    const before = await project.lives();
    expect(await loop.end('SIGTERM')).toBe(0);
    expect(loop.lines.at(-1)).toMatchObject({ schemaVersion: 1, kind: 'end', held: [] });
    expect(await project.lives()).toEqual(before);
    await docker(
      'update',
      '--cpu-period',
      '100000',
      '--cpu-quota',
      '1000',
      await project.containerOf('post-0003'),
    );
    const once = await project.smesh(['run', '--once']);
    expect(once.code, once.stderr).toBe(0);
    expect(once.stdout).toMatch(/post-0003 {2}released: /);
    const quota = await docker(
      'inspect',
      '-f',
      '{{.HostConfig.CpuQuota}}',
      await project.containerOf('post-0003'),
    );
    expect(Number(quota)).toBeLessThanOrEqual(0);
    expect(await project.lives()).toEqual(before);
  });
});
