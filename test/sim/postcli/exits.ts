/** `log.Fatal`: the message on stderr, exit 1. */
export class Fatal extends Error {}

/** `log.Panic`: the message on stderr twice, exit 2. */
export class GoPanic extends Error {}

/** An initialisation that failed: said on stderr, and exit 0 all the same (spacemesh.md §8.1, §14.4). */
export class InitialisationFault extends Error {}

/** SIGINT was seen between two batches. */
export class Interrupted extends Error {}

const ERRNO_TEXT: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EIO: 'input/output error',
  EDQUOT: 'disk quota exceeded',
  ENOSPC: 'no space left on device',
};

/** An operating system error as Go prints it: `open /x: permission denied`. */
export function osErrorText(error: unknown, operation: string, path: string): string {
  const code = errorCode(error) ?? '';
  return `${operation} ${path}: ${ERRNO_TEXT[code] ?? (error instanceof Error ? error.message : String(error))}`;
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
