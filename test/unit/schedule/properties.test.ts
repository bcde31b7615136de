import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allAtOnce, staticGraph } from '../../../scripts/lib/schedule-policies.ts';
import { FUZZ_TIMEOUT_MS, fuzz } from '../fuzz/support/fuzz.ts';
import { broken, play } from './support/promises.ts';
import { quietCase, troubledCase } from './support/random-farms.ts';

/*
 * Whatever the farm and whatever happens to it: one reader per disk, nothing over budget, nothing lost by an act of ours,
 * everybody served, an end to acting, and the same decision for the same observation. `decide` is the real one, the world
 * is the simulator.
 */

describe('the schedule, on any farm', () => {
  it('keeps its promises where nothing happens', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(quietCase, (drawn) => {
        const { result, undecided } = play(drawn);
        expect(broken(drawn, result)).toEqual([]);
        expect(undecided).toBe(0);
      }),
      fuzz(250),
    );
  });

  it('keeps them whatever happens', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(troubledCase, (drawn) => {
        const { result, undecided } = play(drawn);
        expect(broken(drawn, result)).toEqual([]);
        expect(undecided).toBe(0);
      }),
      fuzz(400),
    );
  });

  it("would be found out if it did not: people's own order of starting breaks them", () => {
    const cases = fc.sample(quietCase, { numRuns: 60, seed: 1 });
    const found = new Set(
      cases.flatMap((drawn) => broken(drawn, play(drawn, staticGraph).result)).map(kindOf),
    );
    expect(found).toContain('k2pow');
    const all = cases.flatMap((drawn) => broken(drawn, play(drawn, allAtOnce).result)).map(kindOf);
    expect(new Set(all)).toContain('disk');
    expect(new Set(all)).toContain('memory');
  });
});

function kindOf(words: string): string {
  return / on (k2pow|disk|memory)/.exec(words)?.[1] ?? words;
}
