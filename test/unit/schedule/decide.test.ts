import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/domain/schedule/decide.ts';
import type { ProverFacts, ScheduleObservation } from '../../../src/domain/schedule/observation.ts';
import type { SchedulePolicy } from '../../../src/domain/schedule/policy.ts';
import {
  GIB,
  IN_GAP,
  idle,
  inK2pow,
  justStarted,
  observation,
  POLICY,
  preparing,
  prover,
  reading,
} from './support/facts.ts';

function acts(
  provers: readonly ProverFacts[],
  policy: Partial<SchedulePolicy> = {},
  more: Partial<ScheduleObservation> = {},
): readonly string[] {
  const decision = decide(observation(provers, more), { ...POLICY, ...policy }, IN_GAP);
  return decision.acts.map((act) => {
    const detail =
      act.kind === 'start' && act.ahead ? ' ahead' : act.kind === 'hold' && act.deep ? ' deep' : '';
    return `${act.kind}${detail} ${act.name}`;
  });
}

const waiting = (provers: readonly ProverFacts[], policy: Partial<SchedulePolicy> = {}) =>
  decide(observation(provers), { ...POLICY, ...policy }, IN_GAP).waiting.map(
    ({ name, words }) => `${name} ${words}`,
  );

const alarms = (provers: readonly ProverFacts[]) =>
  decide(observation(provers), POLICY, IN_GAP).alarms.map(({ code, name }) => `${code} ${name ?? ''}`.trim());

describe('who is started', () => {
  it('starts one per disk while a k2pow slot is free', () => {
    expect(acts([prover(1, 'a'), prover(2, 'a'), prover(3, 'b')])).toEqual(['start post-1']);
    expect(acts([prover(1, 'a'), prover(2, 'a'), prover(3, 'b')], { k2powSlots: 2 })).toEqual([
      'start post-1',
      'start post-3',
    ]);
    expect(waiting([prover(1, 'a'), prover(2, 'a'), prover(3, 'b')])).toEqual([
      'post-2 waits for a',
      'post-3 waits for a k2pow slot',
    ]);
  });

  it('S27: starts nobody whom the node does not want, whatever the clock says', () => {
    expect(acts([prover(1, 'a', { wanted: 'idle' }), prover(2, 'b', { wanted: 'unknown' })])).toEqual([]);
  });

  it('S28: starts whom it wants outside of the gap, too', () => {
    const at = IN_GAP - 100 * 3_600_000;
    const decision = decide(observation([prover(1, 'a')], { at }), POLICY, at);
    expect(decision.acts.map(({ kind }) => kind)).toEqual(['start']);
  });

  it('S29: works ahead while the disk is busy, and holds before it reads', () => {
    expect(acts([prover(1, 'a', reading(0.2)), prover(2, 'a'), prover(3, 'a')])).toEqual([
      'start ahead post-2',
    ]);
    expect(acts([prover(1, 'a', reading(0.2)), prover(2, 'a', inK2pow(3))])).toEqual([]);
    expect(acts([prover(1, 'a', reading(0.2)), prover(2, 'a', inK2pow(6))])).toEqual(['hold post-2']);
    expect(acts([prover(1, 'a', reading(0.2)), prover(2, 'a', inK2pow(6, { held: true }))])).toEqual([]);
    expect(acts([prover(2, 'a', inK2pow(8, { held: true }))])).toEqual(['release post-2']);
  });

  it('holds deeper where the usual crawl would come to the data before the disk is free', () => {
    expect(acts([prover(1, 'a', reading(0.2)), prover(2, 'a', inK2pow(8))])).toEqual(['hold deep post-2']);
    expect(acts([prover(1, 'a', reading(0.95)), prover(2, 'a', inK2pow(8))])).toEqual(['hold post-2']);
  });

  it('works ahead only where the log tells when to hold, and the engine can', () => {
    const mute = prover(2, 'a');
    const settings = { ...mute.settings, tellsGroups: false };
    expect(acts([prover(1, 'a', reading(0.2)), { ...mute, settings }])).toEqual([]);
    expect(acts([prover(1, 'a', reading(0.2)), mute], { canHold: false })).toEqual([]);
    expect(acts([prover(1, 'a', reading(0.2)), mute], { worksAhead: false })).toEqual([]);
  });

  it('S25: keeps within the memory, and lets one proof begin in any case', () => {
    const ten = Array.from({ length: 10 }, (_, at) => prover(at + 1, `d${at}`));
    expect(acts(ten, { k2powSlots: 10, memoryBytes: 12 * GIB })).toHaveLength(5);
    expect(acts(ten, { k2powSlots: 10, memoryBytes: GIB })).toHaveLength(1);
    expect(waiting(ten, { k2powSlots: 10, memoryBytes: GIB })).toContain('post-2 waits for memory');
  });

  it('S37: gives each remote worker its own slots, and its provers no memory', () => {
    const remote = (number: number) => {
      const facts = prover(number, `d${number}`);
      return { ...facts, settings: { ...facts.settings, remoteK2pow: 'http://k2pow:3000' } };
    };
    const policy = { memoryBytes: 2.4 * GIB, remoteK2powSlots: 2 };
    expect(acts([remote(1), remote(2), remote(3), prover(4, 'x')], policy)).toEqual([
      'start post-1',
      'start post-2',
      'start post-4',
    ]);
  });

  it('S37: lets fewer ask a k2pow-service that has failed one, and tells of it', () => {
    const remote = (number: number, more: Partial<ProverFacts> = {}) => {
      const facts = prover(number, `d${number}`, more);
      return { ...facts, settings: { ...facts.settings, remoteK2pow: 'http://k2pow:3000' } };
    };
    const crashed = remote(1, {
      container: { kind: 'present', state: 'restarting', held: false, oomKilled: false, exitCode: 101 },
    });
    const policy = { remoteK2powSlots: 2 };
    expect(acts([remote(1), remote(2), remote(3)], policy)).toEqual(['start post-1', 'start post-2']);
    expect(acts([crashed, remote(2), remote(3)], policy)).toEqual(['start post-2']);
    expect(alarms([crashed, remote(2)])).toEqual(['k2pow-service-failed post-1']);
  });

  it('prepares the next while the k2pow of another ends', () => {
    expect(acts([prover(1, 'a', inK2pow(2)), prover(2, 'b')])).toEqual([]);
    expect(acts([prover(1, 'a', inK2pow(8)), prover(2, 'b')])).toEqual(['start post-2']);
  });

  it('leaves alone what a person stopped, and what has no data', () => {
    const stopped = prover(1, 'a', { courtesy: { stoppedByPerson: true, restarts: {}, invalidProofs: 0 } });
    expect(acts([stopped, prover(2, 'b', { data: 'absent' })])).toEqual([]);
    expect(alarms([prover(2, 'b', { data: 'absent' })])).toEqual(['data-away post-2']);
  });
});

