import { describe, expect, it } from 'vitest';
import { CONTAINER_STATES } from '../../../src/domain/compose/observed.ts';
import { EMPTY_PROOF_LOG, type ProofLog } from '../../../src/domain/proving/proof-log.ts';
import type { ServiceStatus } from '../../../src/domain/proving/service-status.ts';
import { judgeStop, percent, type StopFacts } from '../../../src/domain/proving/stop-risk.ts';

const NOW = Date.parse('2026-11-22T23:12:00Z');
const MINUTE = 60_000;
const LAYER = 5 * MINUTE;
const GIB = 2 ** 30;

const base: StopFacts = {
  now: NOW,
  layerMs: LAYER,
  container: 'running',
  startedAt: NOW - 3_600_000,
  status: { kind: 'idle' },
  wanted: 'idle',
  node: 'settled',
};

const PROVING: ServiceStatus = { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 };
const DONE: ServiceStatus = { kind: 'done-proving' };

function log(changes: Partial<ProofLog>): ProofLog {
  return { ...EMPTY_PROOF_LOG, ...changes };
}

const failedSince = (ms: number) =>
  log({ phase: { kind: 'failed', since: NOW - ms, reason: 'proof generation failed' } });

const QUIET = log({ connection: { kind: 'connected' } });

/** One entry per row of the table in operators.md §d.6, in its order; `trouble` where a restart or a stop is advised. */
const ROWS: readonly {
  readonly row: string;
  readonly facts: Partial<StopFacts>;
  readonly safe: boolean;
  readonly trouble?: string;
}[] = [
  { row: 'IDLE and settled, Idle: not needed', facts: {}, safe: true },
  { row: 'IDLE, Idle, node just started', facts: { node: 'fresh' }, safe: false },
  { row: 'IDLE, Idle, node cannot be asked', facts: { node: 'unknown', wanted: 'unknown' }, safe: false },
  { row: 'IDLE, Proving: node restarted or challenge gone', facts: { status: PROVING }, safe: false },
  { row: 'IDLE, Proving, node fresh', facts: { status: PROVING, node: 'fresh' }, safe: false },
  { row: 'IDLE, DoneProving: fetched in this second', facts: { status: DONE }, safe: false },
  {
    row: 'IDLE, DoneProving, failed long ago',
    facts: { status: DONE, log: failedSince(9 * LAYER) },
    safe: false,
  },
  { row: 'PROVING, Proving: working', facts: { wanted: 'proving', status: PROVING }, safe: false },
  {
    row: 'PROVING, DoneProving < 2 min',
    facts: { wanted: 'proving', status: DONE, unchangedMs: MINUTE },
    safe: false,
  },
  {
    row: 'PROVING, DoneProving from 2 min to 2 layers, failed',
    facts: { wanted: 'proving', status: DONE, unchangedMs: 2 * LAYER, log: failedSince(2 * LAYER) },
    safe: false,
  },
  {
    row: 'PROVING, DoneProving > 2 layers, and the log says that it failed',
    facts: { wanted: 'proving', status: DONE, log: failedSince(2 * LAYER + 1000) },
    safe: true,
    trouble: 'stuck',
  },
  {
    row: 'the same while the node is not up for long',
    facts: { wanted: 'proving', status: DONE, node: 'fresh', log: failedSince(3 * LAYER) },
    safe: false,
  },
  {
    row: 'PROVING, DoneProving for hours, and nothing says that it failed',
    facts: { wanted: 'proving', status: DONE, unchangedMs: 50 * LAYER },
    safe: false,
  },
  { row: 'PROVING, Idle up to 2 min', facts: { wanted: 'proving', unchangedMs: 2 * MINUTE }, safe: false },
  { row: 'PROVING, Idle, seen for the first time', facts: { wanted: 'proving' }, safe: false },
  {
    row: 'PROVING, Idle > 2 min, watched',
    facts: { wanted: 'proving', unchangedMs: 2 * MINUTE + 1 },
    safe: true,
    trouble: 'not-connected',
  },
  {
    row: 'PROVING, Idle > 2 min, by the node’s events and the silence of the log',
    facts: { wanted: 'proving', wantedSince: NOW - 3 * MINUTE, log: QUIET },
    safe: true,
    trouble: 'not-connected',
  },
  {
    row: 'the same, but a proof was handed over a minute ago',
    facts: { wanted: 'proving', wantedSince: NOW - 3 * MINUTE, log: log({ lastProofAt: NOW - MINUTE }) },
    safe: false,
  },
  {
    row: 'the same, but there is nothing in the log at all',
    facts: { wanted: 'proving', wantedSince: NOW - 3 * MINUTE, log: log({}) },
    safe: false,
  },
  {
    row: 'the same, but the log was not read',
    facts: { wanted: 'proving', wantedSince: NOW - 3 * MINUTE },
    safe: false,
  },
  {
    row: 'the same, but the service was started a minute ago',
    facts: { wanted: 'proving', wantedSince: NOW - 3 * MINUTE, log: QUIET, startedAt: NOW - MINUTE },
    safe: false,
  },
  {
    row: 'PROVING, connection refused while the container runs',
    facts: { wanted: 'proving', status: { kind: 'refused' } },
    safe: false,
  },
  {
    row: 'PROVING, not started or crashed',
    facts: { wanted: 'proving', container: 'exited' },
    safe: true,
  },
  {
    row: 'any, pass after pass at once over much data',
    facts: {
      wanted: 'proving',
      status: PROVING,
      dataBytes: 100 * GIB,
      log: log({ phase: { kind: 'k2pow' }, passes: 1, lastPassMs: 0 }),
    },
    safe: true,
    trouble: 'data-gone',
  },
  {
    row: 'file after file that cannot be read: each only ends itself, the proof may be in the others',
    facts: {
      status: PROVING,
      log: log({ phase: { kind: 'reading' }, passes: 1, unreadable: ['a', 'b', 'c', 'd'] }),
    },
    safe: false,
  },
  {
    row: 'one file that could not be read: the proof may be in the others',
    facts: {
      wanted: 'proving',
      status: PROVING,
      log: log({ phase: { kind: 'reading' }, unreadable: ['a'] }),
    },
    safe: false,
  },
  {
    row: 'a next pass by itself is normal',
    facts: {
      wanted: 'proving',
      status: { kind: 'proving', nonces: { start: 128, end: 256 }, position: 0 },
      dataBytes: 100 * GIB,
      log: log({ phase: { kind: 'k2pow' }, passes: 1, lastPassMs: 10 * MINUTE }),
    },
    safe: false,
  },
  {
    row: 'a pass that ended at once with a proof',
    facts: {
      wanted: 'proving',
      status: PROVING,
      dataBytes: 100 * GIB,
      log: log({ phase: { kind: 'found' }, passes: 1, lastPassMs: 0 }),
    },
    safe: false,
  },
  { row: 'any, no answer: builds its dataset', facts: { status: { kind: 'no-answer' } }, safe: false },
  { row: 'any, paused', facts: { container: 'paused' }, safe: false },
  { row: 'any, held by a CPU quota', facts: { held: true }, safe: false },
  {
    row: 'node unreachable, Proving',
    facts: { node: 'unknown', wanted: 'unknown', status: PROVING },
    safe: false,
  },
  { row: 'node unreachable, Idle', facts: { node: 'unknown', wanted: 'unknown' }, safe: false },
  { row: 'node unreachable, but its last word was IDLE', facts: { node: 'unknown' }, safe: false },
  {
    row: 'node known to be down, Idle: it holds nothing',
    facts: { node: 'down', wanted: 'unknown' },
    safe: true,
  },
  {
    row: 'node known to be down, DoneProving',
    facts: { node: 'down', wanted: 'unknown', status: DONE },
    safe: false,
  },
  {
    row: 'node known to be down, Proving',
    facts: { node: 'down', wanted: 'unknown', status: PROVING },
    safe: false,
  },
  { row: 'unlisted by a settled node, Idle', facts: { wanted: 'unlisted' }, safe: true },
  { row: 'unlisted by a fresh node, Idle', facts: { wanted: 'unlisted', node: 'fresh' }, safe: false },
];

