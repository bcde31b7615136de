/** What was read at one place of a disk. */
export interface SpotSpeed {
  readonly path: string;
  readonly bytes: number;
  readonly ms: number;
}

export type DiskSpeed =
  | {
      readonly kind: 'measured';
      /** In the order of the files; those that took no time at all are left out. */
      readonly spots: readonly SpotSpeed[];
      /** False: the file system reads only through its cache, so some of it may not have come from the disk. */
      readonly direct: boolean;
      /** Files with holes were among them: they were made, but hold no data yet, and reading them says nothing. */
      readonly hollow: boolean;
    }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  /** Nothing came for so long that the disk or share must be taken for dead. */
  | { readonly kind: 'silent' };

export interface DiskSpeedOptions {
  /** Milliseconds for all files together. */
  readonly forMs: number;
  readonly signal: AbortSignal;
}

/** Reads files as a prover does, one block after the other, and says how fast that went. Writes nothing. */
export interface DiskSpeedPort {
  /**
   * Each file gets the same share of the time, from a random place on. Several calls run at the same time, each with a
   * thread of its own. Rejects with the signal's reason.
   */
  read(files: readonly string[], options: DiskSpeedOptions): Promise<DiskSpeed>;
}
