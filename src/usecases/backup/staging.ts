import { SmeshError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { projectOwner } from '../owners.ts';

/** A database as it is taken into a backup: a copy of ours, in one file, or in two where it could not be settled. */
export interface StagedDatabase {
  readonly path: string;
  readonly wal?: string;
  /** Why it is the bare files. */
  readonly raw?: string;
}

const ATTEMPTS = 5;

/**
 * Where copies of databases lie while a backup is made. There is no key in them. What a killed command leaves there is
 * cleared away by the next one that takes the project's lock, as every temporary file beside the journal is.
 */
function stagingFolder(context: Context): string {
  return `${journalFolder(context)}/.smesh-backup.staging.tmp`;
}

function journalFolder(context: Context): string {
  return `${stateFolder(context.directory)}/journal`;
}

/**
 * Runs a look at a copy that nobody else has, and leaves nothing: a dry run holds no lock, and a backup may be made beside
 * it.
 *
 * @param folder that is there, on the disk of the database
 */
export async function withCopy<T>(
  context: Context,
  source: string,
  folder: string,
  act: (staged: StagedDatabase | undefined) => Promise<T>,
): Promise<T> {
  const { files, system } = context.ports;
  const own = `${folder}/.smesh-look.${system.pid}${context.clock.now().toString(36)}.tmp`;
  try {
    await files.makeDirectory(own, { mode: 0o700 });
    return await act(await stageInto(context, source, `${own}/standing.sql`));
  } finally {
    await files.removeOwn(own);
  }
}

/** Removes the copies: those of this run, or of one that was killed. */
export async function clearStaging(context: Context): Promise<void> {
  const { files } = context.ports;
  if (await files.exists(stagingFolder(context))) await files.removeOwn(stagingFolder(context));
}

async function makeStaging(context: Context): Promise<void> {
  const { files } = context.ports;
  if (await files.exists(stagingFolder(context))) return;
  await files.makeDirectory(context.directory);
  await files.makeDirectory(stagingFolder(context), { mode: 0o700, ...(await projectOwner(context)) });
}

/**
 * A consistent copy of a database, whether the node runs or not. One that SQLite finds damaged is taken as it is, and so
 * is one that nothing here can open: what is there is worth more than nothing.
 */
export async function stageDatabase(
  context: Context,
  source: string,
  name: string,
): Promise<StagedDatabase | undefined> {
  const { files } = context.ports;
  if (!(await files.exists(source))) return undefined;
  await makeStaging(context);
  return stageInto(context, source, `${stagingFolder(context)}/${name}`);
}

async function stageInto(context: Context, source: string, path: string): Promise<StagedDatabase> {
  try {
    const editor = await context.ports.databaseEditor();
    await editor.copy(source, path);
    return { path };
  } catch (error) {
    if (!(error instanceof SmeshError) || !['damaged-database', 'no-sqlite'].includes(error.code))
      throw error;
    return { ...(await copyBare(context, source, path)), raw: error.message };
  }
}

async function copyBare(context: Context, source: string, path: string): Promise<StagedDatabase> {
  const { files } = context.ports;
  const look = async () => {
    const both = await Promise.all([files.facts(source), files.facts(`${source}-wal`)]);
    return JSON.stringify(both.map((facts) => facts && [facts.size, facts.modifiedMs, facts.inode]));
  };
  for (let attempt = 1; ; attempt += 1) {
    const before = await look();
    await files.removeOwn(path);
    await files.removeOwn(`${path}-wal`);
    await files.copy(source, path, { mode: 0o600 });
    const hasWal = await files.exists(`${source}-wal`);
    if (hasWal) await files.copy(`${source}-wal`, `${path}-wal`, { mode: 0o600 });
    if ((await look()) === before || attempt === ATTEMPTS)
      return hasWal ? { path, wal: `${path}-wal` } : { path };
  }
}
