import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatRate, plural } from '../../../src/ui/units.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [2048 * 1024 * 1024, '2 GiB'],
    [36 * 64 * 2 ** 30, '2.3 TiB'],
    [16.4 * 2 ** 40, '16.4 TiB'],
    [210 * 2 ** 30, '210 GiB'],
    [2 ** 40 - 1, '1 TiB'],
  ])('%d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('never shows four digits before a larger unit', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(Number.parseFloat(formatBytes(bytes))).toBeLessThan(1024);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [-5, '0.0 s'],
    [400, '0.4 s'],
    [9949, '9.9 s'],
    [45_000, '45 s'],
    [59_700, '1 min'],
    [14 * 60_000, '14 min'],
    [59.6 * 60_000, '1 h'],
    [(8 * 60 + 48) * 60_000, '8 h 48 m'],
    [(23 * 60 + 59.7) * 60_000, '1 d'],
    [76 * 3_600_000, '3 d 4 h'],
    [12 * 86_400_000, '12 d'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

it('groups thousands, counts things, tells rates', () => {
  expect([formatCount(353558), formatCount(999), formatCount(12345678901234567890n)]).toEqual([
    '353,558',
    '999',
    '12,345,678,901,234,567,890',
  ]);
  expect([plural(1, 'disk'), plural(12, 'directory', 'directories')]).toEqual(['1 disk', '12 directories']);
  expect([formatRate(182.4e6), formatRate(3.21e6)]).toEqual(['182 MB/s', '3.2 MB/s']);
});
