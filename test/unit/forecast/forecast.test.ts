import { describe, expect, it } from 'vitest';
import { forecast } from '../../../src/domain/forecast/forecast.ts';
import { scanRate } from '../../../src/domain/forecast/input.ts';
import { scanning, withinCores } from '../../../src/domain/forecast/scanning.ts';
import { D1, testFarm } from './farm.ts';

const HOUR = 3_600_000;
const OPENS = Date.UTC(2026, 10, 22, 20);

describe('the farm of operators.md d.1 (S25)', () => {
  const found = forecast(testFarm(D1), { runs: 60, check: false });

  it('does not fit the default gap at 180 MB/s with any schedule', () => {
    expect(found.gap.opens).toBe(OPENS);
    expect(found.outcome.fits).toBe(false);
    expect(found.bound).toBeGreaterThan(found.registerBy);
    // d.5: 1 per disk with prefetch, 13.9 h, 14.9 of 20 on each machine by T + 11 h; here until T + 12 h.
    expect((found.outcome.doneP50 - OPENS) / HOUR).toBeGreaterThan(12.9);
    expect((found.outcome.doneP50 - OPENS) / HOUR).toBeLessThan(15.5);
    expect(found.outcome.missing).toBeGreaterThan(8);
    expect(found.outcome.missing).toBeLessThan(12);
  });

  it('publishes everything within the epoch all the same', () => {
    expect(found.outcome.missingEpoch).toBe(0);
    expect(found.identities.every(({ publishes }) => publishes === 1)).toBe(true);
  });

  it('names the last identities of every disk as those that miss it or may', () => {
    const missed = found.identities.filter(({ registers }) => registers < 0.9);
    expect(missed.length).toBeGreaterThanOrEqual(10);
    expect(missed.length).toBeLessThanOrEqual(20);
    expect(new Set(missed.map(({ disk }) => disk)).size).toBe(10);
  });

  it('would fit with half of it on another PoET phase, with fewer units, or with faster disks', () => {
    const { remedies } = found;
    expect(remedies.map(({ kind }) => kind)).toEqual(['second-phase', 'fewer-units', 'faster-disk']);
    expect(remedies.every(({ outcome }) => outcome.fits)).toBe(true);
    const units = remedies.find((remedy) => remedy.kind === 'fewer-units');
    const faster = remedies.find((remedy) => remedy.kind === 'faster-disk');
    if (units?.kind !== 'fewer-units' || faster?.kind !== 'faster-disk') throw new Error('not found');
    // d.3: about 7 TB (102 units) fit 10.5 h with p99 at 180 MB/s, and 10 TB want about 250 MB/s.
    for (const { units: fitting, of } of units.disks) {
      expect(of).toBe(144);
      expect(fitting).toBeGreaterThan(90);
      expect(fitting).toBeLessThan(125);
    }
    for (const { bytesPerSecond } of faster.disks) {
      expect(bytesPerSecond).toBeGreaterThan(205e6);
      expect(bytesPerSecond).toBeLessThan(270e6);
    }
  });

  it('fits with half-full disks, and then needs no remedy', () => {
    const half = forecast(testFarm({ ...D1, units: 18 }), { runs: 40, check: false });
    expect(half.outcome.fits).toBe(true);
    expect(half.outcome.missing).toBe(0);
    expect((half.outcome.doneP50 - OPENS) / HOUR).toBeLessThan(8);
    expect(half.remedies).toEqual([]);
  });
});

