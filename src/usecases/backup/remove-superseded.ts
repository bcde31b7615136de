import { dirname } from 'node:path';
import { superseded } from '../../domain/backup/retention.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

/**
 * Notes which files this project has made, in their order. Another project may have the same name and the same folder, and
 * a clock may go backwards: names tell neither whose a backup is, nor which is the newest. Beside the journal, where the next
 * command tidies up after one that was killed.
 */
function recordOf(context: Context): string {
  return `${stateFolder(context.directory)}/journal/backups-made`;
}

/**
 * Removes backups that this project made in a folder and that `backup.keep` says are too many, and answers which. The new
 * ones are there already, and are spared as all of `spared` are.
 */
export async function removeSuperseded(
  context: Context,
  project: Project,
  destination: string,
  spared: readonly string[],
): Promise<readonly string[]> {
  const keep = project.backup?.keep;
  if (keep === undefined) return [];
  const { files } = context.ports;
  const real = async (path: string) => files.realPath(path).catch(() => path);
  const safe = new Set(await Promise.all(spared.map(real)));
  const entries = await files.list(destination);
  const there = new Set(entries.filter(({ kind }) => kind === 'file').map(({ name }) => name));
  const made = (await readRecord(context))
    .filter((path) => path.startsWith(`${destination}/`))
    .map((path) => path.slice(destination.length + 1))
    .filter((name) => there.has(name));
  const removed: string[] = [];
  for (const name of superseded(made, project.name, keep)) {
    const path = `${destination}/${name}`;
    if (safe.has(await real(path))) continue;
    await files.removeOwn(path);
    removed.push(path);
  }
  return removed;
}

async function readRecord(context: Context): Promise<readonly string[]> {
  const text = await context.ports.files.readTextIfPresent(recordOf(context));
  return (text ?? '').split('\n').filter((line) => line !== '');
}

/** The caller holds the project's lock. */
export async function noteMade(context: Context, path: string, owner: object | undefined): Promise<void> {
  const lines = [...(await readRecord(context)).filter((line) => line !== path), path];
  const record = recordOf(context);
  await context.ports.files.makeDirectory(dirname(record), { mode: 0o700, ...owner });
  await context.ports.files.writeAtomic(record, `${lines.slice(-20_000).join('\n')}\n`, {
    mode: 0o600,
    ...owner,
  });
}
