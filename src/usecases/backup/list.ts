import type { BackupName } from '../../domain/backup/file-name.ts';
import { backupsAmong } from '../../domain/backup/retention.ts';
import type { Project } from '../../domain/project/types.ts';
import { explainSystemError } from '../../domain/system-error.ts';
import type { Context } from '../context.ts';
import { destinationsOf } from './destinations.ts';

export interface ListedBackup extends Omit<BackupName, 'number'> {
  readonly path: string;
  readonly bytes: number;
}

export interface BackupList {
  readonly destinations: readonly string[];
  /** Newest first. */
  readonly backups: readonly ListedBackup[];
  readonly unreadable: readonly { readonly destination: string; readonly why: string }[];
}

/** The backups of a project in all its destinations, by their names; opens none. */
export async function listBackups(context: Context, project: Project): Promise<BackupList> {
  const { files } = context.ports;
  const destinations = destinationsOf(context, project);
  const backups: ListedBackup[] = [];
  const unreadable: { destination: string; why: string }[] = [];
  for (const destination of destinations) {
    try {
      if ((await files.facts(destination)) === undefined) continue;
      const entries = await files.list(destination);
      const names = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
      for (const { file, number: _, ...name } of backupsAmong(names, project.name)) {
        const path = `${destination}/${file}`;
        backups.push({ ...name, path, bytes: (await files.facts(path))?.size ?? 0 });
      }
    } catch (error) {
      const explained = explainSystemError(error);
      if (explained === undefined) throw error;
      unreadable.push({ destination, why: explained.message });
    }
  }
  backups.sort((a, b) => b.at - a.at || (a.path < b.path ? -1 : 1));
  return { destinations, backups, unreadable };
}
