import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface DataFile {
  readonly path: string;
  /** The number in its name. */
  readonly index: number;
}

/** The `postdata_<n>.bin` of a directory in the order of their numbers. Throws when it cannot be listed. */
export async function listDataFiles(dir: string): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  for (const name of await readdir(dir)) {
    const match = /^postdata_(\d+)\.bin$/.exec(name);
    if (match?.[1] !== undefined) files.push({ path: join(dir, name), index: Number(match[1]) });
  }
  return files.sort((a, b) => a.index - b.index);
}

/**
 * True when the numbers run from 0 without a hole. The real program numbers files by their order, so a hole
 * shifts all labels behind it and the proof is invalid (spacemesh.md §2.2).
 */
export function isContiguous(files: readonly DataFile[]): boolean {
  return files.every((file, at) => file.index === at);
}

/** Reads a file from the disk piece by piece; a read fault ends it early, as in the real program. */
export async function* readPieces(
  file: DataFile,
  pieceBytes: number,
  onFault: (error: unknown) => void,
): AsyncGenerator<number> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file.path, 'r');
    const buffer = Buffer.allocUnsafe(pieceBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, pieceBytes);
      if (bytesRead === 0) return;
      yield bytesRead;
    }
  } catch (error) {
    onFault(error);
  } finally {
    await handle?.close();
  }
}
