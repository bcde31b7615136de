import type { InstalledKey } from '../identity/decide-keys.ts';
import type { Lease, LeaseVerdict } from '../identity/lease.ts';
import type { SmesherId } from '../identity/smesher-id.ts';
import type { Project } from '../project/types.ts';
import type { NewPlace } from './moved-notice.ts';
import type { SourceConfig } from './source-config.ts';

/** A key that comes with a node. */
export interface SourceKey {
  readonly smesherId: SmesherId;
  /** Absolute. */
  readonly path: string;
  /** `identities`: the node reads it; `beside-data`: `key.bin` of a release before 1.4, an original like identity.key. */
  readonly where: 'identities' | 'beside-data';
  /** Only beside keys of a smesh-compose project. */
  readonly lease?: { readonly path: string; readonly lease?: Lease; readonly verdict: LeaseVerdict };
}

/** How many rows each of an identity's tables has (spacemesh.md §6.2). */
export interface SmeshingRows {
  readonly smesherId: SmesherId;
  readonly post: boolean;
  readonly publishEpoch?: number;
  readonly registrations: number;
  readonly nipost: boolean;
}

export type DatabaseState =
  | { readonly kind: 'absent' }
  /** Its version may be known all the same: tables of other releases have other names. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly userVersion?: number }
  | { readonly kind: 'read'; readonly userVersion: number; readonly rows: readonly SmeshingRows[] };

export interface Genesis {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly extraData: string;
}

/** One node that is to be merged, as it stands. */
export interface MergeSource {
  /** Its data folder, without links. */
  readonly folder: string;
  readonly keys: readonly SourceKey[];
  /** Its folder is the one of the project's own node, by whatever path it was named. */
  readonly isTarget?: true;
  /** It has no `identities/` yet. */
  readonly lacksIdentities?: true;
  /** A merge into this node has not come to its end; the folder of the project that began it, where it can be told. */
  readonly unfinished?: { readonly directory?: string };
  /** Key files that the node itself would refuse, or that may not be read. */
  readonly faulty: readonly { readonly file: string; readonly fault: string }[];
  /** Key files that wait for their data: they are no part of what the node does, and stay. */
  readonly pending?: readonly string[];
  /** Its keys were taken away by an earlier merge. */
  readonly movedTo?: NewPlace & { readonly at: string };
  readonly database: DatabaseState;
  /** `node_state.sql` is there: 1.3.x has run (spacemesh.md §6.1). */
  readonly hasOldDatabase: boolean;
  /** Of local.sql with what belongs to it. */
  readonly databaseBytes: number;
  readonly genesis?: Genesis;
  readonly config?: SourceConfig;
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** Where the PoST data of an identity was found. */
export type FoundData =
  | { readonly kind: 'ready'; readonly path: string; readonly units: number }
  | { readonly kind: 'unfit'; readonly path: string; readonly why: string; readonly next: string }
  | { readonly kind: 'twice'; readonly paths: readonly string[] };

export interface MergeFacts {
  readonly project: Project;
  readonly directory: string;
  readonly sources: readonly MergeSource[];
  /** In the order of `sources`; the last one is the project's own node. Empty: nobody works on it. */
  readonly atWork: readonly (readonly string[])[];
  readonly installed: readonly InstalledKey[];
  readonly database: DatabaseState;
  readonly databaseBytes: number;
  readonly genesis?: Genesis;
  /** Version of local.sql that the node of smesh.yaml has; absent: not known. */
  readonly wantedVersion?: number;
  readonly data: ReadonlyMap<SmesherId, FoundData>;
  /** Folders of sources on a share, where another host may work on them unseen, with what the share is called. */
  readonly shares: ReadonlyMap<string, string>;
  /** Free bytes where the node's data folder is, and where the project is. */
  readonly free: { readonly nodeData: number; readonly directory: number };
  /** Whether this user may make files that belong to the node's owner, and rename those of the sources. */
  readonly mayWrite: { readonly target: boolean; readonly sources: readonly boolean[] };
}

/** An identity that will come. */
export interface Arrival {
  readonly smesherId: SmesherId;
  readonly source: MergeSource;
  readonly key: SourceKey;
  /** Name in smesh.yaml; absent where its data was not found: then only key and rows come. */
  readonly name?: string;
  /** In smesh.yaml already, with its data. */
  readonly known: boolean;
  readonly data?: string;
  /** Why it has none. */
  readonly dataFault?: string;
  /** File name in the node's `identities/`. */
  readonly keyFile: string;
  readonly rows?: SmeshingRows;
  /** What its own config says, where that is not what the project's defaults say. */
  readonly prover: SourceConfig['prover'];
}
