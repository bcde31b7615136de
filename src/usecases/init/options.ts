import { resolve } from 'node:path';
import type { NetworkName } from '../../domain/project/types.ts';

/** What `init` and `add` can be told by flags; what is missing is asked, or has a default. Paths are absolute. */
export interface InitOptions {
  /** Where to look for PoST data; empty: all mounted disks. */
  readonly roots?: readonly string[];
  /** Further places of keys. */
  readonly keys: readonly string[];
  /** Directories to leave out, copies above all. */
  readonly ignore: readonly string[];
  readonly only?: readonly string[];
  readonly depth?: number;
  readonly repairKeys: boolean;
  readonly network?: NetworkName;
  /** Private networks: RFC 3339. */
  readonly genesisTime?: string;
  readonly coinbase?: string;
  readonly nodeData?: string;
  readonly projectName?: string;
  readonly p2pPort?: number;
  readonly publicPort?: number;
  readonly privatePort?: number;
  readonly serviceNames?: readonly string[];
  readonly dryRun: boolean;
  /** Generated files that a person changed are overwritten, after a backup. */
  readonly force: boolean;
}

/** Paths on the command line count from where the user stands, not from the project (`-C`). */
export function fromWorkingDirectory(path: string): string {
  return resolve(path);
}
