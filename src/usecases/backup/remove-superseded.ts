import { superseded } from '../../domain/backup/retention.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

/** Removes backups of this project that `backup.keep` says are too many, and answers which. A new one is there already. */
export async function removeSuperseded(
  context: Context,
  project: Project,
  destination: string,
): Promise<readonly string[]> {
  const keep = project.backup?.keep;
  if (keep === undefined) return [];
  const { files } = context.ports;
  const entries = await files.list(destination);
  const names = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
  const removed: string[] = [];
  for (const name of superseded(names, project.name, keep)) {
    await files.removeOwn(`${destination}/${name}`);
    removed.push(`${destination}/${name}`);
  }
  return removed;
}
