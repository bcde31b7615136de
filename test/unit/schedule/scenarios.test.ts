import { describe, expect, it } from 'vitest';
import { deadlines } from '../../../src/domain/poet/epochs.ts';
import { PROOF_MEMORY } from '../../../src/domain/schedule/policy.ts';
import type { Fault } from '../../../src/domain/simulation/faults.ts';
import { CLOCK, GAP, HOUR, SECOND, smallFarm } from '../simulation/support/small-farm.ts';
import {
  expectKept,
  id,
  MINUTE,
  named,
  ours,
  play,
  served,
  since,
  spans,
  startsOf,
  twelve,
  USUAL,
  violations,
} from './support/story.ts';

/* The acceptance scenarios of the schedule: the day of the gap, and what others do in it. */

describe('the day of the gap', () => {
  it('S27: a PoET proof that is 40 minutes late: nobody is started before', () => {
    const delay = 40 * MINUTE;
    const { result, decisions } = play(twelve({}, { node: { poetDelayMs: delay } }));
    expectKept(result);
    const wantedAt = GAP.opens + delay;
    expect(Math.min(...result.acts.map(({ at }) => at))).toBeGreaterThanOrEqual(wantedAt);
    expect(decisions.some(({ seen }) => seen.at > GAP.opens && seen.at < wantedAt)).toBe(true);
    expect(served(result)).toHaveLength(12);
  });

  it('S28: forty initial proofs on a Tuesday go the same way, outside of the gap', () => {
    const tuesday = GAP.closes + 2 * HOUR;
    const farm = smallFarm(
      Array.from({ length: 40 }, (_, index) => ({
        ...USUAL,
        bytes: 100e9,
        disk: `d${(index % 8) + 1}`,
        demand: 'initial' as const,
      })),
      { node: { startsAt: tuesday } },
    );
    const { result } = play(farm);
    expectKept(result);
    expect(served(result)).toHaveLength(40);
    expect(Math.min(...result.acts.map(({ at }) => at))).toBeLessThan(tuesday + MINUTE);
  });

  it('S29: of two on one disk the second works ahead, is held before it reads, and reads after the first', () => {
    const { result } = play(
      smallFarm([
        { ...USUAL, disk: 'sda' },
        { ...USUAL, disk: 'sda' },
      ]),
    );
    expectKept(result);
    const [first, second] = [...result.identities].sort((a, b) => (a.doneAt ?? 0) - (b.doneAt ?? 0));
    if (first === undefined || second === undefined) throw new Error('two are there');
    const firstRead = spans(first, 'reading').at(-1);
    const [held] = spans(second, 'held');
    const [read] = spans(second, 'reading');
    const k2pow = spans(second, 'k2pow')[0];
    expect(k2pow?.from).toBeLessThan(firstRead?.to ?? 0);
    expect(held?.from).toBeLessThan(firstRead?.to ?? 0);
    expect(read?.from).toBeGreaterThanOrEqual(firstRead?.to ?? Number.POSITIVE_INFINITY);
    // Half of its eight minutes of k2pow at least are behind it when the disk becomes free.
    expect((read?.from ?? 0) - (firstRead?.to ?? 0)).toBeLessThan(4 * MINUTE);
  });

  it('S34: not everything fits: as many as possible are in time, the others go on to the end of the epoch', () => {
    // Four hours each: the third of each disk ends after the gap of twelve.
    const { result, decisions } = play(twelve({ bytes: 1600e9 }));
    expectKept(result);
    const registered = result.identities.filter(({ registeredAt }) => registeredAt !== undefined);
    expect(registered).toHaveLength(8);
    const late = result.identities.filter(({ registeredAt }) => registeredAt === undefined);
    const { publishBy, registerBy } = deadlines(CLOCK, GAP.epoch);
    for (const { publishedAt } of late) {
      expect(publishedAt).toBeGreaterThan(registerBy);
      expect(publishedAt).toBeLessThan(publishBy);
    }
    expect(decisions.at(-1)?.decision.waiting).toEqual([]);
  });

  it('S25: ten fast ones and memory for three: never more, and none is killed', () => {
    const physicalBytes = 8 * 2 ** 30;
    const all = Array.from({ length: 10 }, (_, index) => ({ ...USUAL, disk: `d${index}` }));
    const { result } = play(smallFarm(all, { host: { physicalBytes } }), [], { k2powSlots: 4 });
    expectKept(result);
    expect(result.peakMemoryBytes).toBe(3 * PROOF_MEMORY.fast);
    expect(result.lost).toEqual([]);
    expect(served(result)).toHaveLength(10);
  });
});

