import { createHash } from 'node:crypto';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';

/**
 * An abstract socket of the kernel, named after the path: it is taken by one process at a time and is free again the
 * moment that process ends, also by kill -9 or a power cut. A lock file alone would need guesses about stale ones.
 */
async function socketName(path: string): Promise<string> {
  const real = join(await realpath(dirname(path)), basename(path));
  return `\0smesh-compose-${createHash('sha256').update(real).digest('hex').slice(0, 40)}`;
}

/**
 * Takes the lock, or answers `undefined` when another process of this host holds it. The file at `path` only says who
 * (for messages); it locks nothing and may stay behind.
 */
export async function takeLock(
  path: string,
  holder: string,
): Promise<{ release(): Promise<void> } | { heldBy: string }> {
  const server = createServer((connection) => connection.destroy());
  const name = await socketName(path);
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(name, () => resolve(true));
  });
  if (!taken) {
    const heldBy = await readFile(path, 'utf8').catch(() => '');
    return { heldBy: heldBy.trim() === '' ? 'another smesh-compose' : heldBy.trim() };
  }
  server.unref();
  await writeFile(path, `${holder}\n`);
  return {
    release: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
