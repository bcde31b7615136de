import { parseSmesherId, type SmesherId } from '../../domain/identity/smesher-id.ts';
import type { IdentityRows } from '../../ports/local-database.ts';
import { numberIn, type Row, text, textIn, whole } from './columns.ts';
import type { ReadOnlyDatabase } from './driver.ts';

/** Before local.sql version 3 the challenge was in a table called `nipost` (spacemesh.md §6.2). */
const OLDEST_VERSION = 3;

/** Version that renamed `initial_post` to `post`. */
const POST_TABLE_VERSION = 8;

const ID = 'hex(id) AS id, typeof(id) AS id_type';

interface Collected {
  post: boolean;
  nipost: boolean;
  challenge?: { readonly publishEpoch: number; readonly hasPoetProof: boolean };
  readonly registrations: { readonly address: string; readonly roundId: string; readonly roundEnd: number }[];
}

/**
 * All smeshing rows by identity (spacemesh.md §6.2). Throws when the schema or a row is not as the node writes it: a row
 * that cannot be understood must not count as no row.
 */
export function readIdentities(database: ReadOnlyDatabase): {
  readonly userVersion: number;
  readonly identities: readonly IdentityRows[];
} {
  const userVersion = numberIn(database.all('PRAGMA user_version')[0] ?? {}, 'user_version');
  if (userVersion < OLDEST_VERSION) throw new Error(`schema version ${userVersion} is too old`);
  const found = new Map<SmesherId, Collected>();
  const entry = (row: Row): Collected => {
    const id = row['id_type'] === 'blob' ? parseSmesherId(String(row['id'])) : undefined;
    if (id === undefined) throw new Error('a row without the ID of an identity');
    const known = found.get(id) ?? { post: false, nipost: false, registrations: [] };
    found.set(id, known);
    return known;
  };

  // One transaction: the node may publish between two of these questions.
  database.run('BEGIN');
  const postTable = userVersion >= POST_TABLE_VERSION ? 'post' : 'initial_post';
  for (const row of database.all(`SELECT ${ID} FROM ${postTable}`)) entry(row).post = true;
  for (const row of database.all(
    `SELECT ${ID}, ${whole('epoch')}, poet_proof_ref IS NOT NULL AS proven FROM challenge`,
  )) {
    entry(row).challenge = {
      publishEpoch: numberIn(row, 'epoch'),
      hasPoetProof: numberIn(row, 'proven') === 1,
    };
  }
  const registrations = database.all(
    `SELECT ${ID}, ${text('address')}, ${text('round_id')}, ${whole('round_end')}
     FROM poet_registration ORDER BY poet_registration.id, poet_registration.address`,
  );
  for (const row of registrations) {
    entry(row).registrations.push({
      address: textIn(row, 'address'),
      roundId: textIn(row, 'round_id'),
      roundEnd: numberIn(row, 'round_end'),
    });
  }
  for (const row of database.all(`SELECT ${ID} FROM nipost`)) entry(row).nipost = true;
  database.run('COMMIT');

  const identities = [...found].map(([smesherId, rows]) => ({ smesherId, ...rows }));
  return { userVersion, identities: identities.sort((a, b) => a.smesherId.localeCompare(b.smesherId)) };
}