describe('what others do', () => {
  const reading = 40 * MINUTE;

  it('S30: restarted while it proves, or killed for memory: its work is lost, it is planned again', () => {
    for (const kind of ['person-restarts', 'prover-oom'] as const) {
      const { result } = play(twelve(), [{ kind, at: reading, id: id(1) }]);
      expect(result.lost.map(({ name, cause }) => `${name} ${cause}`)).toEqual([
        `post-1 ${kind === 'prover-oom' ? 'oom' : 'person'}`,
      ]);
      expect(result.lost[0]?.workedMs).toBeGreaterThan(20 * MINUTE);
      expect(served(result)).toHaveLength(12);
      expect(violations(result)).toEqual([]);
    }
  });

  it('docker compose up in the middle: all that had begun are held, nothing is lost, the budgets hold again', () => {
    const at = 20 * MINUTE;
    const { result } = play(twelve(), [{ kind: 'person-starts-all', at }]);
    expect(result.lost).toEqual([]);
    expect(served(result)).toHaveLength(12);
    for (const { kind, from, to } of violations(result)) {
      expect(since(result, from), kind).toBeGreaterThanOrEqual(at);
      // Memory stays with whoever has it.
      if (kind !== 'memory') expect(since(result, to), kind).toBeLessThan(at + MINUTE);
    }
  });

  it('S31: the node restarts while they prove: nobody is stopped, every proof is delivered', () => {
    const { result } = play(twelve(), [
      { kind: 'node-restarts', at: reading, downMs: 20 * SECOND, idleMs: 90 * SECOND },
    ]);
    expectKept(result);
    expect(result.lost).toEqual([]);
    expect(served(result)).toHaveLength(12);
    for (const { starts } of result.identities) expect(starts).toHaveLength(1);
  });

  it('S35: killed three times in the gap, it adopts what runs: nobody is started twice or stopped', () => {
    const faults = [20, 50, 80].map(
      (minute): Fault => ({ kind: 'loop-dead', at: minute * MINUTE, until: (minute + 4) * MINUTE }),
    );
    const { result } = play(twelve(), faults);
    // While it is dead one that worked ahead goes on, and nobody holds it.
    const dead = (from: number) =>
      faults.some(({ at }) => since(result, from) >= at && since(result, from) <= at + 4 * MINUTE);
    expect(violations(result).filter(({ from }) => !dead(from))).toEqual([]);
    expect(result.lost).toEqual([]);
    expect(served(result)).toHaveLength(12);
    for (const { starts } of result.identities) expect(starts).toHaveLength(1);
  });

  it('S22: the host reboots: those that proved come back, those held back stay down until their turn', () => {
    const at = reading;
    const before = play(twelve()).result;
    const worked = before.identities.filter(
      ({ starts, doneAt }) => since(before, starts[0]) < at && since(before, doneAt) > at,
    );
    expect(worked.length).toBeGreaterThanOrEqual(4);
    const faults: Fault[] = [
      { kind: 'loop-dead', at, until: at + 2 * MINUTE },
      { kind: 'node-restarts', at, downMs: 60 * SECOND, idleMs: 90 * SECOND },
      ...worked.map((identity): Fault => ({ kind: 'prover-crashes', at, id: identity.id })),
    ];
    const { result } = play(twelve(), faults);
    expect(ours(result)).toEqual([]);
    expect(served(result)).toHaveLength(12);
    const during = (from: number) => since(result, from) >= at && since(result, from) < at + 5 * MINUTE;
    expect(violations(result).filter(({ from }) => !during(from))).toEqual([]);
    const others = result.identities.filter(({ id: one }) => !worked.some((work) => work.id === one));
    for (const { starts } of others) {
      expect(starts.filter((start) => during(start) && since(result, start) < at + 2 * MINUTE)).toEqual([]);
    }
  });

  it('one that a person stopped stays stopped, and comes when the person starts it', () => {
    // Before its turn it does not run, so it is the one that rests.
    const faults: Fault[] = [
      { kind: 'person-stops', at: reading, id: id(1) },
      { kind: 'person-starts-all', at: 9 * HOUR },
    ];
    const { result, decisions } = play(twelve(), faults);
    expect(startsOf(result, 1)).toHaveLength(1);
    expect(since(result, named(result, 1).doneAt)).toBeGreaterThan(9 * HOUR);
    expect(result.identities.filter(({ doneAt }) => since(result, doneAt) < 8 * HOUR)).toHaveLength(11);
    const told = decisions.filter(({ decision }) =>
      decision.waiting.some(({ id: one, why }) => one === id(1) && why === 'stopped-by-person'),
    );
    expect(told.length).toBeGreaterThan(10);
  });
});
