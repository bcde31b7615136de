import { describe, expect, it } from 'vitest';
import {
  drawFraction,
  drawProof,
  hashesOf,
  nonceSucceedsWithin,
  readOf,
} from '../../../src/domain/simulation/proof-luck.ts';
import { seededRandom } from '../../../src/domain/simulation/random.ts';

const DRAWS = 20_000;

/** What operators.md d.3 says of so many nonces: first pass succeeds, passes read, median of the first pass. */
const TABLE = [
  { nonces: 64, first: 0.794, read: 1.168, median: 0.94 },
  { nonces: 128, first: 0.9575, read: 0.93, median: 0.9 },
  { nonces: 208, first: 0.994, read: 0.869, median: 0.87 },
  { nonces: 288, first: 0.9992, read: 0.847, median: 0.85 },
] as const;

describe('the luck of a proof', () => {
  it('gives one nonce the chance that the field computes with', () => {
    expect(nonceSucceedsWithin(1)).toBeCloseTo(0.02438, 4);
    expect(nonceSucceedsWithin(0)).toBe(0);
  });

  it.each(TABLE)('agrees with the table for $nonces nonces', ({ nonces, first, read, median }) => {
    const random = seededRandom(nonces);
    const size = { units: 1, nonces, hashesPerUnitGroup: 1 };
    const draws = Array.from({ length: DRAWS }, () => drawProof(random, size));
    expect(draws.filter(({ passes }) => passes.length === 1).length / DRAWS).toBeCloseTo(first, 1.7);
    expect(draws.reduce((sum, draw) => sum + readOf(draw), 0) / DRAWS).toBeCloseTo(read, 1.7);
    const fractions = draws.flatMap(({ passes: [pass] }) => pass?.fraction ?? []).toSorted((a, b) => a - b);
    expect(fractions[DRAWS / 2]).toBeCloseTo(median, 1.5);
  });

  it('reaches the last hundredth with 288 nonces as rarely as the table says', () => {
    const random = seededRandom(1);
    const fractions = Array.from({ length: DRAWS }, () => drawFraction(random, 288) ?? 1);
    expect(fractions.toSorted((a, b) => a - b)[Math.floor(DRAWS * 0.99)]).toBeCloseTo(0.968, 2);
  });

  it('needs so many hashes for a group and a unit as the network asks for', () => {
    const random = seededRandom(2);
    const size = { units: 36, nonces: 288, hashesPerUnitGroup: 4687.5 };
    const draws = Array.from({ length: 2000 }, () => drawProof(random, size));
    const mean = draws.reduce((sum, draw) => sum + hashesOf(draw), 0) / 2000;
    // 3.04 million for 36 units at 288 nonces (operators.md d.4).
    expect(mean / 3.04e6).toBeCloseTo(1, 1.5);
  });

  it('is the same for the same seed, and another one for another', () => {
    const size = { units: 4, nonces: 128, hashesPerUnitGroup: 4687.5 };
    expect(drawProof(seededRandom(3), size)).toEqual(drawProof(seededRandom(3), size));
    expect(drawProof(seededRandom(3), size)).not.toEqual(drawProof(seededRandom(4), size));
  });
});
