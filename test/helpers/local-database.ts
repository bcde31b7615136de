import { createRequire } from 'node:module';

interface Writer {
  exec(sql: string): void;
  close(): void;
}

/** The node's tables as far as they tell who has smeshed and registered (local.sql, version 9; spacemesh.md §6.2). */
const SCHEMA = `
  PRAGMA user_version = 9;
  CREATE TABLE IF NOT EXISTS post (id BLOB PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS challenge (id BLOB PRIMARY KEY, epoch INT, poet_proof_ref BLOB);
  CREATE TABLE IF NOT EXISTS poet_registration (id BLOB, address TEXT, round_id TEXT, round_end INT);
  CREATE TABLE IF NOT EXISTS nipost (id BLOB PRIMARY KEY);
  DELETE FROM poet_registration;
`;

export interface Registration {
  readonly smesherId: string;
  readonly address: string;
  readonly round: number;
}

/** A local.sql in WAL mode, as the node's is, in which these identities are registered; called again it says other things. */
export function writeRegistrations(path: string, registrations: readonly Registration[]): void {
  const Database = createRequire(import.meta.url)('libsql') as new (file: string) => Writer;
  const writer = new Database(path);
  writer.exec('PRAGMA journal_mode = WAL');
  writer.exec(SCHEMA);
  for (const { smesherId, address, round } of registrations) {
    writer.exec(
      `INSERT INTO poet_registration VALUES (x'${smesherId}', '${address.replaceAll("'", "''")}', '${round}', 0)`,
    );
  }
  writer.close();
}
