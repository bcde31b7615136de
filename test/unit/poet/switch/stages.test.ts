import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLocalDatabase } from '../../../../src/adapters/sqlite/index.ts';
import type { EpochClock } from '../../../../src/domain/poet/epochs.ts';
import { decideSwitch, type SwitchObservation } from '../../../../src/domain/poet/switch/decide.ts';
import { judgeMoment } from '../../../../src/domain/poet/switch/moment.ts';
import { isFree, type Stage, stageOf } from '../../../../src/domain/poet/switch/stages.ts';
import { outcomeOf } from '../../../../src/domain/poet/switch/window.ts';
import { recordings, withoutRecordings } from '../../../contract/run-stand-in.ts';

const id = '11'.repeat(32) as Parameters<typeof stageOf>[0]['smesher'];
const clock: EpochClock = {
  genesis: 0,
  epoch: 1000,
  layer: 10,
  phaseShift: 600,
  cycleGap: 300,
  gracePeriod: 50,
};
const to: EpochClock = { ...clock, phaseShift: 700 };
const registration = { address: 'http://a', roundId: '4' };
const registered = {
  post: true,
  nipost: false,
  registrations: [registration],
  challenge: { publishEpoch: 5, hasPoetProof: false },
};

const stage = (facts: Partial<Parameters<typeof stageOf>[0]>, now: number, down = false) =>
  stageOf({ smesher: id, name: 'post-1', ...facts }, clock, now, down);

describe('how far an identity is', () => {
  it.each([
    ['registered', 4590],
    ['round-runs', 4600],
    ['round-runs', 5299],
    ['proving', 5300],
    ['proving', 5999],
    ['idle', 6010],
  ])('%s at %i, with a challenge for epoch 5', (kind, now) => {
    expect(stage({ rows: registered, published: [4] }, now).kind).toBe(kind);
  });

  it('is known only by database and node together; a node that is down can be about nothing', () => {
    expect(stage({ published: [5] }, 5400).kind).toBe('unknown');
    expect(stage({ rows: 'none' }, 5400).kind).toBe('unknown');
    expect(stage({ rows: 'none' }, 5400, true).kind).toBe('no-proof');
    expect(stage({ rows: 'none', published: [4, 5] }, 5400)).toEqual({ kind: 'published', epoch: 5 });
    expect(stage({ rows: 'none', published: [4] }, 5400).kind).toBe('idle');
    const initial = { post: true, nipost: false, registrations: [] };
    expect(stage({ rows: initial, published: [] }, 5400).kind).toBe('new');
  });

  it('rows that belong to no challenge are a riddle, and so is a challenge that a running node should have given up', () => {
    expect(stage({ rows: { post: true, nipost: true, registrations: [] }, published: [5] }, 5400).kind).toBe(
      'unknown',
    );
    const { challenge } = registered;
    expect(
      stage({ rows: { post: true, nipost: false, registrations: [], challenge }, published: [4] }, 4700).kind,
    ).toBe('unknown');
    expect(
      stage({ rows: { post: true, nipost: false, registrations: [], challenge } }, 4700, true).kind,
    ).toBe('idle');
  });
});

const moment = (
  stages: readonly Stage[],
  now: number,
  changes: Partial<Parameters<typeof judgeMoment>[0]> = {},
) =>
  judgeMoment(
    {
      identities: stages.map((one, index) => ({ smesher: id, name: `post-${index + 1}`, stage: one })),
      rhythms: { from: clock, to },
      sameRounds: false,
      targetAddresses: ['http://b'],
      leadMs: 20,
      ...changes,
    },
    now,
  );

const PUBLISHED: Stage = { kind: 'published', epoch: 5 };

