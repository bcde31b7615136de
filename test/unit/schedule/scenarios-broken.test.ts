import { describe, expect, it } from 'vitest';
import { PROOF_MEMORY } from '../../../src/domain/schedule/policy.ts';
import type { Fault } from '../../../src/domain/simulation/faults.ts';
import { HOUR, SECOND, smallFarm } from '../simulation/support/small-farm.ts';
import {
  alarms,
  expectKept,
  id,
  MINUTE,
  named,
  ours,
  play,
  served,
  since,
  spans,
  twelve,
  USUAL,
} from './support/story.ts';

/* The acceptance scenarios of the schedule: what breaks in the gap. */

describe('what breaks', () => {
  it('S32: an invalid proof lets the others go first; after the second it is not tried again', () => {
    const first = play(twelve(), [{ kind: 'proof-invalid', at: 0, id: id(1) }]);
    expectKept(first.result);
    expect(served(first.result)).toHaveLength(12);
    const [, second] = spans(named(first.result, 1), 'reading');
    expect(second?.from).toBeGreaterThan(named(first.result, 5).doneAt ?? Number.POSITIVE_INFINITY);

    const twice = play(twelve(), [
      { kind: 'proof-invalid', at: 0, id: id(1) },
      { kind: 'proof-invalid', at: since(first.result, named(first.result, 1).doneAt) - HOUR / 2, id: id(1) },
    ]);
    expectKept(twice.result);
    expect(served(twice.result)).toHaveLength(11);
    expect(named(twice.result, 1).doneAt).toBeUndefined();
    expect(spans(named(twice.result, 1), 'preparing')).toHaveLength(2);
    expect(alarms(twice)).toContain('invalid-proofs post-1');
  });

  it('S33: a stuck one is restarted once; when it fails again there is an alarm and no second restart', () => {
    const once = play(twelve(), [{ kind: 'proof-fails', at: 30 * MINUTE, id: id(1) }]);
    expectKept(once.result);
    expect(once.result.acts.filter(({ kind }) => kind === 'restart')).toHaveLength(1);
    expect(served(once.result)).toHaveLength(12);
    expect(alarms(once).filter((code) => code.startsWith('stuck'))).toEqual([]);

    const restarted = once.result.acts.find(({ kind }) => kind === 'restart')?.at;
    const again = play(twelve(), [
      { kind: 'proof-fails', at: 30 * MINUTE, id: id(1) },
      { kind: 'proof-fails', at: since(once.result, restarted) + 10 * MINUTE, id: id(1) },
    ]);
    expectKept(again.result);
    expect(again.result.acts.filter(({ kind }) => kind === 'restart')).toHaveLength(1);
    expect(alarms(again)).toContain('stuck post-1');
    expect(served(again.result)).toHaveLength(11);
  });

  it('S33: a half-open connection: after two minutes a restart, which heals it', () => {
    const farm = smallFarm([
      { ...USUAL, disk: 'sda' },
      { ...USUAL, disk: 'sdb' },
    ]);
    const faults: Fault[] = [
      { kind: 'loop-dead', at: 0, until: 90 * SECOND },
      { kind: 'half-open', at: 30 * SECOND, id: id(1) },
    ];
    const { result } = play(farm, faults, {}, true);
    expect(result.lost).toEqual([]);
    const restarts = result.acts.filter(({ kind }) => kind === 'restart');
    expect(restarts.map(({ name }) => name)).toEqual(['post-1']);
    // The gap opens a minute after the beginning.
    expect(since(result, restarts[0]?.at)).toBeGreaterThan(3 * MINUTE);
    expect(served(result)).toHaveLength(2);
  });

  it('a disk that vanished stops only its own, and they come when it is back', () => {
    const gone = 30 * MINUTE;
    const back = 5 * HOUR;
    const { result } = play(twelve(), [{ kind: 'disk-vanishes', at: gone, until: back, disk: 'd2' }]);
    expect(ours(result)).toEqual([]);
    const others = result.identities.filter(({ disk }) => disk !== 'd2');
    for (const { doneAt, starts } of others) {
      expect(since(result, doneAt)).toBeLessThan(4 * HOUR);
      expect(starts).toHaveLength(1);
    }
    for (const { doneAt, disk } of result.identities) {
      if (disk === 'd2') expect(since(result, doneAt)).toBeGreaterThan(back);
    }
    for (const { name, kind } of result.acts) {
      if (kind === 'stop' && since(result, named(result, Number(name.slice(5))).doneAt) > back) {
        expect(['post-2', 'post-6', 'post-10']).toContain(name);
      }
    }
  });

  it('S37: a k2pow worker panics its provers: they come back, and the budgets of the worker hold', () => {
    const remote = 'http://worker:8080';
    const host = {
      physicalBytes: 4 * 2 ** 30,
      remote: new Map([[remote, { hashesPerSecond: 1000, datasetMs: 40_000 }]]),
    };
    const farm = twelve({ settings: { remoteK2pow: remote } }, { host });
    const faults = [10, 11, 12].map(
      (minute, index): Fault => ({ kind: 'prover-crashes', at: minute * MINUTE, id: id((index % 4) + 1) }),
    );
    const { result } = play(farm, faults);
    expectKept(result);
    expect(result.lost.length).toBeGreaterThan(0);
    expect(result.lost.every(({ cause }) => cause === 'crash')).toBe(true);
    expect(served(result)).toHaveLength(12);
    // Twelve local proofs would not fit: none of them fell back to this host.
    expect(result.peakMemoryBytes).toBeLessThan(PROOF_MEMORY.fast);
  });
});
