import { randomBytes } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { chmod, link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { DatabaseEditorPort } from '../../ports/database-editor.ts';
import { numberIn } from './columns.ts';
import { loadDriver, type ReadOnlyDatabase, type SqliteDriver } from './driver.ts';
import { busyDatabase, damagedDatabase, explainSqlite, noSqlite } from './faults.ts';
import { readSafely, withDatabase } from './read-safely.ts';
import { copyDatabaseFiles, firstBytes } from './whole-copy.ts';

const MAGIC = 'SQLite format 3\0';

const ATTEMPTS = 20;

/** How long somebody who reads along (a `status` beside us) is waited for. */
const BUSY_MS = 1000;

/** DatabaseEditorPort on the SQLite of the runtime or libsql. */
export function createDatabaseEditor(
  findDriver: () => Promise<SqliteDriver | undefined> = loadDriver,
): DatabaseEditorPort {
  let found: Promise<SqliteDriver | undefined> | undefined;
  const driverFor = async (path: string): Promise<SqliteDriver> => {
    if ((await firstBytes(path, MAGIC.length))?.toString('latin1') !== MAGIC) {
      await stat(path);
      throw damagedDatabase(path, 'it does not begin as an SQLite database does');
    }
    found ??= findDriver();
    const driver = await found;
    if (driver === undefined) throw noSqlite(path);
    return driver;
  };

  return {
    async copy(from, to): Promise<void> {
      const driver = await driverFor(from);
      await refuseTaken(to);
      // A folder of its own: SQLite puts its files beside the copy. The name is one that the next run clears away.
      const folder = join(dirname(to), `.smesh-${basename(to)}.${randomBytes(6).toString('hex')}.tmp`);
      await mkdir(folder, { mode: 0o700 });
      try {
        const copy = join(folder, 'copy.sql');
        await copyWhole(from, copy);
        await named(from, () => {
          write(driver, copy, ['PRAGMA synchronous = FULL', 'PRAGMA wal_checkpoint(TRUNCATE)']);
          withDatabase(driver, copy, refuseFaults(from));
        });
        await putInPlace(copy, to);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
      await sync(dirname(to), constants.O_RDONLY | constants.O_DIRECTORY);
    },

    async settle(path): Promise<void> {
      const driver = await driverFor(path);
      await named(path, () => writeAlone(driver, path, []));
      await refuseOpen(path);
    },

    async deleteRegistrations(path, identities): Promise<number> {
      const driver = await driverFor(path);
      const chosen = identities.map((id) => literal(id)).join(', ');
      const where = `FROM poet_registration WHERE id IN (${chosen})`;
      return named(path, async () => {
        const count = await readSafely(driver, path, (database) => {
          refuseFaults(path)(database);
          return numberIn(
            database.all(`SELECT count(*) AS registrations ${where}`)[0] ?? {},
            'registrations',
          );
        });
        writeAlone(driver, path, ['BEGIN EXCLUSIVE', `DELETE ${where}`, 'COMMIT']);
        await refuseOpen(path);
        return count;
      });
    },
  };
}

/** Exclusive from the first page on: fails as busy where a node has it open, even when that node does nothing just now. */
const LOCK = [
  `PRAGMA busy_timeout = ${BUSY_MS}`,
  'PRAGMA locking_mode = EXCLUSIVE',
  'PRAGMA synchronous = FULL',
  'BEGIN IMMEDIATE',
  'COMMIT',
];

async function refuseTaken(to: string): Promise<void> {
  const present = await lstat(to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (present !== undefined) throw Object.assign(new Error(`EEXIST: ${to}`), { code: 'EEXIST', path: to });
}

async function copyWhole(from: string, to: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await copyDatabaseFiles(from, to)) {
      await chmod(to, 0o600);
      return;
    }
    await pause(50);
  }
  throw busyDatabase(from);
}

function writeAlone(driver: SqliteDriver, path: string, statements: readonly string[]): void {
  write(driver, path, [...LOCK, ...statements, 'PRAGMA wal_checkpoint(TRUNCATE)'], () => {
    // Whoever is alone does not use it, and SQLite then leaves it behind. Still locked: nobody else can have it open.
    rmSync(`${path}-shm`, { force: true });
  });
}

function write(
  driver: SqliteDriver,
  path: string,
  statements: readonly string[],
  atLast: () => void = () => undefined,
): void {
  const database = driver.openForWriting(path);
  try {
    for (const statement of statements) database.run(statement);
    atLast();
  } finally {
    database.close();
  }
}

/** Asked for as a number: the report itself quotes what stands in a damaged page, and libsql ends the process at that. */
function refuseFaults(path: string): (database: ReadOnlyDatabase) => void {
  return (database) => {
    const [found] = database.all(
      "SELECT count(*) AS faults FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    );
    if (numberIn(found ?? {}, 'faults') !== 0)
      throw damagedDatabase(path, 'SQLite finds faults in it (PRAGMA integrity_check)');
  };
}

async function named<T>(path: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw explainSqlite(error, path);
  }
}

/** Link, not rename: it fails when the name is taken, whoever took it in the meantime. */
async function putInPlace(copy: string, to: string): Promise<void> {
  await sync(copy, constants.O_RDONLY);
  try {
    await link(copy, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // exFAT, CIFS and some FUSE file systems have no hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    await refuseTaken(to);
    await rename(copy, to);
  }
}

async function sync(path: string, flags: number): Promise<void> {
  const handle = await open(path, flags);
  await handle.sync().finally(() => handle.close());
}

/** SQLite removes `-wal` when the last user closes the database: one that stays is somebody's. */
async function refuseOpen(path: string): Promise<void> {
  const wal = await firstBytes(`${path}-wal`, 1);
  if (wal !== undefined) throw busyDatabase(path);
}

function literal(id: SmesherId): string {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new Error('not a smesher ID');
  return `x'${id}'`;
}
