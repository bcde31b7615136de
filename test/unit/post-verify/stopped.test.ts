import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { currentOrNextGap, epochClock } from '../../../src/domain/poet/epochs.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import type { HelperContainer } from '../../../src/ports/docker.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { loadRecords, RecordKeeper } from '../../../src/usecases/post-verify/records.ts';
import { runChecks } from '../../../src/usecases/post-verify/run-checks.ts';
import { FakeProject, IDS, SMESH_YAML } from '../schedule/support/fake-context.ts';

const { project } = requireProject(SMESH_YAML, { directory: '/srv/smesh' });
const CLOCK = epochClock(MAINNET, defaultPoet(MAINNET));
const GAP = currentOrNextGap(CLOCK, Date.parse('2026-11-27T00:00:00Z'));
const DAY = 86_400_000;

/**
 * A project outside of the gap whose checks say that they have begun file 2 and never end by themselves.
 * `answers`: whether the disk of a path does.
 */
function world(fake: FakeProject, answers: (path: string) => boolean = () => true) {
  fake.now = GAP.opens - 3 * DAY;
  fake.wanted = 'idle';
  const helpers: HelperContainer[] = [];
  const context = fake.context();
  const docker = {
    runHelper: (helper: HelperContainer) => {
      helpers.push(helper);
      helper.onOutput?.('INFO\tverifying file /post/postdata_2.bin\t{}\n', 'stdout');
      return new Promise((_, reject) => {
        helper.signal?.addEventListener('abort', () => reject(helper.signal?.reason), { once: true });
      });
    },
  };
  const ports = {
    ...context.ports,
    docker: async () => {
      const engine = await context.ports.docker();
      const containers = async () =>
        (await engine.containers()).map((one) => ({ ...one, project: project.name }));
      return { ...engine, ...docker, containers };
    },
    host: async () => ({ answers: async (path: string) => answers(path) }),
  };
  return { context: { ...context, ports } as unknown as Context, helpers };
}

const check = (index: number) => ({
  place: { path: `/d${index}`, name: `post-${index}`, disk: `d${index}`, user: '1:1' },
  range: { from: 0, to: 9 },
  scryptN: 8192,
});

const OPTIONS = { image: 'postcli', fraction: 0.2, onEnd: async () => undefined };

describe('a check that goes on', () => {
  it('ends where a proof is wanted on its disk, and on no other', async () => {
    const fake = new FakeProject();
    const { context, helpers } = world(fake);
    const ended: string[] = [];
    const run = runChecks(context, project, [check(0), check(1)], {
      ...OPTIONS,
      onEnd: async ({ place }, { why }) => {
        ended.push(`${place.disk}: ${why}`);
        fake.status.set('post-1', { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 });
      },
    });
    await tick();
    fake.status.set('post-0', { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 });
    const results = [...(await run).values()];
    expect(helpers).toHaveLength(2);
    expect(results).toHaveLength(2);
    for (const result of results) {
      expect(result).toMatchObject({ kind: 'stopped', range: { from: 0, to: 1 }, wrong: [] });
    }
    expect(ended[0]).toMatch(/^d0: post-0 .*the disk is for proofs$/);
    expect(ended[1]).toMatch(/^d1: post-1 /);
  });

  it('ends before the cycle gap opens', async () => {
    const fake = new FakeProject();
    const { context } = world(fake);
    const run = runChecks(context, project, [check(0)], OPTIONS);
    await tick();
    fake.now = GAP.opens - 29 * 60_000;
    const [result] = (await run).values();
    expect(result).toMatchObject({
      kind: 'stopped',
      why: expect.stringContaining('cycle gap is about to open'),
    });
  });

  it('gives up a disk that does not answer any more, and what was still to come on it', async () => {
    const fake = new FakeProject();
    const { context, helpers } = world(fake, (path) => path !== '/d0');
    const second = { ...check(1), place: { ...check(1).place, disk: 'd0' } };
    const results = await runChecks(context, project, [check(0), second], OPTIONS);
    expect(helpers).toHaveLength(1);
    for (const result of results.values()) {
      expect(result).toMatchObject({ kind: 'stopped', why: 'the disk does not answer any more' });
    }
    expect([...results.values()][1]).not.toHaveProperty('range');
  });

  it('ends with Ctrl-C, container and all, and answers what it has', async () => {
    const fake = new FakeProject();
    const { context, helpers } = world(fake);
    const run = runChecks(context, project, [check(0), check(1)], OPTIONS);
    await tick();
    fake.ended.abort(new Error('Ctrl-C'));
    expect([...(await run).values()].map(({ why }) => why)).toEqual(['ended by Ctrl-C', 'ended by Ctrl-C']);
    expect(helpers.every(({ signal }) => signal?.aborted === true)).toBe(true);
  });

  it('does not begin a second container on a disk before the first has ended', async () => {
    const fake = new FakeProject();
    const { context, helpers } = world(fake);
    const same = (index: number) => ({ ...check(index), place: { ...check(index).place, disk: 'd0' } });
    const run = runChecks(context, project, [same(0), same(1), check(2)], OPTIONS);
    for (let round = 0; round < 20; round += 1) await tick();
    expect(helpers.map(({ mounts }) => mounts[0]?.source)).toEqual(['/d0', '/d2']);
    expect(helpers.every(({ mounts }) => mounts.every(({ writable }) => writable !== true))).toBe(true);
    fake.ended.abort(new Error('Ctrl-C'));
    await run;
  });
});

describe('what is kept', () => {
  it('of disks that end at the same moment is all of it', async () => {
    const fake = new FakeProject();
    const { context } = world(fake);
    const keeper = new RecordKeeper(context);
    const record = (index: number) => ({
      ...{ path: `/d${index}`, smesherId: IDS[0] as SmesherId, at: 1, fraction: 1, from: 0, to: 1, files: 2 },
      wrong: [],
    });
    await Promise.all([0, 1, 2].map((index) => keeper.keep(record(index))));
    expect((await loadRecords(context)).map(({ path }) => path)).toEqual(['/d0', '/d1', '/d2']);
  });
});
