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
  /** `SIM_GPU_NODES`: paths that the GPUs need, separated by commas; one that cannot be opened hides all of them. */
  readonly gpuNodes: readonly string[];
  /** `SIM_DIE_AT_LABEL`: the batch with this label fails, as of a card that falls off the bus. */
  readonly dieAtLabel: number | undefined;
  /** `SIM_HANG_AT_LABEL`: the batch with this label never ends. */
  readonly hangAtLabel: number | undefined;
  /**
   * `SIM_LIE_FROM_LABEL`: from this one on the provider computes wrong labels. The reference label at the end of the
   * batch finds it out, as in the real program.
   */
  readonly lieFromLabel: number | undefined;
  /**
   * `SIM_WRONG_LABELS`: these are computed wrong, separated by commas. Nothing notices unless one is the last of its
   * batch, which is all that the real program compares.
   */
  readonly wrongLabels: ReadonlySet<number>;
  /**
   * `SIM_FAULT_ONCE`: a file, from the data folder on, that is made at the first fault of one of the four above; while it
   * is there the provider is well. So a run that is begun again gets further.
   */
  readonly faultOnce: string | undefined;
  /** `SIM_VERIFY_MS_PER_FILE`: how long `-verify` takes for each file at least. */
  readonly verifyMsPerFile: number;
}

export function readKnobs(env: NodeJS.ProcessEnv): Knobs {
  const gpus = env['SIM_GPUS'];
  return {
    labelsPerSecond: positive(env, 'SIM_LABELS_PER_SECOND'),
    batchLabels: positive(env, 'SIM_BATCH_LABELS') ?? 2 ** 20,
    openclWaitMs: positive(env, 'SIM_OPENCL_WAIT_MS') ?? 10_000,
    gpus: gpus?.split(',').filter((name) => name !== ''),
    gpuNodes: list(env, 'SIM_GPU_NODES'),
    dieAtLabel: label(env, 'SIM_DIE_AT_LABEL'),
    hangAtLabel: label(env, 'SIM_HANG_AT_LABEL'),
    lieFromLabel: label(env, 'SIM_LIE_FROM_LABEL'),
    wrongLabels: new Set(list(env, 'SIM_WRONG_LABELS').map((text) => asLabel('SIM_WRONG_LABELS', text))),
    faultOnce: list(env, 'SIM_FAULT_ONCE')[0],
    verifyMsPerFile: positive(env, 'SIM_VERIFY_MS_PER_FILE') ?? 0,
  };
}

function list(env: NodeJS.ProcessEnv, name: string): readonly string[] {
  return (env[name] ?? '').split(',').filter((word) => word !== '');
}

function label(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  return text === undefined || text === '' ? undefined : asLabel(name, text);
}

function asLabel(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${name}: not the number of a label: ${text}`);
  return Number(text);
}

function positive(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  // A mistyped knob that counts as "default" would make a test prove something else than it says.
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${name}: not a positive number: ${text}`);
  return value;
}
