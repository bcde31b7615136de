import { shortId } from '../../domain/identity/smesher-id.ts';
import type { IdentityRows } from '../../ports/local-database.ts';

export interface DatabaseLook {
  /** Absent: there was no database. */
  readonly userVersion?: number;
  readonly identities: readonly IdentityRows[];
  /** Per table, foreign ones as well. */
  readonly rows: Readonly<Record<string, number>>;
}

/** What merge-nodes copies; everything else of the sources stays behind (spacemesh.md §6.3). */
const MERGED = ['post', 'challenge', 'poet_registration', 'nipost'] as const;

/**
 * Why a merged database is not the union of all; `undefined` when it is: each identity with each of its rows, each table
 * with as many as all together, the version unchanged.
 */
export function sameAsUnion(
  before: DatabaseLook,
  sources: readonly DatabaseLook[],
  after: DatabaseLook,
): string | undefined {
  const version = before.userVersion ?? sources[0]?.userVersion;
  if (after.userVersion !== version)
    return `schema version ${after.userVersion ?? 'none'} instead of ${version ?? 'none'}`;
  const tables = new Set([...Object.keys(before.rows), ...Object.keys(after.rows), ...MERGED]);
  for (const table of tables) {
    const merged = (MERGED as readonly string[]).includes(table);
    const wanted =
      (before.rows[table] ?? 0) +
      (merged ? sources.reduce((sum, { rows }) => sum + (rows[table] ?? 0), 0) : 0);
    const found = after.rows[table] ?? 0;
    if (found !== wanted) return `${found} rows in ${table} instead of ${wanted}`;
  }
  const wanted = [before, ...sources].flatMap(({ identities }) => identities);
  const found = new Map(after.identities.map((rows) => [rows.smesherId, JSON.stringify(rows)]));
  if (found.size !== wanted.length) return `${found.size} identities instead of ${wanted.length}`;
  const other = wanted.find((rows) => found.get(rows.smesherId) !== JSON.stringify(rows));
  return other === undefined
    ? undefined
    : `the rows of ${shortId(other.smesherId)} are not those that it had`;
}
