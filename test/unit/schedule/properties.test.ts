import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
      fuzz(200),
    );
  });

  it('S27, S28, S30, S31, S33, S35: keeps them whatever happens', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(troubledCase, (drawn) => {
        const { result, undecided } = play(drawn);
        expect(broken(drawn, result)).toEqual([]);
        expect(undecided).toBe(0);
      }),
      fuzz(400),
    );
  });
});