describe('identities in different stages', () => {
  it('all published: open until registration opens', () => {
    expect(moment([PUBLISHED, { kind: 'new' }, { kind: 'no-proof' }], 5400)).toMatchObject({
      kind: 'open',
      closes: 5530,
    });
    expect(moment([PUBLISHED], 5531).kind).toBe('closed');
  });

  it('one that proves, one that is registered again, one that nobody knows: each keeps it closed', () => {
    const others: readonly Stage[] = [
      { kind: 'proving', epoch: 5, publishBy: 6000, addresses: ['http://a'] },
      { kind: 'registered', epoch: 6, starts: 5600, addresses: ['http://a'] },
      { kind: 'registering', epoch: 6, starts: 5600 },
      { kind: 'round-runs', epoch: 5, ends: 5300, addresses: ['http://a'] },
      { kind: 'unknown', why: 'no' },
    ];
    for (const other of others) {
      const judged = moment([PUBLISHED, other], 5200);
      expect(judged).toMatchObject({ kind: 'closed', hindered: [{ name: 'post-2' }] });
    }
    expect(
      moment([PUBLISHED, { kind: 'registered', epoch: 6, starts: 5600, addresses: [] }], 5560),
    ).toMatchObject({
      next: { opens: 6300, closes: 6530 },
      hindered: [{ why: expect.stringContaining('cancelled for ever') }],
    });
  });

  it('where only addresses change: registered is fine as long as the node is up before the round, running only where one stays', () => {
    const same = { rhythms: { from: clock, to: clock }, sameRounds: true };
    const waits: Stage = { kind: 'registered', epoch: 6, starts: 5600, addresses: ['http://a'] };
    expect(moment([waits], 5560, same)).toMatchObject({ kind: 'open', closes: 5580 });
    expect(moment([waits], 5581, same).kind).toBe('closed');
    const runs: Stage = { kind: 'round-runs', epoch: 5, ends: 5300, addresses: ['http://a', 'http://x'] };
    expect(moment([runs], 5000, same).kind).toBe('closed');
    expect(moment([runs], 5000, { ...same, targetAddresses: ['http://b', 'http://x'] }).kind).toBe('open');
    expect(moment([runs], 5290, { ...same, targetAddresses: ['http://b', 'http://x'] }).kind).toBe('closed');
  });
});

const seen: SwitchObservation = {
  identities: [{ smesher: id, name: 'post-1', stage: PUBLISHED }],
  rhythms: { from: clock, to },
  sameRounds: false,
  targetAddresses: ['http://b'],
  leadMs: 20,
  written: 'present',
  node: 'up',
  nodeIsCurrent: true,
  begun: { nodeRan: false, backedUp: false },
  targetFaults: [],
  rows: { ok: true, rows: { file: 'local.sql', tables: [] } },
  registered: new Set(),
};
const act = (changes: Partial<SwitchObservation>, now = 5400) => decideSwitch({ ...seen, ...changes }, now);

