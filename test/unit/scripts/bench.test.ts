import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { compare, comparisonLine, spread } from '../../../scripts/lib/bench.ts';

describe('spread', () => {
  it('takes the middle of an odd and the mean of the middle two of an even number of values', () => {
    expect(spread([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
    expect(spread([4, 1, 2, 100])).toEqual({ median: 3, min: 1, max: 100 });
  });

  it('refuses to sum up nothing', () => {
    expect(() => spread([])).toThrow('nothing was measured');
  });
});

describe('compare', () => {
  it('alternates who goes first and leaves the warm-up pair out', async () => {
    const order: string[] = [];
    const result = await compare(
      () => order.push('a'),
      () => order.push('b'),
      { runs: 2 },
    );
    expect(order.join('')).toBe('abbaab');
    expect(result.runs).toBe(2);
  });

  it('answers subject over reference', async () => {
    const result = await compare(
      () => wait(60),
      () => wait(20),
      { runs: 3 },
    );
    expect(result.ratio).toBeGreaterThan(1.5);
    expect(result.subject.min).toBeGreaterThanOrEqual(50);
  });
});

describe('comparisonLine', () => {
  it('prints a row of the table, in seconds where they read better', () => {
    const comparison = {
      subject: { median: 1234, min: 900, max: 2000 },
      reference: { median: 617, min: 600, max: 700 },
      ratio: 2,
      runs: 5,
    };
    expect(comparisonLine({ subject: '`scan`', reference: '`find`' }, comparison, 3)).toBe(
      '| `scan` | `find` | 1.23 s (900 ms to 2.00 s) | 617 ms (600 ms to 700 ms) | 2.00 | 3.00 |',
    );
  });
});
