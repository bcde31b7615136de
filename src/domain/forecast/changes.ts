import { proofMemory } from '../schedule/estimates.ts';
import type { ForecastIdentity, ForecastInput } from './input.ts';

/** `undefined`: it is so already, or cannot be so. */
export type ChangedInput = ForecastInput | undefined;

function mapIdentities(
  input: ForecastInput,
  change: (identity: ForecastIdentity) => ForecastIdentity,
): ForecastInput {
  return { ...input, identities: input.identities.map(change) };
}

export function withNonces(input: ForecastInput, nonces: number): ChangedInput {
  if (input.identities.every(({ settings }) => settings.nonces === nonces)) return undefined;
  return mapIdentities(input, (one) => ({ ...one, settings: { ...one.settings, nonces } }));
}

/** All cores for everybody. */
export function withThreads(input: ForecastInput, threads = 0): ChangedInput {
  if (input.identities.every(({ settings }) => settings.threads === threads)) return undefined;
  return mapIdentities(input, (one) => ({ ...one, settings: { ...one.settings, threads } }));
}

/** Twice the memory, and as much as one that proves and one ahead on every disk take. */
export function withMemory(input: ForecastInput): readonly ForecastInput[] {
  const { policy, identities } = input;
  const largest = Math.max(...identities.map(({ settings }) => proofMemory(settings)));
  const disks = new Set(identities.map(({ disk }) => disk)).size;
  const enough = largest * Math.min(2 * disks, identities.length);
  const amounts = [policy.memoryBytes + 2 * largest, policy.memoryBytes * 2, enough];
  return amounts
    .filter(
      (bytes) => bytes > policy.memoryBytes && bytes <= Math.max(enough, policy.memoryBytes + 2 * largest),
    )
    .map((memoryBytes) => ({ ...input, policy: { ...policy, memoryBytes } }));
}

const REMOTE = 'a k2pow-service';

/** k2pow on another machine, which is as fast as this one. */
export function withRemote(input: ForecastInput): ChangedInput {
  if (input.identities.some(({ settings }) => settings.remoteK2pow !== undefined)) return undefined;
  const changed = mapIdentities(input, (one) => ({
    ...one,
    settings: { ...one.settings, remoteK2pow: REMOTE },
  }));
  return { ...changed, remoteHashesPerSecond: input.policy.rates.hashesPerSecond };
}

/** Every other identity of each disk; the first stays. `undefined` where no disk has two. */
export function halves(
  input: ForecastInput,
): { readonly stay: ForecastInput; readonly move: ForecastInput } | undefined {
  const counted = new Map<string, number>();
  const moves = new Set(
    input.identities.filter(({ disk }) => {
      const before = counted.get(disk) ?? 0;
      counted.set(disk, before + 1);
      return before % 2 === 1;
    }),
  );
  if (moves.size === 0) return undefined;
  const only = (wanted: boolean) => ({
    ...input,
    identities: input.identities.filter((one) => moves.has(one) === wanted),
  });
  return { stay: only(false), move: only(true) };
}

/** The smallest identity that mainnet takes; whoever has less keeps what it has. */
const LEAST_UNITS = 4;

export function withUnits(input: ForecastInput, disks: ReadonlySet<string>, factor: number): ChangedInput {
  let tooSmall = false;
  const changed = mapIdentities(input, (one) => {
    if (!disks.has(one.disk)) return one;
    const units = Math.floor(one.units * factor);
    if (units < Math.min(LEAST_UNITS, one.units)) tooSmall = true;
    return { ...one, units, bytes: (one.bytes / one.units) * units };
  });
  return tooSmall ? undefined : changed;
}

export function withRate(input: ForecastInput, disks: ReadonlySet<string>, factor: number): ForecastInput {
  const { policy } = input;
  const { rates } = policy;
  const faster = new Map(rates.diskBytesPerSecond);
  for (const disk of disks) {
    faster.set(disk, (rates.diskBytesPerSecond.get(disk) ?? rates.defaultBytesPerSecond) * factor);
  }
  return { ...input, policy: { ...policy, rates: { ...rates, diskBytesPerSecond: faster } } };
}