describe('one act after the other', () => {
  it('backup, stop, write, start, watch, done', () => {
    const begun = { nodeRan: true, backedUp: true, promised: { round: 5, lost: 0 } };
    expect(act({})).toMatchObject({ act: 'back-up' });
    expect(act({ begun: { nodeRan: false, backedUp: true } })).toMatchObject({ act: 'stop-node' });
    expect(act({ begun, node: 'down' })).toMatchObject({ act: 'write-target' });
    expect(act({ begun, node: 'down', written: 'target' })).toMatchObject({ act: 'start-node' });
    expect(act({ begun, node: 'up', written: 'target', nodeIsCurrent: false })).toMatchObject({
      act: 'start-node',
    });
    expect(act({ begun, written: 'target' })).toMatchObject({ kind: 'watch', missing: ['post-1'] });
    expect(act({ begun, written: 'target', registered: new Set([id]) })).toEqual({
      kind: 'done',
      missed: [],
    });
    expect(act({ begun, written: 'target' }, 5701)).toEqual({ kind: 'done', missed: ['post-1'] });
  });

  it('somebody has registered between look and stop: the node starts again as it was', () => {
    const begun = { nodeRan: true, backedUp: true, promised: { round: 5, lost: 0 } };
    const stage: Stage = { kind: 'registered', epoch: 6, starts: 5600, addresses: ['http://a'] };
    const identities = [{ smesher: id, name: 'post-1', stage }];
    expect(act({ begun, node: 'down', identities })).toMatchObject({
      act: 'start-unchanged',
      why: expect.stringContaining('post-1'),
    });
    expect(act({ begun, node: 'down', targetFaults: ['x'] })).toMatchObject({ act: 'start-unchanged' });
    expect(act({ begun: { ...begun, promised: { round: 4, lost: 0 } }, node: 'down' })).toMatchObject({
      act: 'start-unchanged',
    });
  });

  it('a node that somebody started before the list was written is not made anew while it is registered elsewhere', () => {
    const begun = { nodeRan: true, backedUp: true, promised: { round: 5, lost: 0 } };
    const stale = (stage: Stage, changes: Partial<SwitchObservation> = {}) =>
      act({
        begun,
        written: 'target',
        nodeIsCurrent: false,
        identities: [{ smesher: id, name: 'post-1', stage }],
        ...changes,
      });
    const addresses = ['http://a'];
    const waits: Stage = { kind: 'registered', epoch: 6, starts: 5600, addresses };
    expect(stale(waits)).toMatchObject({
      kind: 'wait',
      hindered: [{ why: expect.stringContaining('cancelled for ever') }],
      next: { opens: 6300 },
    });
    expect(stale({ kind: 'round-runs', epoch: 5, ends: 5600, addresses })).toMatchObject({ kind: 'wait' });
    expect(stale({ ...waits, addresses: ['http://b'] })).toMatchObject({ act: 'start-node' });
    const same = { rhythms: { from: clock, to: clock }, sameRounds: true };
    expect(stale(waits, same)).toMatchObject({ act: 'start-node' });
  });

  it('refuses a node that fails, servers that do not fit and a release that was not read', () => {
    expect(act({ node: 'failing' })).toMatchObject({ kind: 'refuse', code: 'node-failing' });
    expect(act({ node: 'unknown' })).toMatchObject({ kind: 'refuse', code: 'node-unknown' });
    expect(act({ targetFaults: ['x'] })).toMatchObject({ kind: 'refuse', code: 'targets' });
    expect(act({ rows: { ok: false, why: 'old' } })).toMatchObject({ kind: 'refuse', code: 'release' });
    expect(act({ node: 'failing', written: 'target' })).toMatchObject({ kind: 'cure' });
  });

  it('does not cost more than was said', () => {
    const earlier = { from: clock, to: { ...clock, phaseShift: 200 } };
    expect(outcomeOf(earlier, 5400).lostEpochs).toEqual([7]);
    const begun = { nodeRan: false, backedUp: true, promised: { round: 5, lost: 0 } };
    expect(act({ rhythms: earlier, begun })).toMatchObject({ kind: 'wait' });
    expect(act({ rhythms: earlier, begun: { ...begun, promised: { round: 6, lost: 1 } } })).toMatchObject({
      act: 'stop-node',
    });
  });
});

const folder = join(recordings ?? '', 'local-sql');
describe.skipIf(!existsSync(folder))(`real databases (${withoutRecordings})`, () => {
  // Genesis 2026-11-20T12:21:19Z, layer 6 s, 30 layers per epoch; preset standalone: phase 30 s, gap 30 s, grace 12 s.
  const genesis = Date.parse('2026-11-20T12:21:19Z');
  const real: EpochClock = {
    genesis,
    epoch: 180_000,
    layer: 6000,
    phaseShift: 30_000,
    cycleGap: 30_000,
    gracePeriod: 12_000,
  };
  const started = 118_900;

  it.each([
    [1, ['no-proof', 'no-proof']],
    [2, ['new', 'no-proof']],
    [3, ['new', 'new']],
    [4, ['held', 'held']],
    [5, ['held', 'held']],
    [6, ['held', 'free']],
    [7, ['free', 'free']],
    [8, ['held', 'held']],
  ])('stage %i', async (number, kinds) => {
    const read = await createLocalDatabase().read(join(folder, `stage${number}.sql`));
    if (read.kind !== 'read') throw new Error(JSON.stringify(read));
    const known = read.identities;
    const epochs = known.flatMap(({ challenge }) => challenge?.publishEpoch ?? []);
    // A moment within the life of those challenges: while the round runs.
    const now = genesis + Math.max(1, ...epochs) * 180_000 - started / 2;
    const published = number >= 6 ? [Math.floor((now - genesis) / 180_000)] : [];
    const stages = [0, 1].map((index) => {
      const rows = known[index];
      return stageOf({ smesher: id, name: `${index}`, rows: rows ?? 'none', published }, real, now, false);
    });
    const words = stages
      .map((one) => (!isFree(one) ? 'held' : kinds.includes('free') ? 'free' : one.kind))
      .sort();
    expect(words).toEqual([...kinds].sort());
    expect(readFileSync(join(folder, `stage${number}.sql`)).length).toBe(53_248);
  });
});
