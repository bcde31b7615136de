import { createHash } from 'node:crypto';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/**
 * An abstract socket of the kernel, named after the folder: it is taken by one process at a time and is free again the
 * moment that process ends, also by kill -9 or a power cut. A lock file alone would need guesses about stale ones.
 */
async function socketName(directory: string): Promise<string> {
  const real = await realpath(directory).catch(() => directory);
  return `\0smesh-compose-${createHash('sha256').update(real).digest('hex').slice(0, 40)}`;
}

/**
 * Takes the lock of a project directory, or says who on this host holds it. `.smesh/lock` inside only tells the name of
 * the holder; it locks nothing, may stay behind, and is not written where there is no `.smesh` yet.
 */
export async function takeLock(
  directory: string,
  holder: string,
): Promise<{ release(): Promise<void> } | { heldBy: string }> {
  const server = createServer((connection) => connection.destroy());
  const name = await socketName(directory);
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(name, () => resolve(true));
  });
  const note = join(directory, '.smesh', 'lock');
  if (!taken) {
    const heldBy = (await readFile(note, 'utf8').catch(() => '')).trim();
    return { heldBy: heldBy === '' ? 'another smesh-compose' : heldBy };
  }
  server.unref();
  await writeFile(note, `${holder}\n`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  return {
    release: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
