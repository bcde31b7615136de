import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { realDirectory } from './real-directory.ts';

/** How long the holder of a lock may take to say who it is. */
const ANSWER_MS = 1000;
const LONGEST_ANSWER = 500;

/** It holds the lock and does not say who it is, or has just ended. */
const UNNAMED_HOLDER = 'another smesh-compose';

/**
 * An abstract socket of the kernel, named after the folder: it is taken by one process at a time and is free again the
 * moment that process ends, also by kill -9 or a power cut. A lock file would need guesses about stale ones.
 */
async function socketName(directory: string): Promise<string> {
  const real = await realDirectory(directory);
  return `\0smesh-compose-${createHash('sha256').update(real).digest('hex').slice(0, 40)}`;
}

/** Asks the holder itself: what is written in a file may be of one that has long ended. `undefined`: there is none. */
function askHolder(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    let isThere = false;
    const socket = connect(name);
    const finish = () => {
      socket.destroy();
      if (!isThere) resolve(undefined);
      else resolve(answer.trim() === '' ? UNNAMED_HOLDER : answer.trim());
    };
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, finish);
    socket.on('connect', () => {
      isThere = true;
    });
    socket.on('data', (chunk: string) => {
      answer = (answer + chunk).slice(0, LONGEST_ANSWER);
    });
    socket.on('end', finish);
    socket.on('error', finish);
  });
}

/** Who holds the lock of a directory on this host; `undefined`: nobody. Takes nothing, so nobody is kept out by it. */
export async function lockHolder(directory: string): Promise<string | undefined> {
  return askHolder(await socketName(directory));
}

/** Takes the lock of a project directory, or says who on this host holds it. */
export async function takeLock(
  directory: string,
  holder: string,
): Promise<{ release(): Promise<void> } | { heldBy: string }> {
  const server = createServer((connection) => {
    connection.on('error', () => connection.destroy());
    connection.write(`${holder}\n`);
    // Not `end`: a reader that never hangs up would keep `release` waiting.
    connection.destroySoon();
  });
  const name = await socketName(directory);
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(name, () => resolve(true));
  });
  if (!taken) return { heldBy: (await askHolder(name)) ?? UNNAMED_HOLDER };
  server.unref();
  return {
    release: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
