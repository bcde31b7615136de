import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import type { Decision, ScheduleAct, ScheduleAlarm } from '../../../src/domain/schedule/decision.ts';
import { readHistory } from '../../../src/domain/schedule/history-file.ts';
import { runSchedule } from '../../../src/usecases/schedule/run-loop.ts';
import { type Decide, Ticker } from '../../../src/usecases/schedule/tick.ts';
import { FakeProject, IDS, SMESH_YAML } from './support/fake-context.ts';

const PROJECT = requireProject(SMESH_YAML, { directory: '/srv/smesh' }).project;
const ONCE = { once: true, dryRun: false };

type Doing =
  | { kind: 'start'; ahead: boolean }
  | { kind: 'stop' }
  | { kind: 'hold'; deep: boolean }
  | { kind: 'release' }
  | { kind: 'restart'; mends: 'stuck' };

function act(index: number, doing: Doing): ScheduleAct {
  const name = `post-${index}`;
  return { id: IDS[index] ?? ('' as never), name, containerId: name, reason: 'because', ...doing };
}

const decided = (acts: readonly ScheduleAct[], alarms: readonly ScheduleAlarm[] = []): Decide => {
  return (_observation, policy, now): Decision => ({
    ...{ acts, alarms, waiting: [], lookAgainAt: now + policy.lookEveryMs },
  });
};

const historyOf = (fake: FakeProject) => readHistory(fake.files.get('/srv/smesh/.smesh/history')).history;