describe('judgeStop, row by row (operators.md §d.6)', () => {
  it.each(ROWS)('$row', ({ facts, safe, trouble }) => {
    const risk = judgeStop({ ...base, ...facts });
    expect(risk.safe, risk.why).toBe(safe);
    expect(risk.safe ? risk.trouble : undefined).toBe(trouble);
  });
});

describe('judgeStop', () => {
  it('every malformed, missing or slow answer is unsafe, whatever the node says', () => {
    const answers: readonly (ServiceStatus | undefined)[] = [
      { kind: 'no-answer' },
      { kind: 'refused' },
      { kind: 'unreachable', reason: 'no address' },
      { kind: 'malformed', reason: 'not JSON' },
      undefined,
    ];
    for (const status of answers) {
      for (const node of ['settled', 'fresh', 'down', 'unknown'] as const) {
        for (const wanted of ['idle', 'proving', 'unlisted', 'unknown'] as const) {
          const { status: _, ...rest } = base;
          const facts = { ...rest, node, wanted, unchangedMs: 3_600_000, ...(status ? { status } : {}) };
          expect(judgeStop(facts).safe, `${status?.kind}, node ${node}, ${wanted}`).toBe(false);
        }
      }
    }
  });

  it('a container that does not run has nothing to lose; a paused one has', () => {
    const { status: _, ...rest } = base;
    for (const container of CONTAINER_STATES) {
      const safe = container !== 'running' && container !== 'paused';
      expect(judgeStop({ ...rest, container, wanted: 'proving' }).safe, container).toBe(safe);
    }
    const { container: __, ...none } = base;
    expect(judgeStop(none).safe).toBe(true);
  });

  it('says how far it is', () => {
    const status = { ...PROVING, position: 41 } as const;
    expect(judgeStop({ ...base, status, dataBytes: 100 })).toEqual({
      safe: false,
      loses: 'work',
      why: 'is proving: 41 % read',
      proving: true,
      fraction: 0.41,
    });
    expect(judgeStop({ ...base, status: PROVING, dataBytes: 100 })).toMatchObject({
      why: 'is proving: k2pow',
    });
    const groups = log({ phase: { kind: 'k2pow', group: 6, groups: 8 } });
    expect(judgeStop({ ...base, status: PROVING, log: groups })).toMatchObject({
      why: 'is proving: k2pow, group 6 of 8',
    });
    // The position moves with the first piece of data only.
    for (const [kind, why] of [
      ['preparing', 'prepares its k2pow'],
      ['k2pow-finished', 'k2pow is done, it begins to read'],
      ['reading', '0 % read'],
      ['found', 'it has just found its proof'],
    ] as const) {
      expect(judgeStop({ ...base, status: PROVING, log: log({ phase: { kind } }) })).toMatchObject({
        safe: false,
        why: `is proving: ${why}`,
      });
    }
    expect(percent(1)).toBe('99 %');
  });

  it('knows when nobody will fetch what it works on', () => {
    for (const status of [PROVING, DONE]) {
      expect(judgeStop({ ...base, status, wanted: 'unlisted' })).toMatchObject({
        safe: false,
        nobodyAsks: true,
      });
      expect(judgeStop({ ...base, status, wanted: 'unlisted', node: 'fresh' })).not.toHaveProperty(
        'nobodyAsks',
      );
      expect(judgeStop({ ...base, status, wanted: 'idle' })).not.toHaveProperty('nobodyAsks');
    }
  });

  it('tells work from doubt', () => {
    expect(judgeStop({ ...base, status: PROVING })).toMatchObject({ loses: 'work' });
    expect(judgeStop({ ...base, status: DONE })).toMatchObject({ loses: 'work' });
    expect(judgeStop({ ...base, status: { kind: 'no-answer' } })).toMatchObject({ loses: 'doubt' });
    expect(judgeStop({ ...base, container: 'paused' })).toMatchObject({ loses: 'doubt' });
  });
});