describe('a forecast', () => {
  it('is the same for the same input, and another for another seed', () => {
    const farm = testFarm({ identities: 8, disks: 2, units: 16 });
    const wish = { runs: 20, check: false, seed: 7, remedies: 'none' as const };
    expect(forecast(farm, wish)).toEqual(forecast(farm, wish));
    expect(forecast(farm, wish).outcome).not.toEqual(forecast(farm, { ...wish, seed: 8 }).outcome);
  });

  it('is measured against the schedule itself on the same luck', () => {
    for (const farm of [D1, { identities: 12, disks: 4, units: 20, policy: { k2powSlots: 2 } }]) {
      const { check } = forecast(testFarm(farm), { runs: 5, remedies: 'none' });
      expect(check?.ratio).toBeGreaterThan(0.93);
      expect(check?.ratio).toBeLessThan(1.07);
    }
  });

  it('keeps within memory, and says how much of it would help', () => {
    const tight = forecast(
      testFarm({ identities: 20, disks: 5, units: 18, memoryGib: 8, hashesPerSecond: 6000 }),
      {
        runs: 30,
        check: false,
      },
    );
    expect(tight.outcome.peakMemoryBytes).toBeLessThanOrEqual(8 * 2 ** 30);
    expect(tight.outcome.mostAtOnce).toBe(3);
    const [best] = tight.remedies;
    expect(best).toMatchObject({ kind: 'memory', outcome: { fits: true } });
  });

  it('finds fewer nonces where the host is too weak for k2pow', () => {
    const weak = forecast(testFarm({ identities: 8, disks: 4, units: 36, hashesPerSecond: 400 }), {
      runs: 20,
      check: false,
    });
    expect(weak.outcome.fits).toBe(false);
    const nonces = weak.remedies.find((remedy) => remedy.kind === 'nonces');
    if (nonces?.kind !== 'nonces') throw new Error('no remedy by nonces');
    expect(nonces.nonces).toBeLessThan(288);
    expect(nonces.outcome.missing).toBeLessThan(weak.outcome.missing);
  });

  it('has lanes in which no two read at once', () => {
    const { disks } = forecast(testFarm({ identities: 12, disks: 3, units: 12, nonces: 64 }), {
      runs: 20,
      check: false,
    });
    for (const { lane } of disks) {
      expect(lane).toHaveLength(4);
      const reads = lane
        .flatMap(({ spans }) => spans.filter(({ kind }) => kind === 'reading'))
        .toSorted((a, b) => a.from - b.from);
      reads.forEach((read, index) => {
        const before = reads[index - 1];
        if (before !== undefined) expect(read.from).toBeGreaterThanOrEqual(before.to - 1);
      });
    }
  });

  it('of one identity without k2pow to speak of is its reading', () => {
    const one = testFarm({ identities: 1, disks: 1, units: 36, hashesPerSecond: 1e9, mbPerSecond: 180 });
    const { outcome, begins } = forecast(one, { runs: 200, check: false });
    // d.3: 3.23 h expected at 288 nonces, and the dataset.
    expect((outcome.doneP50 - begins) / HOUR).toBeGreaterThan(3.15);
    expect((outcome.doneP50 - begins) / HOUR).toBeLessThan(3.4);
  });

  it('takes seconds for 300 identities', () => {
    const began = performance.now();
    const { runs } = forecast(
      testFarm({ identities: 300, disks: 26, units: 8, hashesPerSecond: 30_000, memoryGib: 256 }),
      { check: false },
    );
    expect(runs).toBe(25);
    // Alone it takes two; the suite shares its machine.
    expect(performance.now() - began).toBeLessThan(40_000);
  });
});

describe('the scan rate of a core', () => {
  it('limits what disks give together: a weak host wants fewer nonces', () => {
    const weak = testFarm({
      identities: 8,
      disks: 4,
      units: 24,
      hashesPerSecond: 9000,
      policy: { cores: 4 },
    });
    const strong = testFarm({ identities: 8, disks: 4, units: 24, hashesPerSecond: 9000 });
    const [slow, fast] = [weak, strong].map((farm) => forecast(farm, { runs: 20, check: false }));
    expect(fast?.outcome.fits).toBe(true);
    expect(slow?.outcome.fits).toBe(false);
    // 4 cores scan 4 × 67 MB/s with 288 nonces: 37 % of 4 × 180 MB/s.
    expect(scanning(weak).share).toBeCloseTo(0.372, 2);
    expect(withinCores(withinCores(weak))).toEqual(withinCores(weak));
    expect(slow?.remedies[0]).toMatchObject({ kind: 'nonces' });
  });

  it("agrees with the profiler's table", () => {
    expect(scanRate(64) / 2 ** 30).toBeCloseTo(0.19, 2);
    expect(scanRate(128) / 2 ** 30).toBeCloseTo(0.12, 2);
  });
});
