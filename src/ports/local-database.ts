import type { SmesherId } from '../domain/identity/smesher-id.ts';

/** Rows of one identity in a node's local.sql (spacemesh.md §6.2). */
export interface IdentityRows {
  readonly smesherId: SmesherId;
  readonly post: boolean;
  readonly challenge?: { readonly publishEpoch: number; readonly hasPoetProof: boolean };
  readonly registrations: readonly {
    readonly address: string;
    readonly roundId: string;
    readonly roundEnd: number;
  }[];
  readonly nipost: boolean;
}

export type LocalDatabaseFacts =
  | { readonly kind: 'absent' }
  /** No SQLite in this runtime, or the file cannot be opened: counts as unknown, never as clean (design §10). */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'read'; readonly userVersion: number; readonly identities: readonly IdentityRows[] };

/** Reads a node's local.sql, read-only, also while the node runs (WAL, spacemesh.md §14.2). Never writes. */
export interface LocalDatabasePort {
  read(path: string): Promise<LocalDatabaseFacts>;
}
