import { describe, expect, it } from 'vitest';
import { identityState } from '../../../src/domain/proving/identity-state.ts';
import type { ScheduleObservation } from '../../../src/domain/schedule/observation.ts';
import { type Farm, policyFor } from '../../../src/domain/simulation/farm.ts';
import type { Fault } from '../../../src/domain/simulation/faults.ts';
import type { SimulationResult } from '../../../src/domain/simulation/record.ts';
import { type PolicyFunction, simulate } from '../../../src/domain/simulation/simulate.ts';
import { each, evenLuck, HOUR, SECOND, type Some, smallFarm, startWanted } from './support/small-farm.ts';

interface Run {
  readonly result: SimulationResult;
  readonly looks: readonly ScheduleObservation[];
}

function run(
  farm: Farm,
  faults: (id: Farm['identities'][number]['id']) => readonly Fault[],
  decide: PolicyFunction = startWanted,
): Run {
  const looks: ScheduleObservation[] = [];
  const [first] = farm.identities;
  if (first === undefined) throw new Error('nobody is there');
  const result = simulate({
    farm,
    draws: evenLuck(farm),
    policy: policyFor(farm, { lookEveryMs: 5000 }),
    decide,
    faults: faults(first.id),
    onDecision: (observation) => looks.push(observation),
  });
  return { result, looks };
}

/** What was seen of the first identity, each thing once, in its order. */
function seen({ looks }: Run, what: (look: ScheduleObservation) => string | undefined): string[] {
  const all: string[] = [];
  for (const look of looks) {
    const word = what(look);
    if (word !== undefined && word !== all.at(-1)) all.push(word);
  }
  return all;
}

/** In the middle of its k2pow, which begins some 100 s after the start. */
const IN_K2POW = 200 * SECOND;
const IN_READING = 500 * SECOND;

describe('what is seen of a simulated prover', () => {
  it('is what adapters see, phase after phase', () => {
    const ran = run(smallFarm([{}]), () => []);
    const phases = seen(ran, ({ provers: [prover], at, layerMs, node }) => {
      if (prover === undefined) return undefined;
      return identityState({ ...prover, now: at, layerMs, node }).activity.kind;
    });
    expect(phases).toEqual([
      'down',
      'starting',
      'about-to-prove',
      'preparing',
      'k2pow',
      'reading',
      'proof-ready',
      'idle',
    ]);
  });

  it('has no answer while the dataset is built, and whole seconds in its log', () => {
    const { looks } = run(smallFarm([{}]), () => []);
    const preparing = looks.filter(({ provers: [prover] }) => prover?.log?.phase.kind === 'preparing');
    expect(preparing.length).toBeGreaterThan(3);
    for (const { provers } of preparing) expect(provers[0]?.service).toEqual({ kind: 'no-answer' });
    for (const { provers } of looks) expect((provers[0]?.log?.lastProofAt ?? 0) % 1000).toBe(0);
  });

  it('tells groups only where its log is asked to', () => {
    const groups = (some: Some) =>
      seen(
        run(smallFarm([some]), () => []),
        ({ provers: [prover] }) => {
          const phase = prover?.log?.phase;
          return phase?.kind === 'k2pow' ? `${phase.group ?? '?'} of ${phase.groups}` : undefined;
        },
      );
    expect(groups({})).toEqual(['1 of 2', '2 of 2']);
    expect(groups({ settings: { tellsGroups: false } })).toEqual(['? of 2']);
  });
});

