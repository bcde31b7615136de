import type { SmesherId } from '../../../../src/domain/identity/smesher-id.ts';
import { cycleGap, type EpochClock } from '../../../../src/domain/poet/epochs.ts';
import type { Decision, ScheduleAct } from '../../../../src/domain/schedule/decision.ts';
import type { ProverFacts } from '../../../../src/domain/schedule/observation.ts';
import {
  DEFAULT_HOST,
  type Farm,
  type FarmHost,
  type FarmIdentity,
  type FarmNode,
  simulatedId,
} from '../../../../src/domain/simulation/farm.ts';
import type { ProofDraw } from '../../../../src/domain/simulation/proof-luck.ts';
import type { PolicyFunction } from '../../../../src/domain/simulation/simulate.ts';

export const HOUR = 3_600_000;
export const SECOND = 1000;

/** An epoch of two days with a gap of twelve hours; layers as on mainnet. */
export const CLOCK: EpochClock = {
  genesis: Date.parse('2026-01-01T00:00:00Z'),
  epoch: 48 * HOUR,
  layer: 300 * SECOND,
  phaseShift: 24 * HOUR,
  cycleGap: 12 * HOUR,
  gracePeriod: HOUR,
};

export const GAP = cycleGap(CLOCK, 5);

/** What is said of an identity where the test needs it. */
export type Some = Partial<Omit<FarmIdentity, 'settings' | 'id' | 'name'>> & {
  readonly settings?: Partial<FarmIdentity['settings']>;
};

/** Disks of 100 MB/s, k2pow of 1000 hashes a second; the gap opens in a minute, and the node wants all at once. */
export function smallFarm(
  identities: readonly Some[],
  changes: { readonly host?: Partial<FarmHost>; readonly node?: Partial<FarmNode> } = {},
): Farm {
  const all = identities.map(
    ({ settings, ...some }, index): FarmIdentity => ({
      id: simulatedId(index + 1),
      name: `post-${index + 1}`,
      disk: 'sda',
      units: 1,
      bytes: 100e9,
      demand: 'gap',
      ...some,
      settings: { nonces: 32, threads: 0, randomx: 'fast', tellsGroups: true, ...settings },
    }),
  );
  return {
    identities: all,
    disks: new Map(all.map(({ disk }) => [disk, { bytesPerSecond: 100e6, spinning: true }])),
    host: { ...DEFAULT_HOST, cores: 4, hashesPerSecond: 1000, ...changes.host },
    node: {
      clock: CLOCK,
      startsAt: GAP.opens - 60 * SECOND,
      poetDelayMs: 0,
      tellsProgress: true,
      ...changes.node,
    },
  };
}

/** The same luck for everybody: two groups of so many hashes, found in the first pass after half of the data. */
export function evenLuck(farm: Farm, hashes = 100_000, fraction = 0.5): ReadonlyMap<SmesherId, ProofDraw> {
  return new Map(
    farm.identities.map(({ id, settings }) => [
      id,
      {
        passes: [{ groupHashes: Array.from({ length: settings.nonces / 16 }, () => hashes), fraction }],
      },
    ]),
  );
}

type Choice = (
  prover: ProverFacts,
) => Omit<ScheduleAct, 'id' | 'name' | 'containerId' | 'reason'> | undefined;

/** A policy that looks at one prover at a time. */
export function each(choose: Choice): PolicyFunction {
  return ({ provers, at }, policy): Decision => ({
    acts: provers.flatMap((prover) => {
      const chosen = choose(prover);
      const { id, name, containerId = '' } = prover;
      return chosen === undefined
        ? []
        : [{ ...chosen, id, name, containerId, reason: 'as the test wants it' } as ScheduleAct];
    }),
    waiting: [],
    alarms: [],
    lookAgainAt: at + policy.lookEveryMs,
  });
}

/** Starts whom the node wants. */
export const startWanted: PolicyFunction = each(({ wanted, container }) =>
  wanted === 'proving' && container.kind === 'present' && container.state === 'exited'
    ? { kind: 'start', ahead: false }
    : undefined,
);
