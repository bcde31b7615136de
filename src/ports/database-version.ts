export type DatabaseVersion =
  | { readonly kind: 'absent' }
  /** It may not be looked at, or is no SQLite database. */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'read'; readonly version: number };

/**
 * The schema version (`PRAGMA user_version`) of a node's databases, also of a state.sql of hundreds of GiB and while the
 * node runs: reads a few bytes, copies nothing, opens no database, leaves nothing beside the file.
 */
export interface DatabaseVersionPort {
  read(path: string): Promise<DatabaseVersion>;
}
