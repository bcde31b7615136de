import type { SmesherId } from '../identity/smesher-id.ts';
import { PROOF_MEMORY, type SchedulePolicy } from '../schedule/policy.ts';
import type { Farm, FarmIdentity } from './farm.ts';
import { hashesOf, type ProofDraw, readOf } from './proof-luck.ts';
import { hashRateOf } from './speeds.ts';

/** The terms of the lower bound, milliseconds; none of them can be beaten, whatever the schedule. */
export interface LowerBound {
  /** The largest of the others. */
  readonly ms: number;
  /** Largest over the disks: what is read of it, at the speed of one reader. */
  readonly diskMs: number;
  /** All k2pow on this host, at its whole rate; or all of one k2pow-service's jobs. */
  readonly k2powMs: number;
  /** Longest single identity, alone on the machine: dataset, k2pow, reading. */
  readonly longestMs: number;
  /** What all of them hold of the memory and for how long at least, over the memory there is. */
  readonly memoryMs: number;
}

/**
 * A makespan that no schedule gets below for this farm and this luck, from the moment when the node wants all proofs:
 *
 *     max( max over disks of Σ bytes read / rate,
 *          Σ hashes / (slots × rate of a slot, at most that of the host),
 *          max over identities of dataset + k2pow + reading,
 *          Σ memory × (dataset + k2pow + reading) / memory budget )
 *
 * It knows the luck, which a schedule does not, and leaves out polling, starts and checks: a ratio of exactly 1 is out of
 * reach. Bytes read count all passes, and the last one up to its proof.
 */
export function lowerBound(
  farm: Farm,
  draws: ReadonlyMap<SmesherId, ProofDraw>,
  policy: SchedulePolicy,
): LowerBound {
  const { host } = farm;
  const byDisk = new Map<string, number>();
  const byAddress = new Map<string, number>();
  let hashes = 0;
  let longestMs = 0;
  let memoryTime = 0;
  let widest = 0;
  for (const identity of farm.identities) {
    const draw = draws.get(identity.id);
    if (draw === undefined || identity.demand === 'none') continue;
    const own = aloneMs(farm, identity, draw);
    const { remoteK2pow, randomx } = identity.settings;
    byDisk.set(identity.disk, (byDisk.get(identity.disk) ?? 0) + own.readMs);
    if (remoteK2pow === undefined) {
      // Of light mode each hash takes the machine as long as ten.
      hashes += hashesOf(draw) / hashRateOf(identity.settings);
      widest = Math.max(widest, slotRate(farm, identity) / hashRateOf(identity.settings));
    } else byAddress.set(remoteK2pow, (byAddress.get(remoteK2pow) ?? 0) + own.k2powMs);
    const total = own.datasetMs + own.k2powMs + own.readMs;
    longestMs = Math.max(longestMs, total);
    memoryTime += total * PROOF_MEMORY[remoteK2pow === undefined ? randomx : 'remote'];
  }
  const rate = Math.min(host.hashesPerSecond, policy.k2powSlots * widest);
  const localMs = hashes === 0 ? 0 : (hashes / rate) * 1000;
  const terms = {
    diskMs: Math.max(0, ...byDisk.values()),
    k2powMs: Math.max(localMs, ...byAddress.values()),
    longestMs,
    memoryMs: memoryTime / policy.memoryBytes,
  };
  return { ms: Math.max(...Object.values(terms)), ...terms };
}

/** How long one identity takes with nobody beside it. */
function aloneMs(
  farm: Farm,
  identity: FarmIdentity,
  draw: ProofDraw,
): { readonly datasetMs: number; readonly k2powMs: number; readonly readMs: number } {
  const { host, disks } = farm;
  const { settings, bytes, disk } = identity;
  const cores = settings.threads === 0 ? host.cores : Math.min(settings.threads, host.cores);
  const rate = Math.min(disks.get(disk)?.bytesPerSecond ?? 0, host.scanBytesPerCore * cores);
  const readMs = ((readOf(draw) * bytes) / rate) * 1000;
  const worker = settings.remoteK2pow === undefined ? undefined : host.remote.get(settings.remoteK2pow);
  if (worker === undefined) {
    const datasetMs = settings.randomx === 'fast' ? host.datasetMs : 0;
    return { datasetMs, k2powMs: (hashesOf(draw) / slotRate(farm, identity)) * 1000, readMs };
  }
  const jobs = draw.passes.reduce((sum, { groupHashes }) => sum + groupHashes.length, 0);
  return {
    datasetMs: 0,
    k2powMs: (hashesOf(draw) / worker.hashesPerSecond) * 1000 + jobs * worker.datasetMs,
    readMs,
  };
}

/** Hashes per second that it does with its threads, alone. */
function slotRate({ host }: Farm, { settings }: FarmIdentity): number {
  const cores = settings.threads === 0 ? host.cores : Math.min(settings.threads, host.cores);
  return (host.hashesPerSecond * hashRateOf(settings) * cores) / host.cores;
}

/**
 * How many identities can be registered in time at most, whatever the schedule, for this farm and this luck: of each disk the
 * shortest readings that have room in the time, after the quickest dataset and k2pow of the disk.
 *
 * @param ms from the moment when the node wants all proofs to the start of the round
 */
export function mostInTime(farm: Farm, draws: ReadonlyMap<SmesherId, ProofDraw>, ms: number): number {
  const byDisk = new Map<string, { leadMs: number; readonly reads: number[] }>();
  for (const identity of farm.identities) {
    const draw = draws.get(identity.id);
    if (draw === undefined || identity.demand === 'none') continue;
    const { datasetMs, k2powMs, readMs } = aloneMs(farm, identity, draw);
    const known = byDisk.get(identity.disk);
    const leadMs = datasetMs + k2powMs;
    if (known === undefined) byDisk.set(identity.disk, { leadMs, reads: [readMs] });
    else {
      known.leadMs = Math.min(known.leadMs, leadMs);
      known.reads.push(readMs);
    }
  }
  let most = 0;
  for (const { leadMs, reads } of byDisk.values()) {
    let left = ms - leadMs;
    for (const readMs of reads.sort((a, b) => a - b)) {
      left -= readMs;
      if (left < 0) break;
      most += 1;
    }
  }
  return most;
}
