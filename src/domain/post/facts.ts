import type { DataFile } from './completeness.ts';
import type { FoundKey, ScannedDirectory } from './types.ts';

/** What the scanner saw of one directory; nothing in it is judged yet. */
export interface DirectoryFacts {
  readonly path: string;
  readonly realPath: string;
  readonly owner: ScannedDirectory['owner'];
  readonly mode: number;
  /** `Disk.id` */
  readonly disk: string;
  readonly metadata:
    | { readonly kind: 'present'; readonly text: string }
    | { readonly kind: 'absent' }
    | { readonly kind: 'unreadable' };
  readonly files: readonly DataFile[];
  /** Key files beside the data, in the order in which they are believed. */
  readonly keys: readonly FoundKey[];
  /** What this user may not read, one entry per kind of thing: `the folder (uid 0, mode 0700)`. */
  readonly unreadable: readonly string[];
  readonly notes: readonly string[];
}

export interface ScanFacts {
  readonly directories: readonly DirectoryFacts[];
  /** Key files anywhere else: the node's identities, `--keys`, other folders under the roots. */
  readonly keys: readonly FoundKey[];
}
