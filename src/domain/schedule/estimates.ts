import { groupsOf } from '../proving/proof-log.ts';
import type { ProverFacts, ProvingSettings } from './observation.ts';
import { PROOF_MEMORY, type SchedulePolicy } from './policy.ts';

const NONCES_PER_GROUP = 16;

/** Units of an identity whose metadata cannot be read: the fewest that mainnet takes, so that it counts for something. */
const ASSUMED_UNITS = 4;

/**
 * How much of the data a proof reads on the average, passes that fail included, by chance of one nonce (operators.md
 * d.3: 64 nonces 1.168, 128 0.930, 208 0.869, 288 0.847).
 */
const READS: readonly (readonly [nonces: number, passes: number])[] = [
  [16, 3.4],
  [32, 1.95],
  [64, 1.168],
  [128, 0.93],
  [208, 0.869],
  [288, 0.847],
];

/** Passes over the data that a proof takes on the average; a fraction, because the last one ends early. */
export function expectedPasses(nonces: number): number {
  const [first = [16, 3.4], ...rest] = READS;
  if (nonces <= first[0]) return first[1];
  let [below, passes] = first;
  for (const [above, fewer] of rest) {
    if (nonces <= above) return passes + ((fewer - passes) * (nonces - below)) / (above - below);
    [below, passes] = [above, fewer];
  }
  return passes;
}

/** Bytes that a proof keeps allocated from its first to its last moment. */
export function proofMemory({ randomx, remoteK2pow }: ProvingSettings): number {
  return remoteK2pow === undefined ? PROOF_MEMORY[randomx] : PROOF_MEMORY.remote;
}

/** Cores that it keeps busy while it does k2pow. */
export function coresOf({ threads }: ProvingSettings, { cores }: SchedulePolicy): number {
  return threads === 0 ? cores : Math.min(threads, cores);
}

/** Before its k2pow begins, milliseconds: the dataset of fast mode is built by one thread. */
export function prepareMs({ randomx, remoteK2pow }: ProvingSettings, { rates }: SchedulePolicy): number {
  if (remoteK2pow !== undefined) return 0;
  // The cache of light mode is an eighth of the dataset and needs none of its work.
  return randomx === 'fast' ? rates.datasetMs : rates.datasetMs / 20;
}

/** k2pow of one nonce group, milliseconds, alone on its cores. Light mode takes about ten times as long (§3.3). */
export function groupMs(facts: Pick<ProverFacts, 'settings' | 'units'>, policy: SchedulePolicy): number {
  const { rates, cores } = policy;
  const hashes = rates.hashesPerUnitGroup * (facts.units ?? ASSUMED_UNITS);
  const share = coresOf(facts.settings, policy) / cores;
  const slower = facts.settings.randomx === 'light' ? 10 : 1;
  return (hashes / (rates.hashesPerSecond * share)) * slower * 1000;
}

export function groupCount({ nonces }: ProvingSettings): number {
  return Math.max(nonces / NONCES_PER_GROUP, 1);
}

/** k2pow of one pass, milliseconds. */
export function k2powMs(facts: Pick<ProverFacts, 'settings' | 'units'>, policy: SchedulePolicy): number {
  return groupCount(facts.settings) * groupMs(facts, policy);
}

export function diskRate(disk: string, { rates }: SchedulePolicy): number {
  return rates.diskBytesPerSecond.get(disk) ?? rates.defaultBytesPerSecond;
}

/** Reading of a whole proof on the average, milliseconds, alone on its disk. */
export function readMs(
  facts: Pick<ProverFacts, 'settings' | 'disk' | 'dataBytes'>,
  policy: SchedulePolicy,
): number {
  const bytes = (facts.dataBytes ?? 0) * expectedPasses(facts.settings.nonces);
  return (bytes / diskRate(facts.disk, policy)) * 1000;
}

/**
 * k2pow that is left of this pass, milliseconds, by the pace of the groups that its log shows; `undefined` where it shows
 * none. The same for one that is held and one that is not: else holding it would be the reason to release it.
 */
export function k2powLeft(
  facts: Pick<ProverFacts, 'settings' | 'units' | 'log'>,
  policy: SchedulePolicy,
): { readonly groupsLeft: number; readonly groupMs: number; readonly leftMs: number } | undefined {
  const { log } = facts;
  const phase = log?.phase;
  if (phase?.kind !== 'k2pow' || phase.group === undefined) return undefined;
  const groups = phase.groups ?? (phase.nonces === undefined ? undefined : groupsOf(phase.nonces));
  if (groups === undefined) return undefined;
  const done = Math.max(phase.group - 1, 0);
  const expected = groupMs(facts, policy);
  const { since } = phase;
  const tookMs = since === undefined || log?.lastProofAt === undefined ? 0 : log.lastProofAt - since;
  // A group takes as long as chance wants: the first few say little, and what is expected counts as two of them.
  const pace = since === undefined ? expected : (Math.max(tookMs, 0) + 2 * expected) / (done + 2);
  const groupsLeft = Math.max(groups - done, 0);
  return { groupsLeft, groupMs: pace, leftMs: groupsLeft * pace };
}
