/** Why a backup was made: by hand, or before what. */
export const BACKUP_REASONS = [
  'manual',
  'merge',
  'adopt',
  'keys',
  'poet-switch',
  'upgrade',
  'restore',
] as const;

export type BackupReason = (typeof BACKUP_REASONS)[number];

export interface BackupName {
  readonly project: string;
  /** Milliseconds since 1970, whole seconds. */
  readonly at: number;
  readonly reason: BackupReason;
  /** Encrypted with age; a plain one has no private key in it. */
  readonly encrypted: boolean;
  /** Several in one second are numbered, from 2. */
  readonly number: number;
}

const ENDING = '.smesh-backup';

/** `farm-20261127T093012Z-upgrade.smesh-backup.age` */
export function backupFileName({ project, at, reason, encrypted, number }: BackupName): string {
  const time = new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '');
  const suffix = number > 1 ? `-${number}` : '';
  return `${project}-${time}Z-${reason}${suffix}${ENDING}.${encrypted ? 'age' : 'tar'}`;
}

const PATTERN = new RegExp(
  `^(.+)-(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)Z-(${BACKUP_REASONS.join('|')})(?:-([1-9]\\d*))?\\.smesh-backup\\.(age|tar)$`,
);

/** What a file's name says; `undefined` for every name that `backupFileName` does not make. */
export function parseBackupName(file: string): BackupName | undefined {
  const match = PATTERN.exec(file);
  if (match === null) return undefined;
  const [, project = '', year, month, day, hour, minute, second, reason, number, ending] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(at)) return undefined;
  const name: BackupName = {
    project,
    at,
    reason: reason as BackupReason,
    encrypted: ending === 'age',
    number: number === undefined ? 1 : Number(number),
  };
  return backupFileName(name) === file ? name : undefined;
}
