import { describe, expect, it } from 'vitest';
import { deadlines } from '../../../src/domain/poet/epochs.ts';
import { decide } from '../../../src/domain/schedule/decide.ts';
import type { Decision } from '../../../src/domain/schedule/decision.ts';
import type { ScheduleObservation } from '../../../src/domain/schedule/observation.ts';
import { PROOF_MEMORY, type SchedulePolicy } from '../../../src/domain/schedule/policy.ts';
import { type Farm, policyFor, simulatedId } from '../../../src/domain/simulation/farm.ts';
import type { Fault } from '../../../src/domain/simulation/faults.ts';
import type { SimulatedIdentity, SimulationResult } from '../../../src/domain/simulation/record.ts';
import { simulate } from '../../../src/domain/simulation/simulate.ts';
import {
  CLOCK,
  evenLuck,
  GAP,
  HOUR,
  SECOND,
  type Some,
  smallFarm,
} from '../simulation/support/small-farm.ts';

/* The acceptance scenarios of the schedule, each played from beginning to end with the real decision. */

const MINUTE = 60 * SECOND;

interface Story {
  readonly result: SimulationResult;
  readonly decisions: readonly { readonly seen: ScheduleObservation; readonly decision: Decision }[];
}

function play(
  farm: Farm,
  faults: readonly Fault[] = [],
  changes: Partial<SchedulePolicy> = {},
  allRun = false,
): Story {
  const decisions: Story['decisions'][number][] = [];
  const result = simulate({
    farm,
    draws: evenLuck(farm, 60_000, 0.9),
    policy: policyFor(farm, changes),
    decide,
    faults,
    allRun,
    onDecision: (seen, decision) => decisions.push({ seen, decision }),
  });
  return { result, decisions };
}

/** Eight groups of a minute each, then 45 minutes of reading. */
const USUAL: Some = { bytes: 300e9, settings: { nonces: 128 } };

/** Three identities on each of four disks, in turn. */
function twelve(some: Some = {}, changes: Parameters<typeof smallFarm>[1] = {}): Farm {
  const settings = { ...USUAL.settings, ...some.settings };
  const all = Array.from({ length: 12 }, (_, index) => ({
    ...USUAL,
    disk: `d${(index % 4) + 1}`,
    ...some,
    settings,
  }));
  return smallFarm(all, changes);
}

const id = (number: number) => simulatedId(number);
const since = ({ startedAt }: SimulationResult, at: number | undefined) => (at ?? Number.NaN) - startedAt;
const served = ({ identities }: SimulationResult) => identities.filter(({ doneAt }) => doneAt !== undefined);
const ours = ({ lost }: SimulationResult) => lost.filter(({ cause }) => cause === 'ours');
const named = ({ identities }: SimulationResult, number: number): SimulatedIdentity => {
  const found = identities.find(({ name }) => name === `post-${number}`);
  if (found === undefined) throw new Error(`post-${number}`);
  return found;
};
const spans = ({ spans: all }: SimulatedIdentity, kind: string) => all.filter((span) => span.kind === kind);
const startsOf = ({ acts }: SimulationResult, number: number) =>
  acts.filter(({ kind, name, refused }) => kind === 'start' && name === `post-${number}` && refused !== true);
const alarms = ({ decisions }: Story) => [
  ...new Set(decisions.flatMap(({ decision }) => decision.alarms.map(({ code, name }) => `${code} ${name}`))),
];

/** Slots change hands by one act after the other: for a second two may hold one. A disk never has two readers. */
const violations = ({ violations: all }: SimulationResult) =>
  all.filter(({ kind, from, to }) => kind !== 'k2pow' || to - from > SECOND);

/** What holds of every story in which nobody started anything beside the schedule. */
function expectKept(result: SimulationResult): void {
  expect(violations(result)).toEqual([]);
  expect(ours(result)).toEqual([]);
  expect(result.livelock).toBe(false);
}

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
    // Seven of its eight minutes of k2pow are behind it when the disk becomes free.
    expect((read?.from ?? 0) - (firstRead?.to ?? 0)).toBeLessThan(2 * MINUTE);
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

