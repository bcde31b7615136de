/**
 * What a test may turn on the stand-in: how long its pretended work takes. Environment only, as the
 * real program has no such thing and a command line must stay the real one.
 */
export interface Knobs {
  /** `SIM_K2POW_MS_PER_UNIT_GROUP`: k2pow of one group of 16 nonces for one unit. */
  readonly k2powMsPerUnitGroup: number;
  /** `SIM_READ_MS`: reading all data once; the disk's own time is part of it, a slower disk takes longer. */
  readonly readMs: number;
  /** `SIM_READ_MBPS`: instead of `SIM_READ_MS`, a rate in MB/s (10^6 bytes). */
  readonly readMegabytesPerSecond: number | undefined;
  /** `SIM_READ_FRACTION`: where the successful pass ends (0..1); unset: drawn between 0.6 and 1. */
  readonly readFraction: number | undefined;
  /** `SIM_DATASET_MS`: building the RandomX dataset in fast mode, while `/status` does not answer. */
  readonly datasetMs: number;
  /** `SIM_CACHE_MS`: the RandomX cache of light mode; `/status` shows nonces 0..0 meanwhile. */
  readonly cacheMs: number;
  /** `SIM_PASSES`: the pass that finds the proof. */
  readonly passes: number;
  /** `SIM_PASS_CHANCE`: instead of `SIM_PASSES`, the chance (0..1) of each pass, drawn from the challenge. */
  readonly passChance: number | undefined;
  /** `SIM_VERIFY_MS`: verifying the finished proof inside the node's poll. */
  readonly verifyMs: number;
}

/** Reads the knobs; the defaults prove one or two units in 3 to 4 s, the node's 2 s poll included. */
export function readKnobs(env: NodeJS.ProcessEnv): Knobs {
  return {
    k2powMsPerUnitGroup: numberOf(env, 'SIM_K2POW_MS_PER_UNIT_GROUP') ?? 400,
    readMs: numberOf(env, 'SIM_READ_MS') ?? 1200,
    readMegabytesPerSecond: numberOf(env, 'SIM_READ_MBPS'),
    readFraction: numberOf(env, 'SIM_READ_FRACTION'),
    datasetMs: numberOf(env, 'SIM_DATASET_MS') ?? 300,
    cacheMs: numberOf(env, 'SIM_CACHE_MS') ?? 100,
    passes: numberOf(env, 'SIM_PASSES') ?? 1,
    passChance: numberOf(env, 'SIM_PASS_CHANCE'),
    verifyMs: numberOf(env, 'SIM_VERIFY_MS') ?? 300,
  };
}

function numberOf(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  // A mistyped knob that counts as "default" would make a test prove something else than it says.
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name}: not a number: ${text}`);
  return value;
}