describe('one tick', () => {
  it('does what was decided and says it, with the reason', async () => {
    const fake = new FakeProject();
    const acts = [
      act(0, { kind: 'stop' }),
      act(1, { kind: 'hold', deep: false }),
      act(2, { kind: 'restart', mends: 'stuck' }),
    ];
    expect(await runSchedule(fake.context(), ONCE, decided(acts))).toBe(0);
    expect(fake.calls.filter((call) => call !== 'containers')).toEqual([
      'quota post-1 1000/100000',
      'stop post-0',
      'restart post-2',
    ]);
    expect(fake.said.results).toEqual([
      '23:12:00Z  post-1  held: because',
      '23:12:00Z  post-0  stopped: because',
      '23:12:00Z  post-2  restarted: because',
    ]);
    const { stops, demands } = historyOf(fake);
    expect(stops).toEqual([{ container: 'post-0', at: fake.now, finishedAt: fake.now }]);
    expect(demands.get(IDS[2] ?? ('' as never))?.restarts.stuck?.times).toBe(1);
  });

  it('leaves alone who answers otherwise than when it was judged', async () => {
    const fake = new FakeProject();
    const decide: Decide = (...args) => {
      fake.status.set('post-0', { kind: 'proving', nonces: { start: 0, end: 0 }, position: 0 });
      return decided([act(0, { kind: 'stop' })])(...args);
    };
    await runSchedule(fake.context(), ONCE, decide);
    expect(fake.calls).not.toContain('stop post-0');
    expect(fake.said.results).toEqual([]);
    expect(historyOf(fake).stops).toEqual([]);
  });

  it('starts nobody held, and nobody whose identity runs elsewhere', async () => {
    const fake = new FakeProject();
    fake.containers.set('post-0', {
      ...{ id: 'post-0', state: 'exited', exitCode: 143, finishedAt: 5 },
      host: { cpuQuota: 1000, cpuPeriod: 100_000 },
    });
    for (const name of ['post-1', 'post-2']) fake.containers.delete(name);
    fake.containers.delete('node');
    await runSchedule(fake.context(), ONCE, decided([act(0, { kind: 'start', ahead: false })]));
    expect(fake.calls.filter((call) => call !== 'containers')).toEqual(['quota post-0 none', 'start post-0']);
    const twin = new FakeProject();
    twin.containers.set('post-0', { id: 'post-0', state: 'exited', host: { cpuQuota: 0, cpuPeriod: 0 } });
    await runSchedule(twin.context(), ONCE, decided([act(0, { kind: 'start', ahead: false })]));
    expect(twin.calls).not.toContain('start post-0');
  });

  it('keeps its hands off while another command changes the project, but lets who is held go on', async () => {
    const fake = new FakeProject();
    fake.locks.set('/srv/smesh', 'up (pid 7)');
    const acts = [act(0, { kind: 'stop' }), act(1, { kind: 'release' })];
    const tick = await new Ticker(fake.context(), decided(acts)).tick(PROJECT, false);
    expect(fake.calls.filter((call) => call !== 'containers')).toEqual(['quota post-1 none']);
    expect(tick.alarms.map(({ code }) => code)).toEqual(['project-busy']);
  });

  it('decides without holds where the engine refuses several, and tries again later; of one it may be that one', async () => {
    const fake = new FakeProject();
    fake.faults.set('quota', new SmeshError('quota-refused', ExitCode.environment, 'no'));
    const seen: boolean[] = [];
    const ticker = new Ticker(fake.context(), (observation, policy, now) => {
      seen.push(policy.canHold);
      const hold = seen.length === 1 ? 1 : 2;
      const acts = policy.canHold ? [act(hold, { kind: 'hold', deep: false })] : [];
      return decided(acts)(observation, policy, now);
    });
    const codes = async () => (await ticker.tick(PROJECT, false)).alarms.map(({ code }) => code);
    expect(await codes()).toEqual(['quota-refused']);
    expect(await codes()).toEqual(['cannot-hold']);
    expect(await codes()).toEqual(['cannot-hold']);
    fake.now += 11 * 60_000;
    await codes();
    await codes();
    expect(seen).toEqual([true, true, false, false, true]);
  });

  it('S35: remembers that it was about to stop somebody when it is killed in the act', async () => {
    const fake = new FakeProject();
    fake.faults.set('stop', new Error('killed'));
    const ticker = new Ticker(fake.context(), decided([act(0, { kind: 'stop' })]));
    await expect(ticker.tick(PROJECT, false)).rejects.toThrow('killed');
    expect(historyOf(fake).stops).toEqual([{ container: 'post-0', at: fake.now }]);
  });

  it('remembers restarts also where the disk is full, and says so once', async () => {
    const fake = new FakeProject();
    fake.faults.set('write', Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    const restarts: unknown[] = [];
    const ticker = new Ticker(fake.context(), (observation, policy, now) => {
      restarts.push(observation.provers[2]?.courtesy.restarts.stuck?.times);
      return decided([act(2, { kind: 'restart', mends: 'stuck' })])(observation, policy, now);
    });
    await ticker.tick(PROJECT, false);
    await ticker.tick(PROJECT, false);
    expect(restarts).toEqual([undefined, 1]);
    expect(fake.said.warnings.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
  });

  it('does nothing where the engine does not answer, and says why', async () => {
    const fake = new FakeProject();
    fake.faults.set('containers', new SmeshError('engine-down', ExitCode.environment, 'No engine answers'));
    const tick = await new Ticker(fake.context(), (observation, policy, now) => {
      expect(observation.node).toBe('unknown');
      expect(observation.provers.every(({ container }) => container.kind === 'unknown')).toBe(true);
      return decided([])(observation, policy, now);
    }).tick(PROJECT, false);
    expect(tick.alarms.map(({ code }) => code)).toEqual(['engine-down']);
    await expect(runSchedule(fake.context(), ONCE, decided([]))).rejects.toMatchObject({
      code: 'engine-down',
    });
  });

  it('dry writes nothing, not even the history', async () => {
    const fake = new FakeProject();
    const code = await runSchedule(
      fake.context(),
      { once: false, dryRun: true },
      decided([act(0, { kind: 'stop' })]),
    );
    expect(code).toBe(10);
    expect(fake.said.results).toEqual(['23:12:00Z  post-0  would be stopped: because']);
    expect([...fake.files.keys()]).toEqual(['/srv/smesh/smesh.yaml']);
    expect(await runSchedule(fake.context(), { once: false, dryRun: true }, decided([]))).toBe(0);
  });
});

describe('the loop', () => {
  it('says an alarm once for as long as it holds, and when it is over; SIGTERM leaves all and names the held', async () => {
    const fake = new FakeProject();
    let ticks = 0;
    const decide: Decide = (...args) => {
      ticks += 1;
      if (ticks === 6) fake.ended.abort();
      const alarm = { code: 'stuck', name: 'post-2', message: 'is stuck' };
      const acts = ticks === 2 ? [act(1, { kind: 'hold', deep: true } as Doing)] : [];
      return decided(acts, ticks >= 2 && ticks < 5 ? [alarm] : [])(...args);
    };
    expect(await runSchedule(fake.context(), { once: false, dryRun: false }, decide)).toBe(0);
    expect(fake.said.warnings).toEqual(['post-2: is stuck']);
    expect(fake.said.notes.filter((line) => line.startsWith('Over'))).toEqual(['Over: post-2: is stuck']);
    expect(fake.said.notes.at(-1)).toMatch(
      /all provers are left as they are\. Held by CPU quota: post-1; smesh-compose run, or smesh-compose up, lets it go on\./,
    );
    expect(fake.calls.filter((call) => call !== 'containers')).toEqual(['quota post-1 1000/1000000']);
  });

  it('S36: is one at a time', async () => {
    const fake = new FakeProject();
    fake.locks.set('/srv/smesh/.smesh/run', 'run (pid 7)');
    await expect(runSchedule(fake.context(), ONCE, decided([]))).rejects.toMatchObject({
      ...{ code: 'schedule-busy', exitCode: 75 },
      message: expect.stringContaining('run (pid 7)'),
    });
  });

  it('takes smesh.yaml as it is edited, and goes on by the old one where that has faults', async () => {
    const fake = new FakeProject();
    const slots: number[] = [];
    const edits = [`${SMESH_YAML}schedule: {k2pow: 3}\n`, `${SMESH_YAML}schedule: {k2pow: x}\n`, SMESH_YAML];
    await runSchedule(fake.context(), { once: false, dryRun: false }, (observation, policy, now) => {
      slots.push(policy.k2powSlots);
      const next = edits.shift();
      if (next === undefined) fake.ended.abort();
      else fake.files.set('/srv/smesh/smesh.yaml', next);
      return decided([])(observation, policy, now);
    });
    expect(slots).toEqual([1, 3, 3, 1]);
    expect(fake.said.warnings).toHaveLength(1);
    expect(fake.said.warnings[0]).toMatch(/smesh.yaml has faults/);
  });

  it('goes on when the engine goes away and comes back, and says each once', async () => {
    const fake = new FakeProject();
    let ticks = 0;
    await runSchedule(fake.context(), { once: false, dryRun: false }, (...args) => {
      ticks += 1;
      if (ticks === 2)
        fake.faults.set('containers', new SmeshError('engine-down', ExitCode.environment, 'No engine'));
      if (ticks === 6) fake.faults.delete('containers');
      if (ticks === 8) fake.ended.abort();
      return decided([])(...args);
    });
    expect(fake.said.warnings).toEqual(['No engine']);
    expect(fake.said.notes).toContain('Over: No engine');
  });

  it('takes no more memory after ten thousand looks', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const fake = new FakeProject();
    fake.quiet = true;
    let ticks = 0;
    let early = 0;
    await runSchedule(fake.context(), { once: false, dryRun: false }, (...args) => {
      ticks += 1;
      // Everybody comes and goes, and works at one pass after the other.
      fake.wanted = ticks % 40 < 30 ? 'proving' : 'idle';
      fake.status.set('post-0', {
        ...{ kind: ticks % 40 < 30 ? 'proving' : 'idle', position: (ticks % 30) * 1e9 },
        nonces: { start: ticks, end: ticks + 16 },
      });
      if (ticks === 2000) {
        gc();
        early = process.memoryUsage().heapUsed;
      }
      if (ticks === 10_000) fake.ended.abort();
      const doing: Doing = ticks % 2 === 0 ? { kind: 'start', ahead: false } : { kind: 'stop' };
      return decided([act(1, doing)], ticks % 3 === 0 ? [{ code: `c${ticks}`, message: 'm' }] : [])(...args);
    });
    gc();
    expect(ticks).toBe(10_000);
    expect(process.memoryUsage().heapUsed - early).toBeLessThan(4 * 2 ** 20);
    // Seconds, but for a machine that is busy with other things.
  }, 300_000);
});
