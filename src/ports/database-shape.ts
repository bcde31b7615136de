/** What a database looks like, without anything of what stands in it. */
export type DatabaseShape =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'read'; readonly userVersion: number; readonly rows: Readonly<Record<string, number>> };

/** Rows per table of a node's local.sql; reads like LocalDatabasePort and never writes. */
export interface DatabaseShapePort {
  shape(path: string): Promise<DatabaseShape>;
}
