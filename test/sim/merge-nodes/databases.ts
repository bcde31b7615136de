/** What merge-nodes does with the two local.sql (spacemesh.md §6.3, §14.3). */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { goErrno } from '../node/config.ts';
import { checkDrift } from '../node/database.ts';
import { localSchema, localVersion } from '../node/schema.ts';
import { log } from './log.ts';

export type Side = 'source' | 'target';

/** In the order of the merge, each with the name by which a failure calls it: `post` has kept its former one. */
const merged = [
  ['post', 'initial_post'],
  ['challenge', 'challenge'],
  ['poet_registration', 'poet_registration'],
  ['nipost', 'nipost'],
] as const;

/** Thrown for a database that is not there; whoever looks at a target makes one then. */
export class NoDatabase extends Error {}

/** Opens the file, compares version and tables, and closes it. @throws NoDatabase, or Error as the real one words it */
export function checkDatabase(folder: string, side: Side): void {
  const path = join(folder, 'local.sql');
  const during = `open ${side} database`;
  try {
    statSync(path);
  } catch (error) {
    throw new NoDatabase(`${during}: stat ${side} database ${path}: stat ${path}: ${goErrno(error)}`);
  }
  let database: InstanceType<typeof Database> | undefined;
  try {
    database = new Database(path);
    checkVersion(database, path);
    checkDrift(database, path, localSchema);
  } catch (error) {
    // Both sides are called the source database here: that is the real program's wording.
    throw new Error(`${during}: open source database ${path}: ${(error as Error).message}`);
  } finally {
    database?.close();
  }
}

function checkVersion(database: InstanceType<typeof Database>, path: string): void {
  const { user_version: current } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (current < localVersion) throw new Error(`old database version: ${current} < ${localVersion}`);
  if (current === localVersion) return;
  log('error', 'sql/schema.go:120', 'database version is newer than expected - downgrade is not supported', {
    uri: `file:${path}`,
    'current version': current,
    'target version': localVersion,
  });
  throw new Error(`check db version: database version is too new: ${current} > ${localVersion}`);
}

/** A local.sql as the release makes it, without rows. */
export function createDatabase(folder: string): void {
  const database = new Database(join(folder, 'local.sql'));
  database.exec('PRAGMA journal_mode=WAL');
  database.exec(`BEGIN; ${localSchema.join(';\n')}; PRAGMA user_version = ${localVersion}; COMMIT;`);
  database.close();
}

/** Copies the rows of all identities in one transaction. @throws Error as the real one words it; then nothing is copied */
export function mergeRows(from: string, to: string): void {
  const database = new Database(join(to, 'local.sql'));
  try {
    database.exec('PRAGMA journal_mode=WAL');
    database.prepare('ATTACH DATABASE ? AS srcDB').run(join(from, 'local.sql'));
    database.exec('BEGIN IMMEDIATE');
    for (const [table, called] of merged) copyTable(database, table, called);
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw new Error(`start transaction: ${(error as Error).message}`);
  } finally {
    database.close();
  }
}

function copyTable(database: InstanceType<typeof Database>, table: string, called: string): void {
  try {
    database.exec(`INSERT INTO ${table} SELECT * FROM srcDB.${table}`);
  } catch (error) {
    const message = (error as Error).message;
    const reason = /UNIQUE constraint/.test(message) ? 'database: object exists' : message;
    throw new Error(`merge ${called}: step 0: ${reason}`);
  }
}