describe('faults', () => {
  it('lose the work of a prover that crashes, and its policy starts it again', () => {
    const { result } = run(smallFarm([{}]), (id) => [{ kind: 'prover-crashes', at: IN_READING, id }]);
    expect(result.lost).toMatchObject([{ name: 'post-1', cause: 'crash' }]);
    expect(result.identities[0]?.starts).toHaveLength(2);
    expect(result.identities[0]?.doneAt).toBeDefined();
  });

  it('kill for memory where more is allocated than there is', () => {
    const farm = smallFarm([{}, { disk: 'sdb' }], { host: { physicalBytes: 3 * 2 ** 30 } });
    const { result } = run(farm, () => []);
    expect(result.lost.length).toBeGreaterThan(0);
    expect(new Set(result.lost.map(({ cause }) => cause))).toEqual(new Set(['oom']));
    expect(result.peakMemoryBytes).toBe(3 * 2 ** 30);
    expect(result.identities.every(({ doneAt }) => doneAt !== undefined)).toBe(true);
  });

  it('lose nothing by a restart of the node, whose states are idle for a while', () => {
    const ran = run(smallFarm([{}]), () => [
      { kind: 'node-restarts', at: IN_READING, downMs: 30_000, idleMs: 20_000 },
    ]);
    expect(ran.result.lost).toEqual([]);
    expect(seen(ran, ({ node, provers: [prover] }) => `${node} ${prover?.wanted}`)).toEqual([
      'settled idle',
      'settled proving',
      'down unknown',
      'unknown unknown',
      'fresh idle',
      'fresh proving',
      'fresh idle',
    ]);
    expect(ran.result.identities[0]?.publishedAt).toBeDefined();
  });

  it('let a disk that vanishes end pass after pass at once', () => {
    const ran = run(smallFarm([{}]), () => [{ kind: 'disk-vanishes', at: IN_READING, disk: 'sda' }]);
    const gone = ran.looks.find(({ provers: [prover] }) => (prover?.log?.passes ?? 0) > 0);
    expect(gone?.provers[0]).toMatchObject({ data: 'absent', log: { lastPassMs: expect.any(Number) } });
    expect(ran.result.identities[0]?.doneAt).toBeUndefined();
  });

  it('leave a failed proof as it is until a restart', () => {
    const fails = (id: Farm['identities'][number]['id']): Fault[] => [
      { kind: 'proof-fails', at: IN_K2POW, id },
    ];
    const stuck = run(smallFarm([{}]), fails);
    expect(stuck.result.identities[0]?.doneAt).toBeUndefined();
    expect(stuck.looks.at(-1)?.provers[0]).toMatchObject({
      service: { kind: 'done-proving' },
      wanted: 'proving',
      log: { phase: { kind: 'failed' } },
    });
    const mends = each(({ wanted, container, log, courtesy }) => {
      if (container.kind !== 'present' || wanted !== 'proving') return undefined;
      if (container.state === 'exited') return { kind: 'start', ahead: false };
      return log?.phase.kind === 'failed' && courtesy.restarts.stuck === undefined
        ? { kind: 'restart', mends: 'stuck' }
        : undefined;
    });
    const mended = run(smallFarm([{}]), fails, mends);
    expect(mended.result.identities[0]?.doneAt).toBeDefined();
    // What had failed was nothing any more.
    expect(mended.result.lost).toEqual([]);
  });

  it('ask again a layer later where a proof was invalid', () => {
    const { result, looks } = run(smallFarm([{}]), (id) => [{ kind: 'proof-invalid', at: IN_K2POW, id }]);
    expect(looks.some(({ provers: [prover] }) => prover?.courtesy.invalidProofs === 1)).toBe(true);
    const reading = result.identities[0]?.spans.filter(({ kind }) => kind === 'reading');
    expect(reading).toHaveLength(2);
    expect(result.identities[0]?.doneAt).toBeDefined();
  });

  it('leave a half-open connection unasked', () => {
    // While the proof is in work, so that it cannot be fetched.
    const { result } = run(smallFarm([{}]), (id) => [{ kind: 'half-open', at: IN_READING, id }]);
    expect(result.identities[0]?.doneAt).toBeUndefined();
    expect(result.running).toEqual(['post-1']);
  });

  it('stop the loop, and nothing is decided meanwhile', () => {
    const { looks } = run(smallFarm([{}]), () => [
      { kind: 'loop-dead', at: IN_K2POW, until: IN_K2POW + 600_000 },
    ]);
    const pauses = looks.slice(1).map(({ at }, index) => at - (looks[index]?.at ?? at));
    expect(Math.max(...pauses)).toBeGreaterThanOrEqual(595_000);
  });

  it('hide what cannot be asked', () => {
    const faults = (id: Farm['identities'][number]['id']): Fault[] => [
      { kind: 'service-silent', at: IN_K2POW, until: IN_K2POW + 20_000, id },
      { kind: 'log-missing', at: IN_K2POW + 20_000, until: IN_K2POW + 40_000, id },
      { kind: 'node-unreachable', at: IN_K2POW + 40_000, until: IN_K2POW + 60_000 },
      { kind: 'engine-unreachable', at: IN_K2POW + 60_000, until: IN_K2POW + 80_000 },
    ];
    const { looks } = run(smallFarm([{}]), faults);
    const provers = looks.map(({ provers: [prover] }) => prover);
    expect(
      provers.some((prover) => prover?.service?.kind === 'no-answer' && prover.log?.phase.kind === 'k2pow'),
    ).toBe(true);
    expect(provers.some((prover) => prover?.log === undefined && prover?.service?.kind === 'proving')).toBe(
      true,
    );
    expect(
      looks.some(({ node, provers: [prover] }) => node === 'unknown' && prover?.progress === undefined),
    ).toBe(true);
    expect(provers.some((prover) => prover?.container.kind === 'unknown')).toBe(true);
  });

  it('start all that a person starts, and keep stopped what one stopped', () => {
    const { result, looks } = run(
      smallFarm([{}, { disk: 'sdb' }]),
      (id) => [
        { kind: 'person-starts-all', at: 10 * SECOND },
        { kind: 'person-stops', at: IN_K2POW, id },
      ],
      each(() => undefined),
    );
    expect(result.identities.map(({ doneAt }) => doneAt !== undefined)).toEqual([false, true]);
    expect(looks.at(-1)?.provers[0]?.courtesy.stoppedByPerson).toBe(true);
    expect(result.lost).toMatchObject([{ name: 'post-1', cause: 'person' }]);
  });
});

describe('the time of a simulation', () => {
  it('ends with the publish epoch, whoever is still at it', () => {
    const { result } = run(smallFarm([{ bytes: 100e12 }]), () => []);
    expect(result.makespanMs).toBeUndefined();
    expect((result.endedAt - result.startedAt) / HOUR).toBeLessThan(49);
  });
});
