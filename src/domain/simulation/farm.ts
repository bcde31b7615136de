import type { SmesherId } from '../identity/smesher-id.ts';
import { parseSmesherId } from '../identity/smesher-id.ts';
import type { EpochClock } from '../poet/epochs.ts';
import type { ProvingSettings } from '../schedule/observation.ts';
import type { SchedulePolicy } from '../schedule/policy.ts';
import { drawProof, type ProofDraw } from './proof-luck.ts';
import type { Random } from './random.ts';

/** What is simulated: the machine as it truly is. A policy may believe something else of it. */
export interface Farm {
  readonly identities: readonly FarmIdentity[];
  /** By the word that identities name them with. */
  readonly disks: ReadonlyMap<string, FarmDisk>;
  readonly host: FarmHost;
  readonly node: FarmNode;
}

export interface FarmIdentity {
  readonly id: SmesherId;
  readonly name: string;
  readonly disk: string;
  readonly units: number;
  readonly bytes: number;
  readonly settings: ProvingSettings;
  /** `gap`: proves the round that ends when the gap opens. `initial`: its first proof, wanted from the start. */
  readonly demand: 'gap' | 'initial' | 'none';
}

export interface FarmDisk {
  /** Of one reader. */
  readonly bytesPerSecond: number;
  /** Several readers together get 0.6 of that (operators.md d.5); of a disk without heads all of it. */
  readonly spinning: boolean;
}

export interface FarmHost {
  readonly cores: number;
  /** RandomX hashes of all cores. */
  readonly hashesPerSecond: number;
  /** Expected hashes of one nonce group for one unit. */
  readonly hashesPerUnitGroup: number;
  /** What one thread scans, at the nonces in use. */
  readonly scanBytesPerCore: number;
  readonly datasetMs: number;
  /** For provers together: more than that, and one of them is killed. */
  readonly physicalBytes: number;
  /** k2pow-services by address; each does one job at a time and builds its dataset for each (operators.md d.4). */
  readonly remote: ReadonlyMap<string, RemoteWorker>;
  /** A prover that is held at 0.1 % still answers `/status`. */
  readonly deepHeldAnswers: boolean;
}

export interface RemoteWorker {
  readonly hashesPerSecond: number;
  readonly datasetMs: number;
}

export interface FarmNode {
  readonly clock: EpochClock;
  /** Milliseconds since 1970 at which the simulation begins; in the gap or before. */
  readonly startsAt: number;
  /** From the opening of the gap until the node has the PoET proof and wants everybody's. */
  readonly poetDelayMs: number;
  /** Whether rows and events of the node are read. */
  readonly tellsProgress: boolean;
  /** From a prover's start to its connection, at least and at most, milliseconds; absent: `USUAL_CONNECT_MS`. */
  readonly connectMs?: readonly [least: number, most: number];
}

/** It tries every few seconds. */
export const USUAL_CONNECT_MS = [600, 4000] as const;

export const DEFAULT_HOST: FarmHost = {
  cores: 16,
  hashesPerSecond: 6000,
  hashesPerUnitGroup: 4687.5,
  scanBytesPerCore: 200e6,
  datasetMs: 40_000,
  physicalBytes: 64 * 2 ** 30,
  remote: new Map(),
  deepHeldAnswers: true,
};

/** One unit of mainnet. */
export const BYTES_PER_UNIT = 64 * 2 ** 30;

/** An ID that no key has. */
export function simulatedId(index: number): SmesherId {
  const id = parseSmesherId(index.toString(16).padStart(64, '0'));
  if (id === undefined) throw new Error(`no identity has the number ${index}`);
  return id;
}

/** The luck of every identity, in the farm's order. */
export function drawFarm(farm: Farm, random: Random): ReadonlyMap<SmesherId, ProofDraw> {
  const { hashesPerUnitGroup } = farm.host;
  return new Map(
    farm.identities.map(({ id, units, settings }) => [
      id,
      drawProof(random, { units, nonces: settings.nonces, hashesPerUnitGroup }),
    ]),
  );
}

/** Whoever schedules this farm knows it well: true rates, a reserve of memory, one k2pow at a time. */
export function policyFor(farm: Farm, changes: Partial<SchedulePolicy> = {}): SchedulePolicy {
  const { host, disks } = farm;
  return {
    k2powSlots: 1,
    remoteK2powSlots: 1,
    memoryBytes: host.physicalBytes * 0.95,
    cores: host.cores,
    canHold: true,
    worksAhead: true,
    lookEveryMs: 15_000,
    rates: {
      hashesPerSecond: host.hashesPerSecond,
      hashesPerUnitGroup: host.hashesPerUnitGroup,
      diskBytesPerSecond: new Map([...disks].map(([disk, { bytesPerSecond }]) => [disk, bytesPerSecond])),
      defaultBytesPerSecond: 180e6,
      datasetMs: host.datasetMs,
    },
    ...changes,
  };
}
