import { describe, expect, it } from 'vitest';
import { diskRate, spread } from '../../../src/domain/bench/disk-rate.ts';

describe('places of a disk', () => {
  it('are spread evenly, the first and the last among them', () => {
    const all = Array.from({ length: 1152 }, (_, index) => index);
    const some = spread(all, 12);
    expect(some).toHaveLength(12);
    expect([some[0], some.at(-1)]).toEqual([0, 1151]);
    expect(new Set(some).size).toBe(12);
    expect(spread([1, 2, 3], 12)).toEqual([1, 2, 3]);
  });
});

describe('the rate of a disk', () => {
  it('is that of reading all of it: slow tracks take more of the time', () => {
    const rate = diskRate([
      { bytes: 200e6, ms: 1000 },
      { bytes: 100e6, ms: 1000 },
    ]);
    expect(rate).toMatchObject({ slowest: 100e6, fastest: 200e6, bytes: 300e6 });
    expect(rate?.bytesPerSecond).toBeCloseTo(133.3e6, -5);
  });

  it('is unknown when nothing was read', () => {
    expect(diskRate([])).toBeUndefined();
    expect(diskRate([{ bytes: 0, ms: 5 }])).toBeUndefined();
  });
});
