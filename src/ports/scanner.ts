import type { DiskPlace } from '../domain/backup/contents.ts';
import type { ScanReport } from '../domain/post/types.ts';

export interface ScanRequest {
  /** Absolute; empty: all mounted file systems that are not the system's, plus `currentDirectory`. */
  readonly roots: readonly string[];
  readonly currentDirectory: string;
  /** Besides the roots, look at all that is mounted and not the system's. */
  readonly alsoMounted?: boolean;
  readonly maxDepth: number;
  /** Further folders or files to look for keys in (`--keys`), and the node's `identities/`. */
  readonly keyPlaces: readonly string[];
  /** Directories (absolute) that are passed over as if they were not there: copies that are not to be served. */
  readonly ignore: readonly string[];
}

/** Finds PoST directories and keys on this host; changes nothing. */
export interface ScannerPort {
  scan(request: ScanRequest): Promise<ScanReport>;
  /**
   * The `Disk.id` below each of these paths, which must be real ones; paths on no known mount are left out. Reads only
   * what the kernel knows and touches no disk.
   */
  diskNames(realPaths: readonly string[]): ReadonlyMap<string, string>;
  /** Where each of these paths lies, as far as the kernel tells: what must be mounted, and opened, to get at it. */
  diskPlaces(realPaths: readonly string[]): ReadonlyMap<string, DiskPlace>;
}
