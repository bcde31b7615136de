import { describe, expect, it } from 'vitest';
import { Tally } from '../../chaos/support/acts.ts';
import { openGoals, SHORT_GOALS, SOAK_GOALS } from '../../chaos/support/goals.ts';
import type { Journal } from '../../chaos/support/journal.ts';

/** A run in which everything happened a thousand times, except for acts of one outcome. */
function runWithout(
  missing: 'executed' | 'refused' | 'nothing',
): Pick<Journal, 'tally' | 'counts' | 'judge'> {
  const tally = new Tally();
  for (const outcome of ['executed', 'refused'] as const) {
    for (const state of Object.keys({ ...SOAK_GOALS.refused, ...SOAK_GOALS.executed })) {
      for (let times = 0; times < 1000 && outcome !== missing; times += 1)
        tally.add(outcome, state as 'idle');
    }
  }
  return {
    tally,
    counts: { killed: 99, engineRestarts: 99, nodeRestarts: 99, upgrades: 99, busy: 99 },
    judge: () => ({
      faults: [],
      proofs: 999,
      lost: { forced: 0, other: 0, tool: 0, photoFinish: 0 },
      epochs: { required: 999, published: 999, excused: { unregistered: 0, late: 0, disturbed: 0 } },
    }),
  };
}

describe.each([
  ['short', SHORT_GOALS],
  ['long', SOAK_GOALS],
])('what a %s run must have shown', (_, goals) => {
  it('is met by a tool that does what is safe and refuses what is not', () => {
    expect(openGoals(goals, runWithout('nothing'))).toEqual([]);
  });

  it('is not met by one that refuses everything, nor by one that refuses nothing', () => {
    expect(openGoals(goals, runWithout('executed'))).toContainEqual(
      expect.stringContaining('executed in state idle'),
    );
    for (const state of ['k2pow', 'reading', 'done-proving', 'paused', 'fresh-node']) {
      expect(openGoals(goals, runWithout('refused'))).toContainEqual(
        expect.stringContaining(`refused in state ${state}: 0 of`),
      );
    }
  });
});