describe('S34: when not everything fits', () => {
  const hours = (units: number) => ({ units, dataBytes: units * 64 * GIB });

  it('lets go first who is done in time, and the others after them', () => {
    const facts = [prover(1, 'a', hours(160)), prover(2, 'a', hours(36)), prover(3, 'a', hours(40))];
    expect(acts(facts)).toEqual(['start post-2']);
    expect(waiting(facts)).toEqual(['post-3 waits for a', 'post-1 waits for a']);
  });

  it('goes on after the round has begun: late ones still earn the next epoch', () => {
    const at = IN_GAP + 20 * 3_600_000;
    const late = decide(observation([prover(1, 'a')], { at }), POLICY, at);
    expect(late.acts.map(({ kind }) => kind)).toEqual(['start']);
  });
});

describe('who is held', () => {
  it('holds the second reader of a disk, not the one that is further', () => {
    expect(acts([prover(1, 'a', reading(0.2)), prover(2, 'a', reading(0.6))])).toEqual(['hold deep post-1']);
  });

  it('holds those beyond the k2pow slots after somebody started all', () => {
    const all = Array.from({ length: 4 }, (_, at) => prover(at + 1, `d${at}`, inK2pow(at + 2)));
    expect(acts(all)).toEqual(['hold post-1', 'hold post-2', 'hold post-3']);
  });

  it('stops those that have not begun, and only those', () => {
    const facts = [prover(1, 'a', reading(0.2)), prover(2, 'b', inK2pow(2)), prover(3, 'a', justStarted())];
    expect(acts(facts)).toEqual(['stop post-3']);
    expect(acts([...facts.slice(0, 2), prover(3, 'a', preparing())])).toEqual(['hold post-3']);
  });

  it('gives the slot to whoever has a free disk, and holds who works ahead meanwhile', () => {
    expect(
      acts([
        prover(1, 'a', reading(0.2)),
        prover(2, 'a', inK2pow(3)),
        prover(3, 'b', inK2pow(7, { held: true })),
      ]),
    ).toEqual(['hold post-2', 'release post-3']);
  });

  it('S35: lifts what a dead loop left held with nothing to wait for', () => {
    expect(acts([prover(1, 'a', idle({ held: true }))])).toEqual(['release post-1']);
  });
});

describe('who is stopped', () => {
  it('stops who rests on both sides', () => {
    expect(acts([prover(1, 'a', idle())])).toEqual(['stop post-1']);
  });

  it('S31: stops nobody while the node is young, away or down', () => {
    for (const node of ['fresh', 'unknown'] as const) {
      expect(
        acts([prover(1, 'a', idle()), prover(2, 'b', reading(0.3, { wanted: 'idle' }))], {}, { node }),
      ).toEqual([]);
    }
    expect(acts([prover(1, 'a', idle({ wanted: 'unknown' }))], {}, { node: 'down' })).toEqual([]);
  });

  it('never stops one that proves, though nobody wants it any more', () => {
    expect(acts([prover(1, 'a', reading(0.3, { wanted: 'idle' }))])).toEqual([]);
    expect(acts([prover(1, 'a', { ...idle(), service: { kind: 'done-proving' } })])).toEqual([]);
    expect(acts([prover(1, 'a', { ...idle(), service: { kind: 'no-answer' } })])).toEqual([]);
  });
});

