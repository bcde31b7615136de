import { describe, expect, it } from 'vitest';
import { lostWork } from '../../../src/domain/proving/lost-work.ts';

const HOUR = 3_600_000;
const NOON = Date.parse('2026-11-20T12:00:00Z');

describe('S30: work that ended with its container', () => {
  it('a restart shows in the log, with how long had been worked', () => {
    const log = { interrupted: { at: NOON, since: NOON - 5 * HOUR } };
    expect(lostWork({ wanted: 'proving', startedAt: NOON, log })).toEqual({ at: NOON, workedMs: 5 * HOUR });
    expect(lostWork({ wanted: 'proving', startedAt: NOON, log: { interrupted: {} } })).toEqual({ at: NOON });
  });

  it('a recreated container has a new log: the node had asked the former one', () => {
    const facts = { wanted: 'proving', startedAt: NOON, log: {} } as const;
    expect(lostWork({ ...facts, askedAt: NOON - HOUR })).toEqual({ at: NOON });
    expect(lostWork({ ...facts, askedAt: NOON + 1000 })).toBeUndefined();
    expect(lostWork(facts)).toBeUndefined();
  });

  it('nothing is told of a proof that is no longer wanted, or of a container without a start', () => {
    const log = { interrupted: { at: NOON } };
    expect(lostWork({ wanted: 'idle', startedAt: NOON, log, askedAt: NOON - HOUR })).toBeUndefined();
    expect(lostWork({ wanted: 'unknown', startedAt: NOON, log })).toBeUndefined();
    expect(lostWork({ wanted: 'proving', log })).toBeUndefined();
  });
});
