/** What the machine can do at once, and how fast. Budgets come from smesh.yaml, else from the machine (`defaultPolicy`). */
export interface SchedulePolicy {
  /** Provers that do k2pow on this host at the same time. */
  readonly k2powSlots: number;
  /** Provers that let the same k2pow-service work, per address. */
  readonly remoteK2powSlots: number;
  /** For all proofs together. A proof holds its RandomX memory until it ends, also while it is held. */
  readonly memoryBytes: number;
  /** Threads of all that work and are not held; absent: no limit beside the k2pow slots. */
  readonly threads?: number;
  /** Cores of the host: what `threads: 0` means. */
  readonly cores: number;
  /** The engine has CPU quotas, so who has no right to work can be held. */
  readonly canHold: boolean;
  /** k2pow of the next identity while its disk is busy. Needs `canHold`. */
  readonly worksAhead: boolean;
  /** Between two looks at most; whoever works ahead is held so long before it would read. */
  readonly lookEveryMs: number;
  readonly rates: ProvingRates;
}

/** Measured where there is something to measure (`.smesh/history`, `bench`), else stated defaults. */
export interface ProvingRates {
  /** RandomX hashes per second of the whole host. */
  readonly hashesPerSecond: number;
  /** Expected hashes of one nonce group for one unit: 2^256 / difficulty (4687.5 on mainnet, operators.md d.4). */
  readonly hashesPerUnitGroup: number;
  /** Bytes per second of one reader, by disk. */
  readonly diskBytesPerSecond: ReadonlyMap<string, number>;
  /** For disks that nobody has measured. */
  readonly defaultBytesPerSecond: number;
  /** Building the RandomX dataset in fast mode: one thread (operators.md §0.9). */
  readonly datasetMs: number;
}

/** An hour-long average of a usual disk (operators.md d.3). */
export const DEFAULT_BYTES_PER_SECOND = 180e6;

/** Hashes per second of one core in fast mode, careful (operators.md d.4: 500 to 6,000 per machine). */
export const DEFAULT_HASHES_PER_CORE = 500;

export const DEFAULT_DATASET_MS = 40_000;

const GIB = 2 ** 30;

/** What a proof keeps allocated from its start to its end (spacemesh.md §14.1, measured). */
export const PROOF_MEMORY = {
  fast: 2.3 * GIB,
  light: 0.26 * GIB,
  remote: 0.05 * GIB,
} as const;