describe('what is mended', () => {
  const failed = (times: number): Partial<ProverFacts> => ({
    container: { kind: 'present', state: 'running', held: false, oomKilled: false, startedAt: 1 },
    service: { kind: 'done-proving' },
    log: {
      phase: { kind: 'failed', reason: 'no such file', since: IN_GAP - 3_600_000 },
      connection: { kind: 'connected' },
      passes: 0,
      unreadable: [],
      groupsDone: 0,
      sawPassStart: true,
    },
    courtesy: {
      stoppedByPerson: false,
      invalidProofs: 0,
      restarts: times === 0 ? {} : { stuck: { times, at: IN_GAP - 1_000_000 } },
    },
  });

  it('S33: restarts a stuck one once, and tells of it the second time', () => {
    expect(acts([prover(1, 'a', failed(0))])).toEqual(['restart post-1']);
    expect(acts([prover(1, 'a', failed(1))])).toEqual([]);
    expect(alarms([prover(1, 'a', failed(1))])).toEqual(['stuck post-1']);
  });

  it('restarts one that the node does not reach', () => {
    expect(acts([prover(1, 'a', idle({ wanted: 'proving', unchangedMs: 180_000 }))])).toEqual([
      'restart post-1',
    ]);
  });

  it('S32: does not try a proof again that was invalid twice, and lets others go first after the first time', () => {
    const once = { stoppedByPerson: false, restarts: {}, invalidProofs: 1 };
    expect(acts([prover(1, 'a', { courtesy: once }), prover(2, 'a')])).toEqual(['start post-2']);
    const twice = prover(1, 'a', { courtesy: { ...once, invalidProofs: 2 } });
    expect(acts([twice])).toEqual([]);
    expect(alarms([twice])).toEqual(['invalid-proofs post-1']);
  });

  it('S32: stops one whose proof was invalid before the node asks it anew, where others wait for its disk', () => {
    const invalid = prover(1, 'a', {
      ...failed(0),
      service: { kind: 'idle' },
      courtesy: { stoppedByPerson: false, restarts: {}, invalidProofs: 1 },
      log: {
        phase: { kind: 'failed', reason: 'proof is invalid', since: IN_GAP - 60_000 },
        lastFailure: { at: IN_GAP - 60_000, reason: 'proof is invalid' },
        connection: { kind: 'connected' },
        passes: 1,
        unreadable: [],
        groupsDone: 0,
        sawPassStart: true,
      },
    });
    expect(acts([invalid, prover(2, 'a')])).toEqual(['stop post-1', 'start post-2']);
    expect(acts([invalid, prover(2, 'b')])).not.toContain('stop post-1');
  });

  it('does not let one that the node does not reach keep its disk and the k2pow slot', () => {
    const unreached = prover(1, 'a', {
      ...idle({ wanted: 'proving', unchangedMs: 180_000 }),
      courtesy: {
        stoppedByPerson: false,
        invalidProofs: 0,
        restarts: { 'not-connected': { times: 3, at: IN_GAP } },
      },
    });
    expect(acts([unreached, prover(2, 'a'), prover(3, 'b')])).toEqual(['start post-2']);
    expect(alarms([unreached])).toEqual(['not-connected post-1']);
  });

  it('does not hold a reader for a neighbour that cannot be asked', () => {
    const mute = (wanted: 'idle' | 'proving') =>
      prover(1, 'a', { ...idle({ wanted }), service: { kind: 'refused' }, unchangedMs: 600_000 });
    for (const wanted of ['idle', 'proving'] as const) {
      expect(acts([mute(wanted), prover(2, 'a', reading(0.9))])).toEqual([]);
    }
    expect(acts([mute('idle'), prover(2, 'a')])).toEqual(['start post-2']);
    expect(alarms([mute('proving')])).toEqual(['cannot-be-asked post-1']);
  });

  it('tells of those that are wanted and wait for a person', () => {
    const stopped = prover(1, 'a', { courtesy: { stoppedByPerson: true, restarts: {}, invalidProofs: 0 } });
    const loops = prover(2, 'b', {
      container: { kind: 'present', state: 'restarting', held: false, oomKilled: false, exitCode: 1 },
    });
    const absent = prover(3, 'c', { container: { kind: 'absent' } });
    expect(alarms([stopped, loops, absent])).toEqual([
      'wanted-but-stopped post-1',
      'wanted-but-fails post-2',
      'wanted-but-absent post-3',
    ]);
  });
});
