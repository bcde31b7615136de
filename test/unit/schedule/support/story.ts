import { expect } from 'vitest';
import { decide } from '../../../../src/domain/schedule/decide.ts';
import type { Decision } from '../../../../src/domain/schedule/decision.ts';
import type { ScheduleObservation } from '../../../../src/domain/schedule/observation.ts';
import type { SchedulePolicy } from '../../../../src/domain/schedule/policy.ts';
import { type Farm, policyFor, simulatedId } from '../../../../src/domain/simulation/farm.ts';
import type { Fault } from '../../../../src/domain/simulation/faults.ts';
import type { SimulatedIdentity, SimulationResult } from '../../../../src/domain/simulation/record.ts';
import { simulate } from '../../../../src/domain/simulation/simulate.ts';
import { evenLuck, SECOND, type Some, smallFarm } from '../../simulation/support/small-farm.ts';

/* Stories of a farm, played from beginning to end with the real decision. */

/** What a group takes, and what the policy expects of it. */
const GROUP_HASHES = 60_000;

export const MINUTE = 60 * SECOND;

export interface Story {
  readonly result: SimulationResult;
  readonly decisions: readonly { readonly seen: ScheduleObservation; readonly decision: Decision }[];
}

export function play(
  farm: Farm,
  faults: readonly Fault[] = [],
  changes: Partial<SchedulePolicy> = {},
  allRun = false,
): Story {
  const decisions: Story['decisions'][number][] = [];
  const known = { ...farm, host: { ...farm.host, hashesPerUnitGroup: GROUP_HASHES } };
  const result = simulate({
    farm: known,
    draws: evenLuck(farm, GROUP_HASHES, 0.9),
    policy: policyFor(known, changes),
    decide,
    faults,
    allRun,
    onDecision: (seen, decision) => decisions.push({ seen, decision }),
  });
  return { result, decisions };
}

/** Eight groups of a minute each, then 45 minutes of reading. */
/** As many units as its k2pow, by the luck that everybody has here, takes on the average. */
export const USUAL: Some = { units: 21, bytes: 300e9, settings: { nonces: 128 } };

/** Three identities on each of four disks, in turn. */
export function twelve(some: Some = {}, changes: Parameters<typeof smallFarm>[1] = {}): Farm {
  const settings = { ...USUAL.settings, ...some.settings };
  const all = Array.from({ length: 12 }, (_, index) => ({
    ...USUAL,
    disk: `d${(index % 4) + 1}`,
    ...some,
    settings,
  }));
  return smallFarm(all, changes);
}

export const id = (number: number) => simulatedId(number);
export const since = ({ startedAt }: SimulationResult, at: number | undefined) =>
  (at ?? Number.NaN) - startedAt;
export const served = ({ identities }: SimulationResult) =>
  identities.filter(({ doneAt }) => doneAt !== undefined);
export const ours = ({ lost }: SimulationResult) => lost.filter(({ cause }) => cause === 'ours');
export const named = ({ identities }: SimulationResult, number: number): SimulatedIdentity => {
  const found = identities.find(({ name }) => name === `post-${number}`);
  if (found === undefined) throw new Error(`post-${number}`);
  return found;
};
export const spans = ({ spans: all }: SimulatedIdentity, kind: string) =>
  all.filter((span) => span.kind === kind);
export const startsOf = ({ acts }: SimulationResult, number: number) =>
  acts.filter(({ kind, name, refused }) => kind === 'start' && name === `post-${number}` && refused !== true);
export const alarms = ({ decisions }: Story) => [
  ...new Set(decisions.flatMap(({ decision }) => decision.alarms.map(({ code, name }) => `${code} ${name}`))),
];

/** Slots change hands by one act after the other: for a second two may hold one. A disk never has two readers. */
export const violations = ({ violations: all }: SimulationResult) =>
  all.filter(({ kind, from, to }) => kind !== 'k2pow' || to - from > SECOND);

/** What holds of every story in which nobody started anything beside the schedule. */
export function expectKept(result: SimulationResult): void {
  expect(violations(result)).toEqual([]);
  expect(ours(result)).toEqual([]);
  expect(result.livelock).toBe(false);
}
