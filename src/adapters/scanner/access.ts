import { accessSync, constants, type Stats } from 'node:fs';

export interface User {
  readonly uid: number;
  readonly groups: readonly number[];
}

/** Effective user and groups of this process: what the kernel asks when it opens a file. */
export function currentUser(): User {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  return { uid, groups: [gid, ...(process.getgroups?.() ?? [])] };
}

/**
 * Whether the mode bits let the user read. They are free, the file was looked at for its size anyway; access lists and
 * root squash they do not know, so a no is confirmed and a yes on a network share is tried.
 */
export function modeAllowsReading(stats: Pick<Stats, 'uid' | 'gid' | 'mode'>, user: User): boolean {
  if (user.uid === 0) return true;
  if (stats.uid === user.uid) return (stats.mode & 0o400) !== 0;
  if (user.groups.includes(stats.gid)) return (stats.mode & 0o040) !== 0;
  return (stats.mode & 0o004) !== 0;
}

export function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** `uid 0, mode 0700` */
export function describeOwner(stats: Pick<Stats, 'uid' | 'mode'>): string {
  return `uid ${stats.uid}, mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}`;
}

/** The system's word for what went wrong: `EACCES`. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error);
}
