import { ExitCode, SmeshError } from './errors.ts';

/** What the system says, in words, and what is usually done about it. */
const EXPLANATIONS: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  EACCES: {
    what: 'permission denied',
    hint: 'Run it as the user that owns the file, or with sudo.',
  },
  ENOENT: {
    what: 'there is no such file or directory, or none can be made there',
    hint: 'Is its disk mounted?',
  },
  EPERM: {
    what: 'not permitted',
    hint: 'Run it as the user that owns the file, or with sudo.',
  },
  EROFS: {
    what: 'the file system is mounted read-only',
    hint: 'Mount it for writing: a disk that the kernel made read-only by itself has faults (dmesg tells).',
  },
  ENOSPC: { what: 'no space is left on the device', hint: 'Make room, then run the same command again.' },
  EDQUOT: { what: 'the disk quota is used up', hint: 'Make room, then run the same command again.' },
  EIO: {
    what: 'the device reports an input/output error',
    hint: 'Look at the disk: dmesg tells what it says.',
  },
  ENOTDIR: {
    what: 'a part of the path is no directory',
    hint: 'Move what is in the way, or name another place.',
  },
  EISDIR: { what: 'it is a directory', hint: 'Move what is in the way, or name another place.' },
  ELOOP: { what: 'its links lead in a circle', hint: 'Mend the link.' },
  ENAMETOOLONG: { what: 'the name is too long', hint: 'Use a shorter path.' },
  EMFILE: { what: 'too many files are open', hint: 'Raise the limit: ulimit -n 4096' },
  ESTALE: { what: 'the share went away', hint: 'Mount it again.' },
  ENOTCONN: {
    what: 'what is mounted there does not answer',
    hint: 'Unmount it (umount -l), then mount it again.',
  },
  ENXIO: { what: 'its device is gone', hint: 'Look at the disk: dmesg tells what it says.' },
  ENODEV: { what: 'its device is gone', hint: 'Look at the disk: dmesg tells what it says.' },
};

/**
 * A fault that the system reported about a file, as an error that a user can mend (exit 4); `undefined` for everything
 * else, which is a bug.
 *
 * @param place the path, where the fault does not name one itself (a sync does not)
 */
export function explainSystemError(error: unknown, place?: string): SmeshError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const explanation = EXPLANATIONS[String(error.code)];
  const path = 'path' in error && typeof error.path === 'string' ? error.path : place;
  if (explanation === undefined || path === undefined) return undefined;
  return new SmeshError(
    'system-error',
    ExitCode.environment,
    `${path}: ${explanation.what} (${String(error.code)})`,
    {
      hint: explanation.hint,
      cause: error,
    },
  );
}
