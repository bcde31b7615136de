import { diskRate, proofMemory } from '../schedule/estimates.ts';
import { type ForecastInput, scanRate } from './input.ts';

export interface Scanning {
  /** Bytes per second that the disks give which are read at the same time. */
  readonly wanted: number;
  /** Bytes per second that all cores scan together, assumed. */
  readonly possible: number;
  /** What is left of the disks' rates, at most 1. */
  readonly share: number;
}

/** Whether the cores keep up with all disks that are read at the same time: what is read is encrypted with AES as well. */
export function scanning(input: ForecastInput): Scanning {
  const { identities, policy } = input;
  const rates = [...new Set(identities.map(({ disk }) => disk))].map((disk) => diskRate(disk, policy));
  const largest = Math.max(1, ...identities.map(({ settings }) => proofMemory(settings)));
  const atOnce = Math.min(rates.length, Math.max(Math.floor(policy.memoryBytes / largest), 1));
  const wanted = rates
    .toSorted((a, b) => b - a)
    .slice(0, atOnce)
    .reduce((sum, rate) => sum + rate, 0);
  const nonces = Math.max(16, ...identities.map(({ settings }) => settings.nonces));
  const possible = scanRate(nonces) * policy.cores;
  return { wanted, possible, share: wanted > possible ? possible / wanted : 1 };
}

/**
 * The farm with disks no faster than the cores can follow. Neither schedule nor simulator count cores for reading, so it is
 * the disks that are taken slower; once more it changes nothing.
 */
export function withinCores(input: ForecastInput): ForecastInput {
  const { share } = scanning(input);
  if (share > 0.999) return input;
  const { policy, identities } = input;
  const rates = identities.map(({ disk }) => [disk, diskRate(disk, policy) * share] as const);
  return { ...input, policy: { ...policy, rates: { ...policy.rates, diskBytesPerSecond: new Map(rates) } } };
}
