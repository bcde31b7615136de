import { hashesPerUnitGroup } from '../bench/expected-hashes.ts';
import type { Project } from '../project/types.ts';
import { measuredRates, type ScheduleHistory } from './history.ts';
import {
  DEFAULT_BYTES_PER_SECOND,
  DEFAULT_DATASET_MS,
  DEFAULT_HASHES_PER_CORE,
  PROOF_MEMORY,
  type SchedulePolicy,
} from './policy.ts';

/** What the engine's host has. */
export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
  /** The engine can hold a prover by CPU quota. */
  readonly cpuQuotas: boolean;
}

/** For the node and the system (spacemesh.md §14.2: the node alone takes 0.3 to 3 GiB). */
const RESERVED_BYTES = 4 * 2 ** 30;

/** Budgets and speeds: from smesh.yaml, else measured, else what the machine has and the stated defaults. */
export function schedulePolicy(project: Project, machine: Machine, history: ScheduleHistory): SchedulePolicy {
  const { schedule, identities, network } = project;
  const measured = measuredRates(history);
  const cores = Math.max(machine.cores, 1);
  const { threads } = schedule;
  return {
    k2powSlots: schedule.k2powSlots ?? defaultSlots(project, cores),
    remoteK2powSlots: schedule.remoteK2powSlots ?? 1,
    memoryBytes: schedule.memoryBytes ?? defaultMemory(identities, machine.memoryBytes),
    ...(threads === undefined ? {} : { threads }),
    cores,
    canHold: machine.cpuQuotas,
    worksAhead: schedule.ahead && machine.cpuQuotas,
    lookEveryMs: schedule.everySeconds * 1000,
    rates: {
      hashesPerSecond:
        schedule.rates.hashesPerSecond ?? measured.hashesPerSecond ?? DEFAULT_HASHES_PER_CORE * cores,
      hashesPerUnitGroup: hashesPerUnitGroup(network.post.powDifficulty),
      diskBytesPerSecond: new Map([
        ...measured.diskBytesPerSecond,
        ...Object.entries(schedule.rates.diskBytesPerSecond),
      ]),
      defaultBytesPerSecond: DEFAULT_BYTES_PER_SECOND,
      datasetMs: DEFAULT_DATASET_MS,
    },
  };
}

/** Two that use all cores only slow each other down; those with few threads fill the cores together. */
function defaultSlots({ identities }: Project, cores: number): number {
  const threads = identities
    .filter(({ remoteK2pow }) => remoteK2pow === undefined)
    .map((identity) => identity.pinnedCores?.length ?? identity.threads ?? 0);
  if (threads.length === 0 || threads.includes(0)) return 1;
  return Math.max(Math.floor(cores / Math.max(...threads)), 1);
}

/** Never less than the largest proof takes: a host too small for one would never prove at all. */
function defaultMemory(identities: Project['identities'], hostBytes: number): number {
  const largest = Math.max(
    0,
    ...identities.map(
      ({ randomx, remoteK2pow }) => PROOF_MEMORY[remoteK2pow === undefined ? randomx : 'remote'],
    ),
  );
  return Math.max(hostBytes - RESERVED_BYTES, largest);
}
