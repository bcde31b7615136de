import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benchFarms } from '../../../scripts/lib/schedule-farms.ts';
import { decide } from '../../../src/domain/schedule/decide.ts';
import { k2powMs, prepareMs, proofMemory, readMs } from '../../../src/domain/schedule/estimates.ts';
import type { ProverFacts } from '../../../src/domain/schedule/observation.ts';
import { outlook } from '../../../src/domain/schedule/outlook.ts';
import type { SchedulePolicy } from '../../../src/domain/schedule/policy.ts';
import { drawFarm, policyFor } from '../../../src/domain/simulation/farm.ts';
import { seededRandom } from '../../../src/domain/simulation/random.ts';
import { simulate } from '../../../src/domain/simulation/simulate.ts';
import { IN_GAP, inK2pow, observation, POLICY, prover, reading } from './support/facts.ts';

const HOUR = 3_600_000;

function expected(provers: readonly ProverFacts[], policy: SchedulePolicy = POLICY) {
  const looked = observation(provers);
  const { doneAt, memory } = outlook(looked, policy, decide(looked, policy, IN_GAP), IN_GAP);
  return { memory, of: (number: number) => doneAt.get(prover(number, '').id) };
}

const one = prover(1, 'sda');
const begin = prepareMs(one.settings, POLICY) + k2powMs(one, POLICY);
const read = readMs(one, POLICY);

describe('when everybody is done', () => {
  it('of one disk: one after the other, with the k2pow of the next done ahead', () => {
    const { of } = expected([1, 2, 3].map((number) => prover(number, 'sda')));
    const ends = [1, 2, 3].map((number) => of(number) ?? 0).sort((a, b) => a - b);
    expect(ends.map((end) => Math.round((end - IN_GAP - begin) / read))).toEqual([1, 2, 3]);
    expect(ends[2]).toBeCloseTo(IN_GAP + begin + 3 * read, -2);
  });

  it('without work ahead, each begins when the one before it has ended', () => {
    const alone = { ...POLICY, worksAhead: false };
    const { of } = expected(
      [1, 2].map((number) => prover(number, 'sda')),
      alone,
    );
    const last = Math.max(of(1) ?? 0, of(2) ?? 0);
    expect(last).toBeCloseTo(IN_GAP + 2 * (begin + read), -2);
  });

  it('of two disks with one k2pow slot: the second disk begins a k2pow later', () => {
    const { of } = expected([prover(1, 'sda'), prover(2, 'sdb')]);
    const [first = 0, second = 0] = [of(1) ?? 0, of(2) ?? 0].sort((a, b) => a - b);
    expect(first).toBeCloseTo(IN_GAP + begin + read, -2);
    expect(second).toBeCloseTo(IN_GAP + 2 * begin + read, -2);
  });

  it('counts what is read already, and lets the held one go on when the disk is free', () => {
    const { of } = expected([
      prover(1, 'sda', reading(0.5)),
      prover(2, 'sda', inK2pow(8, { held: true })),
      prover(3, 'sda'),
    ]);
    const [reader = 0, held = 0, waits = 0] = [of(1), of(2), of(3)];
    expect(reader).toBeGreaterThan(IN_GAP);
    expect(held - reader).toBeGreaterThan(read);
    expect(held - reader).toBeLessThan(read + begin);
    expect(waits - held).toBeCloseTo(read, -2);
  });

  it('waits for memory', () => {
    const tight = { ...POLICY, k2powSlots: 2, memoryBytes: 1.5 * proofMemory(one.settings) };
    const { of, memory } = expected([prover(1, 'sda', reading(0.5)), prover(2, 'sdb')], tight);
    expect(of(2) ?? 0).toBeCloseTo((of(1) ?? 0) + begin + read, -2);
    expect(memory).toEqual({
      proofs: 1,
      bytes: proofMemory(one.settings),
      budget: tight.memoryBytes,
    });
  });

  it('promises nothing of who waits for a person', () => {
    const { of } = expected([
      prover(1, 'sda', { data: 'absent' }),
      prover(2, 'sda', { courtesy: { ...one.courtesy, stoppedByPerson: true } }),
      prover(3, 'sda'),
    ]);
    expect([of(1), of(2)]).toEqual([undefined, undefined]);
    expect(of(3)).toBeDefined();
  });

  it('is never earlier than the disk can read, for random farms', () => {
    const farm = fc.array(
      fc.record({ disk: fc.constantFrom('sda', 'sdb', 'sdc'), units: fc.integer({ min: 4, max: 64 }) }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(farm, fc.integer({ min: 1, max: 4 }), (members, k2powSlots) => {
        const provers = members.map(({ disk, units }, index) =>
          prover(index + 1, disk, { units, dataBytes: units * 64 * 2 ** 30 }),
        );
        const policy = { ...POLICY, k2powSlots };
        const { of } = expected(provers, policy);
        for (const disk of ['sda', 'sdb', 'sdc']) {
          const here = provers.filter((facts) => facts.disk === disk);
          if (here.length === 0) continue;
          const all = here.reduce((sum, facts) => sum + readMs(facts, policy), 0);
          const ends = here.map((facts) => of(Number.parseInt(facts.id, 16)) ?? Number.NaN);
          expect(Math.max(...ends) - IN_GAP).toBeGreaterThanOrEqual(all);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each(['half-full disks', 'remote k2pow, 12 ids, 4 disks', '48 small ids, 6 disks'])(
    'agrees with the schedule itself, in the simulator: %s',
    (name) => {
      const farm = benchFarms().find((one) => one.name === name)?.farm;
      if (farm === undefined) throw new Error(`no farm ${name}`);
      const policy = policyFor(farm, { lookEveryMs: 30_000 });
      let expectedMs: number | undefined;
      const { makespanMs } = simulate({
        farm,
        draws: drawFarm(farm, seededRandom(1)),
        policy,
        seed: 1,
        decide: (looked, given, now) => {
          const decision = decide(looked, given, now);
          // At the moment when the node wants all of them, before anybody works.
          if (looked.provers.every(({ wanted }) => wanted === 'proving')) {
            expectedMs ??= Math.max(...outlook(looked, given, decision, now).doneAt.values()) - now;
          }
          return decision;
        },
      });
      expect(makespanMs).toBeDefined();
      expect((expectedMs ?? 0) / (makespanMs ?? 0)).toBeGreaterThan(0.85);
      expect((expectedMs ?? 0) / (makespanMs ?? 0)).toBeLessThan(1.15);
    },
  );

  it('takes no second for 1,000 identities on 100 disks', () => {
    const provers = Array.from({ length: 1000 }, (_, index) => prover(index + 1, `d${index % 100}`));
    const looked = observation(provers);
    const decision = decide(looked, POLICY, IN_GAP);
    const from = performance.now();
    const { doneAt } = outlook(looked, POLICY, decision, IN_GAP);
    expect(performance.now() - from).toBeLessThan(1000);
    expect(doneAt.size).toBe(1000);
    expect(Math.max(...doneAt.values())).toBeGreaterThan(IN_GAP + HOUR);
  });
});
