import * as fs from 'node:fs/promises';

const LONGEST_TAIL = 1024 * 1024;

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** See `FilesPort.readTail`. */
export async function readTail(path: string, from: number): Promise<Uint8Array> {
  const handle = await fs.open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.max(0, size - from);
    if (length > LONGEST_TAIL) throw systemError('EFBIG', path);
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, from);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** See `FilesPort.cut`. */
export async function cutFile(path: string, size: number, cutTo: number): Promise<void> {
  const handle = await fs.open(path, 'r+');
  try {
    if ((await handle.stat()).size !== size) throw systemError('ESTALE', path);
    await handle.truncate(cutTo);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