describe('one that is held says who ends it', () => {
  const why = (facts: Partial<StopFacts>) => {
    const risk = judgeStop({ ...base, wanted: 'proving', status: PROVING, held: true, ...facts });
    expect(risk.safe).toBe(false);
    return risk.why;
  };

  it.each<[string, Partial<StopFacts>, string]>([
    ['nobody can tell', {}, 'is held by a CPU quota and keeps its work for later'],
    [
      'no schedule',
      { heldBySchedule: false },
      'is held by a CPU quota and keeps its work for later, and no schedule runs that would release it',
    ],
    [
      'in its k2pow',
      { heldBySchedule: true, log: log({ phase: { kind: 'k2pow', group: 6, groups: 8 } }) },
      'is held by the schedule until its disk, or a k2pow slot, is free: k2pow, group 6 of 8',
    ],
    [
      'before it reads',
      { heldBySchedule: true, log: log({ phase: { kind: 'k2pow-finished' } }) },
      'is held by the schedule until its disk is free: its k2pow is done',
    ],
    [
      'with a log that tells nothing',
      { heldBySchedule: true },
      'is held by the schedule until its disk, or a k2pow slot, is free',
    ],
  ])('%s', (_, facts, words) => {
    expect(why(facts)).toBe(words);
  });

  it('and stays unsafe whatever it says of itself', () => {
    for (const heldBySchedule of [true, false]) {
      expect(why({ heldBySchedule, wanted: 'idle', status: { kind: 'idle' } })).toContain('held');
    }
  });
});