describe('what breaks', () => {
  it('S32: an invalid proof lets the others go first; after the second it is not tried again', () => {
    const first = play(twelve(), [{ kind: 'proof-invalid', at: 0, id: id(1) }]);
    expectKept(first.result);
    expect(served(first.result)).toHaveLength(12);
    const [, second] = spans(named(first.result, 1), 'reading');
    expect(second?.from).toBeGreaterThan(named(first.result, 5).doneAt ?? Number.POSITIVE_INFINITY);

    const twice = play(twelve(), [
      { kind: 'proof-invalid', at: 0, id: id(1) },
      { kind: 'proof-invalid', at: since(first.result, named(first.result, 1).doneAt) - HOUR / 2, id: id(1) },
    ]);
    expectKept(twice.result);
    expect(served(twice.result)).toHaveLength(11);
    expect(named(twice.result, 1).doneAt).toBeUndefined();
    expect(spans(named(twice.result, 1), 'preparing')).toHaveLength(2);
    expect(alarms(twice)).toContain('invalid-proofs post-1');
  });

  it('S33: a stuck one is restarted once; when it fails again there is an alarm and no second restart', () => {
    const once = play(twelve(), [{ kind: 'proof-fails', at: 30 * MINUTE, id: id(1) }]);
    expectKept(once.result);
    expect(once.result.acts.filter(({ kind }) => kind === 'restart')).toHaveLength(1);
    expect(served(once.result)).toHaveLength(12);
    expect(alarms(once).filter((code) => code.startsWith('stuck'))).toEqual([]);

    const restarted = once.result.acts.find(({ kind }) => kind === 'restart')?.at;
    const again = play(twelve(), [
      { kind: 'proof-fails', at: 30 * MINUTE, id: id(1) },
      { kind: 'proof-fails', at: since(once.result, restarted) + 10 * MINUTE, id: id(1) },
    ]);
    expectKept(again.result);
    expect(again.result.acts.filter(({ kind }) => kind === 'restart')).toHaveLength(1);
    expect(alarms(again)).toContain('stuck post-1');
    expect(served(again.result)).toHaveLength(11);
  });

  it('S33: a half-open connection: after two minutes a restart, which heals it', () => {
    const farm = smallFarm([
      { ...USUAL, disk: 'sda' },
      { ...USUAL, disk: 'sdb' },
    ]);
    const faults: Fault[] = [
      { kind: 'loop-dead', at: 0, until: 90 * SECOND },
      { kind: 'half-open', at: 30 * SECOND, id: id(1) },
    ];
    const { result } = play(farm, faults, {}, true);
    expect(result.lost).toEqual([]);
    const restarts = result.acts.filter(({ kind }) => kind === 'restart');
    expect(restarts.map(({ name }) => name)).toEqual(['post-1']);
    // The gap opens a minute after the beginning.
    expect(since(result, restarts[0]?.at)).toBeGreaterThan(3 * MINUTE);
    expect(served(result)).toHaveLength(2);
  });

  it('a disk that vanished stops only its own, and they come when it is back', () => {
    const gone = 30 * MINUTE;
    const back = 5 * HOUR;
    const { result } = play(twelve(), [{ kind: 'disk-vanishes', at: gone, until: back, disk: 'd2' }]);
    expect(ours(result)).toEqual([]);
    const others = result.identities.filter(({ disk }) => disk !== 'd2');
    for (const { doneAt, starts } of others) {
      expect(since(result, doneAt)).toBeLessThan(4 * HOUR);
      expect(starts).toHaveLength(1);
    }
    for (const { doneAt, disk } of result.identities) {
      if (disk === 'd2') expect(since(result, doneAt)).toBeGreaterThan(back);
    }
    for (const { name, kind } of result.acts) {
      if (kind === 'stop' && since(result, named(result, Number(name.slice(5))).doneAt) > back) {
        expect(['post-2', 'post-6', 'post-10']).toContain(name);
      }
    }
  });

  it('S37: a k2pow worker panics its provers: they come back, and the budgets of the worker hold', () => {
    const remote = 'http://worker:8080';
    const host = {
      physicalBytes: 4 * 2 ** 30,
      remote: new Map([[remote, { hashesPerSecond: 1000, datasetMs: 40_000 }]]),
    };
    const farm = twelve({ settings: { remoteK2pow: remote } }, { host });
    const faults = [10, 11, 12].map(
      (minute, index): Fault => ({ kind: 'prover-crashes', at: minute * MINUTE, id: id((index % 4) + 1) }),
    );
    const { result } = play(farm, faults);
    expectKept(result);
    expect(result.lost.length).toBeGreaterThan(0);
    expect(result.lost.every(({ cause }) => cause === 'crash')).toBe(true);
    expect(served(result)).toHaveLength(12);
    // Twelve local proofs would not fit: none of them fell back to this host.
    expect(result.peakMemoryBytes).toBeLessThan(PROOF_MEMORY.fast);
  });
});
