import { describe, expect, it } from 'vitest';
import { lowerBound } from '../../../src/domain/simulation/bound.ts';
import { type Farm, policyFor } from '../../../src/domain/simulation/farm.ts';
import type { SimulationResult } from '../../../src/domain/simulation/record.ts';
import { type PolicyFunction, simulate } from '../../../src/domain/simulation/simulate.ts';
import { each, evenLuck, GAP, SECOND, smallFarm, startWanted } from './support/small-farm.ts';

/** From the demand until it is told, started, connected, asked, fetched and checked. */
const AROUND = 35 * SECOND;

function run(farm: Farm, decide: PolicyFunction = startWanted, hashes = 100_000): SimulationResult {
  const policy = policyFor(farm, { lookEveryMs: 5000 });
  return simulate({ farm, draws: evenLuck(farm, hashes), policy, decide });
}

function spanOf({ identities }: SimulationResult, index: number, kind: string): number {
  return (identities[index]?.spans ?? [])
    .filter((span) => span.kind === kind)
    .reduce((sum, { from, to }) => sum + to - from, 0);
}

describe('a simulated proof', () => {
  it('takes dataset, k2pow and reading, one after the other', () => {
    const result = run(smallFarm([{}]));
    // 40 s; two groups of 100,000 hashes at 1000 a second; half of 100 GB at 100 MB/s.
    expect(spanOf(result, 0, 'preparing')).toBeCloseTo(40_000, 0);
    expect(spanOf(result, 0, 'k2pow')).toBeCloseTo(200_000, 0);
    expect(spanOf(result, 0, 'reading')).toBeCloseTo(500_000, 0);
    expect(result.makespanMs).toBeGreaterThan(740_000);
    expect(result.makespanMs).toBeLessThan(740_000 + AROUND);
    expect(result.lost).toEqual([]);
    expect(result.violations).toEqual([]);
    expect(result.peakMemoryBytes).toBeCloseTo(2.3 * 2 ** 30, 0);
  });

  it('is published, and registered when the window opens', () => {
    const [identity] = run(smallFarm([{}])).identities;
    expect(identity?.wantedAt).toBe(GAP.opens);
    expect(identity?.publishedAt).toBeGreaterThan(identity?.doneAt ?? 0);
    expect(identity?.registeredAt).toBe(GAP.closes - 3_600_000);
  });

  it('reads at 0.6 of the disk where two share a spindle, and at all of it where none turns', () => {
    const farm = smallFarm([{}, {}]);
    const shared = run(farm);
    // Both at once: 100 GB at 60 MB/s.
    expect(spanOf(shared, 0, 'reading')).toBeCloseTo((50e9 / 30e6) * SECOND, -4);
    expect(shared.violations.find(({ kind }) => kind === 'disk')).toMatchObject({ what: 'sda', most: 2 });
    const solid = { ...farm, disks: new Map([['sda', { bytesPerSecond: 100e6, spinning: false }]]) };
    expect(spanOf(run(solid), 0, 'reading')).toBeCloseTo((50e9 / 50e6) * SECOND, -4);
  });

  it('shares the hash rate of the host, up to the threads of each', () => {
    const apart = [{ disk: 'sda' }, { disk: 'sdb' }];
    expect(spanOf(run(smallFarm(apart)), 0, 'k2pow')).toBeCloseTo(400_000, -4);
    const narrow = apart.map((some) => ({ ...some, settings: { threads: 1 } }));
    // A quarter of the cores each: nobody is in the other's way.
    expect(spanOf(run(smallFarm(narrow)), 0, 'k2pow')).toBeCloseTo(800_000, -3);
  });

  it('takes ten times as long for its k2pow in light mode, and a tenth of the memory', () => {
    const result = run(smallFarm([{ settings: { randomx: 'light' } }]));
    expect(spanOf(result, 0, 'k2pow')).toBeCloseTo(2_000_000, 0);
    expect(result.peakMemoryBytes).toBeLessThan(0.3 * 2 ** 30);
  });

  it('lets a k2pow-service do one job at a time, with a dataset for each', () => {
    const address = 'http://k2pow:3000';
    const farm = smallFarm(
      [
        { disk: 'sda', settings: { remoteK2pow: address } },
        { disk: 'sdb', settings: { remoteK2pow: address } },
      ],
      { host: { remote: new Map([[address, { hashesPerSecond: 1000, datasetMs: 40_000 }]]) } },
    );
    const result = run(farm);
    // Four jobs of 140 s: they take turns, so the first is done after three of them and the other after four.
    const both = [spanOf(result, 0, 'k2pow'), spanOf(result, 1, 'k2pow')].toSorted((a, b) => a - b);
    expect(both[1]).toBeGreaterThan(3 * 140_000);
    expect(both[1]).toBeLessThanOrEqual(4 * 140_000 + 1);
    expect(result.peakMemoryBytes).toBeLessThan(0.2 * 2 ** 30);
  });

  it('crawls while it is held: a hundredth of one core', () => {
    const holds = each((prover) => {
      if (prover.container.kind !== 'present') return undefined;
      if (prover.container.state === 'exited') {
        return prover.wanted === 'proving' ? { kind: 'start', ahead: false } : undefined;
      }
      return prover.log?.phase.kind === 'k2pow' && !prover.container.held
        ? { kind: 'hold', deep: false }
        : undefined;
    });
    const result = run(smallFarm([{}]), holds, 1000);
    // It is held half a second after it began; 1500 hashes are left, at 2.5 a second.
    expect(spanOf(result, 0, 'k2pow')).toBeCloseTo(600_500, 0);
    expect(result.identities[0]?.doneAt).toBeUndefined();
    expect(result.held).toEqual(['post-1']);
  });

  it('gives the same result for the same input', () => {
    const farm = smallFarm([{}, { disk: 'sdb' }, {}]);
    expect(run(farm)).toEqual(run(farm));
  });
});

describe('the lower bound', () => {
  it('is the largest of its terms, computed by hand', () => {
    const farm = smallFarm([{}, {}, { disk: 'sdb' }]);
    const policy = policyFor(farm, { memoryBytes: 2.3 * 2 ** 30 });
    const bound = lowerBound(farm, evenLuck(farm), policy);
    expect(bound.diskMs).toBeCloseTo(1_000_000, 3);
    expect(bound.k2powMs).toBeCloseTo(600_000, 3);
    expect(bound.longestMs).toBeCloseTo(740_000, 3);
    // One at a time is all that fits into the memory.
    expect(bound.memoryMs).toBeCloseTo(3 * 740_000, 3);
    expect(bound.ms).toBe(bound.memoryMs);
  });

  it('counts a slot with the threads that it uses', () => {
    const farm = smallFarm([{ settings: { threads: 1 } }, { disk: 'sdb', settings: { threads: 1 } }]);
    const one = lowerBound(farm, evenLuck(farm), policyFor(farm, { k2powSlots: 1 }));
    const two = lowerBound(farm, evenLuck(farm), policyFor(farm, { k2powSlots: 2 }));
    expect(one.k2powMs).toBeCloseTo(1_600_000, 3);
    expect(two.k2powMs).toBeCloseTo(800_000, 3);
  });
});
