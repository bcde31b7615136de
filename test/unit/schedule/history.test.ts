import { describe, expect, it } from 'vitest';
import { courtesyOf, isStoppedByPerson, remember } from '../../../src/domain/schedule/courtesy.ts';
import {
  measuredRates,
  NO_HISTORY,
  type ScheduleHistory,
  withDiskRate,
  withK2powRate,
  withRestart,
  withStopDone,
  withStopIntended,
} from '../../../src/domain/schedule/history.ts';
import { readHistory, writeHistory } from '../../../src/domain/schedule/history-file.ts';
import type { ProverFacts } from '../../../src/domain/schedule/observation.ts';
import { IN_GAP, observation, prover } from './support/facts.ts';

type Present = Extract<ProverFacts['container'], { kind: 'present' }>;

const ended = (more: Partial<Present> = {}): Present => ({
  ...{ kind: 'present', state: 'exited', held: false, oomKilled: false },
  ...{ exitCode: 143, finishedAt: IN_GAP },
  ...more,
});
const BEGUN: ScheduleHistory = { ...NO_HISTORY, since: IN_GAP - 1000 };

describe('who was stopped by a person', () => {
  const isPersons = (container: ProverFacts['container'], history = BEGUN) =>
    isStoppedByPerson(history, container, 'c');

  it.each([
    ['ended by SIGTERM', {}, true],
    ['ended by itself', { exitCode: 0 }, true],
    ['killed', { exitCode: 137 }, true],
    ['killed for its memory', { exitCode: 137, oomKilled: true }, false],
    ['failed', { exitCode: 1 }, false],
    ['could not be started', { exitCode: 127, startError: 'no such file' }, false],
    ['never started', { state: 'created' as const }, false],
    ['runs', { state: 'running' as const }, false],
  ])('%s: %s', (_what, more, is) => {
    expect(isPersons(ended(more))).toBe(is);
  });

  it('nobody, as long as the schedule has not looked before it was down', () => {
    expect(isPersons(ended(), NO_HISTORY)).toBe(false);
    expect(isPersons(ended({ finishedAt: IN_GAP - 2000 }))).toBe(false);
  });

  it('not who the schedule stopped, also where it was killed in the act', () => {
    const intended = withStopIntended(BEGUN, 'c', IN_GAP - 500);
    expect(isPersons(ended(), intended)).toBe(false);
    // A disk that hangs lets it end an hour later.
    expect(isPersons(ended({ finishedAt: IN_GAP + 3_600_000 }), intended)).toBe(false);
    const later = { startedAt: IN_GAP + 60_000, finishedAt: IN_GAP + 3_600_000 };
    expect(isPersons(ended(later), intended)).toBe(true);
    const done = withStopDone(intended, 'c', IN_GAP);
    expect(isPersons(ended(), done)).toBe(false);
    // Started and stopped again since, while no loop looked.
    expect(isPersons(ended({ finishedAt: IN_GAP + 60_000 }), done)).toBe(true);
    expect(isPersons(ended(), withStopDone(intended, 'c', undefined))).toBe(true);
  });

  it('is forgotten when it runs again, or is gone', () => {
    const done = withStopDone(BEGUN, 'container-1', IN_GAP);
    const look = (container: ProverFacts['container']) =>
      remember(done, observation([prover(1, 'sda', { container })])).stops;
    expect(look(ended())).toHaveLength(1);
    expect(look(ended({ state: 'running' }))).toEqual([]);
    expect(look({ kind: 'unknown' })).toHaveLength(1);
    expect(remember(done, observation([])).stops).toEqual([]);
  });
});

