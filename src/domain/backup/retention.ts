import { type BackupName, parseBackupName } from './file-name.ts';

interface Named extends BackupName {
  readonly file: string;
}

/** The backups of a project among the names of a folder, newest first. */
export function backupsAmong(files: readonly string[], project: string): readonly Named[] {
  return files
    .flatMap((file) => {
      const name = parseBackupName(file);
      return name?.project === project ? [{ ...name, file }] : [];
    })
    .sort((a, b) => b.at - a.at || b.number - a.number || (a.file < b.file ? -1 : 1));
}

/**
 * Which files may go when so many are kept: of those made by hand and of automatic ones each so many, encrypted ones not
 * because of plain ones, which have no keys in them. Never the one made last.
 *
 * @param made in the order in which they were made: the times in their names are of a clock that may have been wrong
 */
export function superseded(made: readonly string[], project: string, keep: number): readonly string[] {
  const all = made
    .flatMap((file) => {
      const name = parseBackupName(file);
      return name?.project === project ? [{ ...name, file }] : [];
    })
    .reverse();
  const kinds = new Map<string, number>();
  return all
    .filter(({ reason, encrypted }) => {
      const kind = `${reason === 'manual'} ${encrypted}`;
      const seen = (kinds.get(kind) ?? 0) + 1;
      kinds.set(kind, seen);
      return seen > keep;
    })
    .map(({ file }) => file)
    .filter((file) => file !== all[0]?.file);
}
