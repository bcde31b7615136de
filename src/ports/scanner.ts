import type { ScanReport } from '../domain/post/types.ts';

export interface ScanRequest {
  /** Absolute; empty: all mounted file systems that are not the system's, plus `currentDirectory`. */
  readonly roots: readonly string[];
  readonly currentDirectory: string;
  readonly maxDepth: number;
  /** Further folders or files to look for keys in (`--keys`), and the node's `identities/`. */
  readonly keyPlaces: readonly string[];
}

/** Finds PoST directories and keys on this host; changes nothing. */
export interface ScannerPort {
  scan(request: ScanRequest): Promise<ScanReport>;
}
