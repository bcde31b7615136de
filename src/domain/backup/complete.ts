import type { Contents } from './contents.ts';

const KEYS: ReadonlySet<string> = new Set(['key', 'data-key', 'retired-key']);

/**
 * Identities, those to be included, of whose private key a backup with keys has none, by their names: their disk may be
 * away.
 */
export function withoutKey({
  withKeys,
  identities,
  beingMade = [],
  entries,
}: Pick<Contents, 'withKeys' | 'identities' | 'beingMade'> & {
  readonly entries: readonly Pick<Contents['entries'][number], 'kind' | 'smesherId'>[];
}): readonly string[] {
  if (!withKeys) return [];
  const there = new Set(entries.filter(({ kind }) => KEYS.has(kind)).map(({ smesherId }) => smesherId));
  return [...identities, ...beingMade].filter(({ id }) => !there.has(id)).map(({ name }) => name);
}

/** Whether older ones may go because of it: one without a key or without the database is no substitute for them. */
export function replacesOlder(contents: Contents): boolean {
  return (
    withoutKey(contents).length === 0 && contents.entries.some(({ path }) => path === 'node-data/local.sql')
  );
}
