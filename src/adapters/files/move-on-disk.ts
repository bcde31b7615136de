import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';

/** Without it a rename may be lost in a power cut although the file's content is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** exFAT, CIFS and some FUSE file systems have no hard links. */
export function lacksLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '');
}

/** See `FilesPort.moveOnDisk`. */
export async function moveOnDisk(from: string, to: string): Promise<void> {
  try {
    // link, not rename: it fails when the name is taken, whoever took it in the meantime.
    await fs.link(from, to);
  } catch (error) {
    // A union of disks may link nothing from one to another, and rename it all the same.
    if (!lacksLinks(error) && codeOf(error) !== 'EXDEV') throw error;
    return renameOntoNothing(from, to);
  }
  // The new name must be on the disk before the old one goes.
  await syncFolder(dirname(to));
  await fs.unlink(from);
  await syncFolder(dirname(from));
}

async function renameOntoNothing(from: string, to: string): Promise<void> {
  const isTaken = await fs.lstat(to).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    },
  );
  if (isTaken) throw Object.assign(new Error(`EEXIST: ${to}`), { code: 'EEXIST' });
  await fs.rename(from, to);
  await syncFolder(dirname(to));
  await syncFolder(dirname(from));
}
