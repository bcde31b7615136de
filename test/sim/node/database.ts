/** Opening of state.sql and local.sql with the node's checks, in WAL mode (spacemesh.md §6). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { log } from './logger.ts';
import { localSchema, localVersion, normalizeStatement, stateSchema, stateVersion } from './schema.ts';

export type Sql = InstanceType<typeof Database>;

export interface Databases {
  readonly state: Sql;
  readonly local: Sql;
  close(): void;
}

/** Opens both files, making those that are missing. @throws Error as the node words it */
export function openDatabases(dataFolder: string, allowDrift: boolean, migrateStateTo?: number): Databases {
  const statePath = join(dataFolder, 'state.sql');
  if (migrateStateTo !== undefined) migrate(statePath, migrateStateTo);
  const state = open(statePath, stateSchema, migrateStateTo ?? stateVersion, allowDrift);
  const local = open(join(dataFolder, 'local.sql'), localSchema, localVersion, allowDrift);
  return {
    state,
    local,
    close: () => {
      local.close();
      state.close();
    },
  };
}

function open(path: string, schema: readonly string[], version: number, allowDrift: boolean): Sql {
  const fresh = !existsSync(path);
  const database = new Database(path);
  try {
    if (fresh) {
      database.exec('PRAGMA journal_mode=WAL');
      database.exec(`BEGIN; ${schema.join(';\n')}; PRAGMA user_version = ${version}; COMMIT;`);
      return database;
    }
    checkVersion(database, path, version);
    if (!allowDrift) checkDrift(database, path, schema);
    database.exec('PRAGMA journal_mode=WAL');
    return database;
  } catch (error) {
    database.close();
    throw new Error(`open sqlite db: ${(error as Error).message}`);
  }
}

/** A newer release's first start: the file has its version from now on, whatever becomes of the rest of the start. */
function migrate(path: string, version: number): void {
  if (!existsSync(path)) return;
  const database = new Database(path);
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (row.user_version < version) database.exec(`PRAGMA user_version = ${version}`);
  database.close();
}

function checkVersion(database: Sql, path: string, version: number): void {
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const current = row.user_version;
  if (current > version) {
    const fields = { uri: `file:${path}`, 'current version': current, 'target version': version };
    log(
      'ERROR',
      'node.stateDb',
      'database version is newer than expected - downgrade is not supported',
      fields,
    );
    throw new Error(`check db version: database version is too new: ${current} > ${version}`);
  }
  if (current < version)
    throw new Error(`check db version: no migration from version ${current} in this stand-in`);
}

/** @throws Error as node and merge-nodes word it when a table or an index is missing, changed or foreign */
export function checkDrift(database: Sql, path: string, schema: readonly string[]): void {
  const rows = database.prepare(
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
  );
  const present = new Set((rows.all() as { sql: string }[]).map((row) => normalizeStatement(row.sql)));
  const expected = new Set(schema.map(normalizeStatement));
  const added = [...present].filter((statement) => !expected.has(statement));
  const missing = [...expected].filter((statement) => !present.has(statement));
  if (added.length + missing.length === 0) return;
  const lines = [...added.map((one) => `+ ${one}`), ...missing.map((one) => `- ${one}`)];
  throw new Error(`schema drift detected (uri file:${path}):\n  ${lines.join('\n  ')}\n`);
}
