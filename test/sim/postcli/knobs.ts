/** What a test may turn on the stand-in; environment only, the command line is the real one. */
export interface Knobs {
  /** `SIM_LABELS_PER_SECOND`: pace of initialisation; unset: as fast as it goes. */
  readonly labelsPerSecond: number | undefined;
  /** `SIM_BATCH_LABELS`: labels computed before anything is written and before SIGINT is seen (real: 2^20). */
  readonly batchLabels: number;
  /** `SIM_OPENCL_WAIT_MS`: how long one look for OpenCL platforms takes where there are none (real: 10 s). */
  readonly openclWaitMs: number;
  /** `SIM_GPUS`: names of GPUs, separated by commas: providers 0, 1, …; empty: OpenCL without a GPU; unset: no OpenCL. */
  readonly gpus: readonly string[] | undefined;
}

export function readKnobs(env: NodeJS.ProcessEnv): Knobs {
  const gpus = env['SIM_GPUS'];
  return {
    labelsPerSecond: positive(env, 'SIM_LABELS_PER_SECOND'),
    batchLabels: positive(env, 'SIM_BATCH_LABELS') ?? 2 ** 20,
    openclWaitMs: positive(env, 'SIM_OPENCL_WAIT_MS') ?? 10_000,
    gpus: gpus?.split(',').filter((name) => name !== ''),
  };
}

function positive(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  // A mistyped knob that counts as "default" would make a test prove something else than it says.
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${name}: not a positive number: ${text}`);
  return value;
}
