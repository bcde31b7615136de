import type { SmesherId } from '../identity/smesher-id.ts';

/** `postdata_metadata.json` as postcli writes it (spacemesh.md §2.2). */
export interface PostMetadata {
  readonly smesherId: SmesherId;
  /** 64 hex digits. */
  readonly commitmentAtx: string;
  readonly labelsPerUnit: number;
  readonly units: number;
  /** Bytes. */
  readonly maxFileSize: number;
  /** Index of the VRF nonce label; absent: none found yet. */
  readonly nonce?: bigint;
  /** 32 hex digits. */
  readonly nonceValue?: string;
  readonly lastPosition?: bigint;
}

/** What a scan says of one PoST directory; the codes of `--json` and of the recordings (truth/post). */
export type Verdict =
  | 'ready'
  | 'incomplete'
  | 'split-part'
  | 'damaged'
  | 'key-mismatch'
  | 'key-missing'
  | 'key-malformed'
  | 'duplicate'
  | 'unreadable';

export interface FoundKey {
  readonly path: string;
  readonly where: 'beside-data' | 'beside-data-old-name' | 'node-identities' | 'elsewhere';
  /** Absent when the file does not tell it; there when its fault is repairable. */
  readonly smesherId?: SmesherId;
  /** Why the node would refuse the file, in words, never quoting its content. */
  readonly fault?: string;
  /** The fault can be mended in the installed copy without guessing (a trailing newline). */
  readonly repairable?: boolean;
  readonly mode: number;
}

export interface DataFiles {
  readonly expected: number;
  readonly present: number;
  readonly bytes: number;
  readonly expectedBytes: number;
  readonly wrongSized: readonly {
    readonly index: number;
    readonly size: number;
    readonly expected: number;
  }[];
  readonly surplus: readonly number[];
  /** Inclusive index ranges. */
  readonly missing: readonly (readonly [number, number])[];
}

export interface ScannedDirectory {
  readonly path: string;
  readonly realPath: string;
  readonly verdict: Verdict;
  /** Why, in words. */
  readonly reasons: readonly string[];
  /** What to do or type next. */
  readonly next: string;
  /** Things to know that block nothing: more than 64 units, mode 0644 of a key, a network file system. */
  readonly notes: readonly string[];
  readonly metadata?: PostMetadata;
  readonly files?: DataFiles;
  readonly hasNonce: boolean;
  readonly network?: 'mainnet' | 'testnet' | 'standalone' | 'unknown';
  readonly key?: FoundKey;
  /** Further files with the key of this identity, the node's installed copies among them. */
  readonly otherKeys?: readonly FoundKey[];
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly mode: number;
  readonly readable: boolean;
  /** `Disk.id` */
  readonly disk: string;
}

/** What seeks together: one spindle, one SSD, one export (scenarios S14, S15). */
export interface Disk {
  /** Stable name: `sda`, `md0`, `nfs:server:/export`, `fuse:/mnt/user`. */
  readonly id: string;
  readonly kind: 'physical' | 'raid' | 'network' | 'fuse' | 'virtual' | 'unknown';
  /** Physical devices below; more than one for a RAID or a volume group, none where nothing can be told. */
  readonly members: readonly string[];
  readonly rotational?: boolean;
  readonly sizeBytes?: number;
  readonly freeBytes?: number;
  readonly mountPoint?: string;
  readonly fileSystem?: string;
  readonly uuid?: string;
  readonly note?: string;
}

export interface ScanReport {
  readonly schemaVersion: 1;
  readonly roots: readonly string[];
  /** Sorted by disk, then path. */
  readonly directories: readonly ScannedDirectory[];
  readonly disks: readonly Disk[];
  /** Keys seen that belong to none of the directories. */
  readonly looseKeys: readonly FoundKey[];
  /**
   * Data folders of go-spacemesh nodes (those that hold a local.sql) passed on the way, `node-data` too although it is
   * not entered. An identity may have a history there.
   */
  readonly nodeFolders: readonly string[];
  /** Roots or folders that could not be looked into, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly elapsedMs: number;
}
