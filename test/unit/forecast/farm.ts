import type { ForecastIdentity, ForecastInput } from '../../../src/domain/forecast/input.ts';
import { assumedPoetDelay } from '../../../src/domain/forecast/input.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { epochClock } from '../../../src/domain/poet/epochs.ts';
import type { SchedulePolicy } from '../../../src/domain/schedule/policy.ts';
import { BYTES_PER_UNIT, simulatedId } from '../../../src/domain/simulation/farm.ts';

const GIB = 2 ** 30;

export interface TestFarm {
  readonly identities: number;
  readonly disks: number;
  readonly units: number;
  readonly nonces?: number;
  readonly mbPerSecond?: number;
  readonly hashesPerSecond?: number;
  readonly memoryGib?: number;
  readonly policy?: Partial<SchedulePolicy>;
}

/** A farm on mainnet for the gap of epoch 87 (operators.md d.2). */
export function testFarm(farm: TestFarm): ForecastInput {
  const clock = epochClock(MAINNET, defaultPoet(MAINNET));
  return {
    identities: Array.from(
      { length: farm.identities },
      (_, index): ForecastIdentity => ({
        id: simulatedId(index + 1),
        name: `post-${String(index + 1).padStart(4, '0')}`,
        disk: `sd${String.fromCharCode(97 + (index % farm.disks))}`,
        units: farm.units,
        bytes: farm.units * BYTES_PER_UNIT,
        settings: { nonces: farm.nonces ?? 288, threads: 0, randomx: 'fast', tellsGroups: true },
      }),
    ),
    policy: {
      k2powSlots: 1,
      remoteK2powSlots: 1,
      memoryBytes: (farm.memoryGib ?? 64) * GIB,
      cores: 48,
      canHold: true,
      worksAhead: true,
      lookEveryMs: 15_000,
      rates: {
        hashesPerSecond: farm.hashesPerSecond ?? 12_000,
        hashesPerUnitGroup: 4687.5,
        diskBytesPerSecond: new Map(),
        defaultBytesPerSecond: (farm.mbPerSecond ?? 180) * 1e6,
        datasetMs: 40_000,
      },
      ...farm.policy,
    },
    clock,
    epoch: 87,
    from: 0,
    poetDelayMs: assumedPoetDelay(clock),
    sources: { k2pow: 'default', disks: new Map() },
    remoteHashesPerSecond: 6000,
  };
}

/** The farm of operators.md d.1: 40 identities of 36 units on 10 disks. */
export const D1: TestFarm = { identities: 40, disks: 10, units: 36 };
