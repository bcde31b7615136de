import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { hashesPerUnitGroup } from '../../../src/domain/bench/expected-hashes.ts';
import { k2powRate, k2powRuns } from '../../../src/domain/bench/k2pow-rate.ts';
import { MAINNET } from '../../../src/domain/node/networks.ts';

const at = (seconds: number) => Date.UTC(2026, 10, 22, 20, 0, 0) + seconds * 1000;
const line = (seconds: number, text: string, level = 'INFO ') => ({
  at: at(seconds),
  text: `[${new Date(at(seconds)).toISOString().replace('.000Z', 'Z')} ${level} post::prove] ${text}`,
});

/** A pass of 32 nonces whose two groups take so many seconds. */
function pass(from: number, first: number, second: number) {
  return [
    line(from, 'calculating proof of work for nonces 0..32'),
    line(from, 'calculating proof of work for nonce group 0', 'DEBUG'),
    line(from + first, 'proof of work for nonce group 0: 17', 'DEBUG'),
    line(from + first, 'calculating proof of work for nonce group 1', 'DEBUG'),
    line(from + first + second, 'proof of work for nonce group 1: 4', 'DEBUG'),
    line(from + first + second, `finished k2pow in 0m ${first + second}s`),
    line(from + first + second, 'started reading POST data'),
  ];
}

describe('expected hashes of a nonce group', () => {
  it('are 4687.5 a unit on mainnet, and one where the difficulty is none', () => {
    expect(hashesPerUnitGroup(MAINNET.post.powDifficulty)).toBeCloseTo(4687.5, 1);
    expect(hashesPerUnitGroup('f'.repeat(64))).toBe(1);
  });
});

describe('k2pow in a log', () => {
  it('is told group by group where the log shows groups, else as a whole', () => {
    const lines = pass(0, 30, 50);
    expect(k2powRuns(lines)).toEqual([
      {
        stretches: [
          { from: at(0), to: at(30), groups: 1 },
          { from: at(30), to: at(80), groups: 1 },
        ],
      },
    ]);
    const withoutDebug = lines.filter(({ text }) => !text.includes('DEBUG'));
    expect(k2powRuns(withoutDebug)).toEqual([{ stretches: [{ from: at(0), to: at(80), groups: 2 }] }]);
  });

  it('counts only when begin and end are there', () => {
    expect(k2powRuns(pass(0, 30, 50).slice(1))).toEqual([]);
    expect(k2powRuns(pass(0, 30, 50).slice(0, 4))).toEqual([]);
  });

  it.skipIf(process.env['SMESH_RECORDINGS'] === undefined)(
    'is found in the recorded logs of the real program',
    () => {
      const file = `${process.env['SMESH_RECORDINGS']}/post-service-proof-debug.log`;
      expect(existsSync(file)).toBe(true);
      const lines = readFileSync(file, 'utf8')
        .split('\n')
        .map((text) => ({
          at: Date.parse(/^\[(\S+)/.exec(text)?.[1] ?? ''),
          text,
        }));
      expect(k2powRuns(lines)[0]?.stretches.map(({ from, to }) => (to - from) / 1000)).toEqual([1, 2, 1, 0]);
    },
  );
});

describe('the k2pow rate of a host', () => {
  const source = (service: string, from: number, first: number, second: number) => ({
    service,
    units: 4,
    share: 1,
    runs: k2powRuns(pass(from, first, second)),
  });

  it('is the expected hashes by the time', () => {
    // 2 groups × 4 units × 4687.5 in 75 s.
    expect(k2powRate([source('post-0001', 0, 25, 50)], 4687.5)).toMatchObject({
      kind: 'measured',
      hashesPerSecond: 500,
      busyMs: 75_000,
      passes: 1,
      errorPercent: 71,
    });
  });

  it('counts time that two share once', () => {
    const rate = k2powRate([source('post-0001', 0, 50, 100), source('post-0002', 0, 50, 100)], 4687.5);
    expect(rate).toMatchObject({ hashesPerSecond: 500, busyMs: 150_000, passes: 2 });
  });

  it('leaves out groups during which the prover was held', () => {
    const held = source('post-0002', 200, 25, 5000);
    const rate = k2powRate([source('post-0001', 0, 25, 50), held], 4687.5);
    expect(rate).toMatchObject({ hashesPerSecond: (3 * 4 * 4687.5) / 100, busyMs: 100_000 });
  });

  it('takes a prover on half of the cores for half of the host', () => {
    expect(k2powRate([{ ...source('post-0001', 0, 25, 50), share: 0.5 }], 4687.5)).toMatchObject({
      hashesPerSecond: 1000,
    });
  });

  it('is none without a proof, without units, or where k2pow takes no work', () => {
    expect(k2powRate([], 4687.5)).toEqual({ kind: 'none' });
    const { units: _, ...unknown } = source('post-0001', 0, 25, 50);
    expect(k2powRate([unknown], 4687.5)).toEqual({ kind: 'none' });
    expect(k2powRate([source('post-0001', 0, 25, 50)], 1)).toEqual({ kind: 'none' });
  });
});