describe('demands', () => {
  const wanted = (more: Partial<ProverFacts> = {}) => prover(1, 'sda', more);
  const { id } = wanted();
  const courtesy = (history: ScheduleHistory) =>
    courtesyOf(history, id, ended({ exitCode: 1 }), 'container-1');

  it('keep what was restarted, over a start of the node, until the node has its proof', () => {
    let history = remember(NO_HISTORY, observation([wanted()]));
    history = withRestart(history, id, 'stuck', IN_GAP);
    history = remember(history, observation([wanted({ wanted: 'idle' })], { node: 'fresh' }));
    history = remember(history, observation([wanted({ wanted: 'unknown' })], { node: 'down' }));
    history = remember(history, observation([wanted()]));
    expect(courtesy(history).restarts).toEqual({ stuck: { times: 1, at: IN_GAP } });
    expect(courtesy(withRestart(history, id, 'stuck', IN_GAP + 5)).restarts.stuck?.times).toBe(2);
    history = remember(history, observation([wanted({ wanted: 'idle' })]));
    expect(courtesy(history).restarts).toEqual({});
  });

  it('of another epoch are others', () => {
    const before = withRestart(remember(NO_HISTORY, observation([wanted()])), id, 'stuck', IN_GAP);
    const next = remember(before, observation([wanted()], { at: IN_GAP + 14 * 24 * 3_600_000 }));
    expect(courtesy(next).restarts).toEqual({});
  });

  it('count invalid proofs, each once', () => {
    const log = (at: number, reason = 'proof is invalid: label 3') => ({
      ...{ phase: { kind: 'none' as const }, connection: { kind: 'unseen' as const } },
      ...{ passes: 0, unreadable: [], groupsDone: 0, sawPassStart: false, lastFailure: { at, reason } },
    });
    let history = remember(NO_HISTORY, observation([wanted()]));
    const look = (more: Partial<ProverFacts>) => {
      history = remember(history, observation([wanted(more)], { at: IN_GAP + 3_600_000 }));
      return courtesy(history).invalidProofs;
    };
    expect(look({ log: log(IN_GAP - 5) })).toBe(0);
    expect(look({ log: log(IN_GAP + 60_000) })).toBe(1);
    expect(look({ log: log(IN_GAP + 60_000) })).toBe(1);
    expect(look({ log: log(IN_GAP + 90_000, 'reading POST data: no such file') })).toBe(1);
    expect(look({ log: log(IN_GAP + 600_000) })).toBe(2);
  });
});

describe('measurements', () => {
  it('are the middle of the last ones', () => {
    let history = NO_HISTORY;
    for (const rate of [1, 100, 110, 90, 105]) history = withDiskRate(history, 'sda', rate, 1);
    for (let index = 0; index < 40; index += 1) history = withK2powRate(history, 1000 + index, index);
    history = withK2powRate(withDiskRate(history, 'sda', Number.NaN, 1), 0, 1);
    expect(measuredRates(history).diskBytesPerSecond.get('sda')).toBe(100);
    expect(history.k2pow).toHaveLength(12);
    expect(measuredRates(history).hashesPerSecond).toBe(1033.5);
    expect(measuredRates(NO_HISTORY)).toEqual({ diskBytesPerSecond: new Map() });
  });
});

describe('the file', () => {
  it('says what was remembered', () => {
    let history = remember(NO_HISTORY, observation([prover(1, 'sda'), prover(2, '/mnt/away')]));
    history = withRestart(history, prover(1, 'sda').id, 'not-connected', IN_GAP);
    history = withStopDone(withStopIntended(history, 'c', 5), 'c', 7);
    history = withK2powRate(withDiskRate(history, 'sda', 180e6, 3), 2600, 4);
    const reading = readHistory(writeHistory(history));
    expect(reading).toEqual({ kind: 'read', history });
    expect(reading.history.diskOf.get(prover(2, '').id)).toBeUndefined();
    expect(writeHistory(reading.history)).toBe(writeHistory(history));
  });

  it.each([
    '',
    '{',
    '[]',
    '{"version":2}',
    '{"version":1,"disks":[{"disk":5}]}',
    '{"version":1,"disks":[],"k2pow":[{"at":1,"rate":-5}],"stops":[],"identities":[]}',
    '{"version":1,"disks":[],"k2pow":[],"stops":[],"identities":[{"id":"x"}]}',
  ])('that cannot be read counts as none: %s', (text) => {
    expect(readHistory(text)).toMatchObject({ kind: 'unreadable', history: NO_HISTORY });
  });

  it('that is not there is none', () => {
    expect(readHistory(undefined)).toEqual({ kind: 'read', history: NO_HISTORY });
  });

  it('remembers the disk of an identity whose disk is away', () => {
    const before = remember(NO_HISTORY, observation([prover(1, 'sda')]));
    const after = remember(before, observation([prover(1, '/mnt/d1/post')]));
    expect(after.diskOf.get(prover(1, '').id)).toBe('sda');
  });
});
