import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { FilesPort } from '../../ports/files.ts';

/** A folder that was named may hold the data folder a few levels down: a project's, a home's. */
const DEPTH = 3;
const MARKS = ['local.sql', 'node_state.sql', 'identities', 'state.sql'] as const;
/** Folders with thousands of entries hold no node. */
const WIDEST = 200;

/**
 * The data folder of a node: the one that was named, or the only one below it. Without links, so that two names of one
 * folder are one node.
 */
export async function findSourceFolder(files: FilesPort, named: string): Promise<string> {
  if ((await files.facts(named))?.kind !== 'directory') {
    throw new SmeshError('no-source', ExitCode.invalid, `There is no folder ${named}. Nothing was changed.`, {
      hint: 'Name the data folder of the node that shall come: the one with its local.sql and identities/. Is a disk not mounted?',
    });
  }
  const real = await files.realPath(named);
  if (await isNodeFolder(files, real)) return real;
  const found = await search(files, real, DEPTH);
  const [only, second] = found;
  if (only === undefined) {
    throw new SmeshError(
      'no-source',
      ExitCode.invalid,
      `There is no node's data in ${named}: neither local.sql nor identities/, also not below it. Nothing was changed.`,
      { hint: 'Name the data folder of the node that shall come (main.data-folder in its config).' },
    );
  }
  if (second !== undefined) {
    throw new SmeshError(
      'many-sources',
      ExitCode.usage,
      `There are ${found.length} nodes in ${named}. Nothing was changed.`,
      { details: found, hint: 'Name those that shall come, one by one.' },
    );
  }
  return only;
}

async function isNodeFolder(files: FilesPort, folder: string): Promise<boolean> {
  const marks = await Promise.all(MARKS.map((mark) => files.exists(`${folder}/${mark}`)));
  return marks.includes(true);
}

async function search(files: FilesPort, folder: string, depth: number): Promise<readonly string[]> {
  if (depth === 0) return [];
  const entries = await files.list(folder).catch(() => []);
  const folders = entries.filter(({ kind, name }) => kind === 'directory' && !name.startsWith('.'));
  if (folders.length > WIDEST) return [];
  const found: string[] = [];
  for (const { name } of folders) {
    const path = `${folder}/${name}`;
    if (await isNodeFolder(files, path).catch(() => false)) found.push(path);
    else found.push(...(await search(files, path, depth - 1)));
  }
  return found;
}
