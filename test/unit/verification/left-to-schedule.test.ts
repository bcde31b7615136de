import { describe, expect, it } from 'vitest';
import type { IdentityReport } from '../../../src/domain/proving/status-report.ts';
import type { WaitReason } from '../../../src/domain/schedule/decision.ts';
import { NO_HISTORY, withStopDone, withStopIntended } from '../../../src/domain/schedule/history.ts';
import { leftToSchedule } from '../../../src/usecases/verify/left-to-schedule.ts';
import { observed } from '../plan/observed.ts';
import { SMESHER } from './evidence.ts';

const AT = Date.parse('2026-11-22T23:12:00Z');
const BEGUN = { ...NO_HISTORY, since: AT - 3_600_000 };
const STOPPED = observed('post-0001', { state: 'exited', exitCode: 143, finishedAt: AT });
const ITS_OWN = withStopDone(withStopIntended(BEGUN, STOPPED.id, AT - 500), STOPPED.id, AT);

type Wants = IdentityReport['state']['wants'];

const down = (wants: Wants, container = STOPPED) => ({
  state: { wants, activity: { kind: 'down', reason: 'stopped' }, held: false } as const,
  container,
});
const waits = (why: WaitReason) => ({
  ...down('a-proof'),
  waiting: { id: SMESHER, name: 'post-0001', why, words: 'waits' },
});

describe('who is left to a schedule that runs', () => {
  it.each<[WaitReason, boolean]>([
    ['disk', true],
    ['k2pow', true],
    ['memory', true],
    ['threads', true],
    ['stopped-by-person', false],
    ['data-away', false],
    ['invalid-proofs', false],
    ['trouble', false],
    ['no-container', false],
  ])('one that is wanted and waits for %s: %s', (why, is) => {
    expect(leftToSchedule(waits(why), BEGUN) !== undefined).toBe(is);
  });

  it('one that it is about to start, with what is to be expected', () => {
    const soon = { ...down('a-proof'), startsNow: true as const, expectedAt: AT + 1 };
    expect(leftToSchedule(soon, BEGUN)).toEqual({ expectedAt: AT + 1 });
    expect(leftToSchedule(down('a-proof'), BEGUN)).toBeUndefined();
  });

  it('one that rests by its own act, or has never been started', () => {
    expect(leftToSchedule(down('nothing'), ITS_OWN)).toEqual({});
    expect(leftToSchedule(down('nothing', observed('post-0001', { state: 'created' })), BEGUN)).toEqual({});
    // A node that has just started wants nothing of anybody yet.
    expect(leftToSchedule(down('unknown'), ITS_OWN)).toEqual({});
  });

  it('not one that rests because a person stopped it, that failed, or that the node does not know', () => {
    expect(leftToSchedule(down('nothing'), BEGUN)).toBeUndefined();
    const failed = { ...STOPPED, exitCode: 101 };
    expect(leftToSchedule(down('nothing', failed), ITS_OWN)).toBeUndefined();
    expect(leftToSchedule(down('unlisted'), ITS_OWN)).toBeUndefined();
  });

  it('one that is held; nobody who runs', () => {
    const state = { wants: 'a-proof', activity: { kind: 'ready-to-read' } } as const;
    expect(leftToSchedule({ state: { ...state, held: true } }, BEGUN)).toEqual({});
    expect(leftToSchedule({ state: { ...state, held: false } }, BEGUN)).toBeUndefined();
  });
});
