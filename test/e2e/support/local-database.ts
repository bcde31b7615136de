import { createRequire } from 'node:module';

interface Writer {
  exec(sql: string): void;
  close(): void;
}

/** The node's tables as far as they tell who has smeshed (local.sql, version 9). */
const SCHEMA = `
  PRAGMA user_version = 9;
  CREATE TABLE post (id BLOB PRIMARY KEY);
  CREATE TABLE challenge (id BLOB PRIMARY KEY, epoch INT, poet_proof_ref BLOB);
  CREATE TABLE poet_registration (id BLOB, address TEXT, round_id TEXT, round_end INT);
  CREATE TABLE nipost (id BLOB PRIMARY KEY);
`;

/** Makes a local.sql in which an identity has smeshed, in WAL mode as the node's is. */
export function makeLocalDatabase(path: string, smesherId: string): void {
  const Database = createRequire(import.meta.url)('libsql') as new (file: string) => Writer;
  const writer = new Database(path);
  writer.exec('PRAGMA journal_mode = WAL');
  writer.exec(SCHEMA);
  writer.exec(`INSERT INTO post (id) VALUES (x'${smesherId}')`);
  writer.close();
}
