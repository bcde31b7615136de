import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { EligibleLayers } from '../../../src/domain/plan/node-moment.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import { proposalsCost, proposalsToJson } from '../../../src/ui/proposals.ts';
import { findMissed, findMissedSoon } from '../../../src/usecases/lifecycle/proposals.ts';

const LAYER = 300_000;
const [FIRST, SECOND, GONE] = ['a1', 'b2', 'c3'].map((byte) => byte.repeat(32)) as [
  SmesherId,
  SmesherId,
  SmesherId,
];

const project = {
  identities: [
    { name: 'post-0001', id: FIRST },
    { name: 'post-0002', id: SECOND },
  ],
  network: { genesisTime: new Date(0).toISOString(), layerSeconds: LAYER / 1000, layersPerEpoch: 4032 },
} as unknown as Project;

const at = (layer: number, ms = 0) => layer * LAYER + ms;
const looks = (eligible: readonly (readonly [number, readonly SmesherId[]])[], now: number) => ({
  eligible: new Map(eligible) as EligibleLayers,
  at: now,
});
const style = { now: at(1000), localOffsetMinutes: () => 0 };

describe('S17: what it costs to be without the node for a while', () => {
  it('names who is eligible in which layer, and from when on nobody is', () => {
    const missed = findMissed(project, looks([[1000, [FIRST]]], at(1000)));
    if (missed === undefined) throw new Error('nothing is missed');
    expect(proposalsCost(missed, style)).toBe(
      'a proposal may be missed: post-0001 is eligible in layer 1,000; free from Sun 11:25 UTC, layer 1,001, on',
    );
    expect(proposalsToJson(missed)).toEqual({
      layers: [{ layer: 1000, at: '1970-01-04T11:20:00.000Z', services: ['post-0001'] }],
      freeFrom: { layer: 1001, at: '1970-01-04T11:25:00.000Z' },
    });
    expect(proposalsToJson(undefined)).toBeNull();
  });

  it('a restart misses this layer; who asks before a reboot hears of the next one, too', () => {
    const next = looks([[1001, [FIRST, GONE]]], at(1000));
    expect(findMissed(project, next)).toBeUndefined();
    const missed = findMissedSoon(project, next);
    expect(missed).toMatchObject({
      layers: [{ layer: 1001, services: ['post-0001', 'c3c3c3c3'] }],
      free: { layer: 1002, at: at(1002) },
    });
    expect(findMissedSoon(project, looks([[1002, [FIRST]]], at(1000)))).toBeUndefined();
  });

  it('promises no moment where all layers are of somebody', () => {
    const dense = Array.from({ length: 40 }, (_, index) => [1000 + index, [FIRST, SECOND]] as const);
    const missed = findMissedSoon(project, looks(dense, at(1000)));
    if (missed === undefined) throw new Error('nothing is missed');
    expect(missed.free).toBeUndefined();
    expect(proposalsCost(missed, style)).toBe(
      'proposals may be missed: post-0001, post-0002 are eligible in layers 1,000 and 1,001; no moment soon is known in which nobody is',
    );
    expect(proposalsToJson(missed)).toMatchObject({ freeFrom: null });
  });
});
