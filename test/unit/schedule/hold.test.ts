import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/domain/schedule/decide.ts';
import { IN_GAP, inK2pow, observation, POLICY, prover, reading } from './support/facts.ts';

/** A reader on sda, and one that works ahead on it, at that group of eight; each takes so long by what is believed. */
function holdsAt(group: number, groupMs: number): boolean {
  // 36 units of 4687.5 hashes.
  const hashesPerSecond = (36 * 4687.5 * 1000) / groupMs;
  const policy = { ...POLICY, rates: { ...POLICY.rates, hashesPerSecond } };
  const provers = [
    prover(1, 'sda', reading(0.9)),
    // At the first group its log shows no pace yet: the estimate counts.
    prover(2, 'sda', inK2pow(group)),
  ];
  return decide(observation(provers), policy, IN_GAP).acts.some(
    ({ kind, name }) => kind === 'hold' && name === 'post-2',
  );
}

describe('the hold of one that works ahead', () => {
  it('comes late where groups are long', () => {
    expect(holdsAt(1, 28_000)).toBe(false);
  });

  it('comes at once where luck could find all groups that are left before a hold is there', () => {
    // 300 ms each: eight of them are over in less time than a look and an act may take.
    expect(holdsAt(1, 300)).toBe(true);
  });

  it('lets nobody begin ahead whose k2pow is over sooner than a hold can come', () => {
    const started = (hashesPerSecond: number) => {
      const policy = { ...POLICY, rates: { ...POLICY.rates, hashesPerSecond } };
      const provers = [prover(1, 'sda', reading(0.9)), prover(2, 'sda')];
      return decide(observation(provers), policy, IN_GAP).acts.map(({ kind }) => kind);
    };
    expect(started(6000)).toEqual(['start']);
    expect(started(600_000)).toEqual([]);
  });
});
