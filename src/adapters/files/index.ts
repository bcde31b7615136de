import { randomBytes } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import type { FileFacts, FileOwnership, FilesPort } from '../../ports/files.ts';
import { cutFile, readTail } from './cut.ts';
import { lockHolder, takeLock } from './lock.ts';
import { lacksLinks, moveOnDisk, syncFolder } from './move-on-disk.ts';

/** Of what is read and written piece by piece. */
const CHUNK_BYTES = 256 * 1024;

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function toFacts(stats: Stats): FileFacts {
  return {
    kind: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'directory'
        : stats.isSymbolicLink()
          ? 'symlink'
          : 'other',
    size: stats.size,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    device: stats.dev,
    inode: stats.ino,
    modifiedMs: stats.mtimeMs,
  };
}

/** A name that no program takes for its own: hidden, and not ending in `.key`. */
function temporaryName(path: string): string {
  return join(dirname(path), `.smesh-${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

const TEMPORARY = /^\.smesh-.+\.[0-9a-z]+\.tmp$/;

/** Where a write really goes: a smesh.yaml that is a link into somebody's collection of dotfiles stays one. */
async function behindLink(path: string): Promise<string> {
  try {
    return (await fs.lstat(path)).isSymbolicLink() ? await fs.realpath(path) : path;
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

/** A file that is replaced keeps mode and owner where nothing else is asked for. */
async function keepOwnership(path: string, ownership: FileOwnership): Promise<FileOwnership> {
  const present = await fs.stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (present === undefined) return ownership;
  // Only root can give files away; for anybody else the new file belongs to them, as with any editor.
  const owner = process.getuid?.() === 0 ? { uid: present.uid, gid: present.gid } : {};
  return { mode: present.mode & 0o7777, ...owner, ...ownership };
}

async function writeTemporary(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  ownership: FileOwnership,
): Promise<string> {
  const temporary = temporaryName(path);
  const handle = await fs.open(temporary, 'wx', ownership.mode ?? 0o644);
  try {
    if (typeof content === 'string' || content instanceof Uint8Array) await handle.writeFile(content);
    else for await (const piece of content) await handle.writeFile(piece);
    // The mode given to open is cut by the umask; a key file must end up exactly 0600.
    if (ownership.mode !== undefined) await handle.chmod(ownership.mode);
    if (ownership.uid !== undefined && ownership.gid !== undefined)
      await handle.chown(ownership.uid, ownership.gid);
    await handle.sync();
  } catch (error) {
    await fs.rm(temporary, { force: true });
    // A write says what failed and not where.
    if (error instanceof Error && 'syscall' in error && !('path' in error)) Object.assign(error, { path });
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}

async function putNew(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  ownership: FileOwnership = {},
): Promise<void> {
  const temporary = await writeTemporary(path, content, ownership);
  try {
    // link, not rename: it fails when the name is taken, whoever took it in the meantime.
    await fs.link(temporary, path);
  } catch (error) {
    if (!lacksLinks(error)) throw error;
    await nodeFiles.move(temporary, path);
  } finally {
    await fs.rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

/** The real file system. Writes are whole or absent after a power cut (design §2). */
export const nodeFiles: FilesPort = {
  async facts(path, follow = 'follow') {
    try {
      return toFacts(follow === 'follow' ? await fs.stat(path) : await fs.lstat(path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async exists(path) {
    return (await this.facts(path, 'nofollow')) !== undefined;
  },

  async isReadable(path) {
    try {
      await fs.access(path, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  },

  readText: (path) => fs.readFile(path, 'utf8'),

  async readTextIfPresent(path) {
    try {
      return await fs.readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  readBytes: (path) => fs.readFile(path),

  readChunks: (path) => createReadStream(path, { highWaterMark: CHUNK_BYTES }),

  async list(path) {
    const entries = await fs.readdir(path, { withFileTypes: true });
    return entries
      .map((entry) => ({
        name: entry.name,
        kind: entry.isFile()
          ? ('file' as const)
          : entry.isDirectory()
            ? ('directory' as const)
            : entry.isSymbolicLink()
              ? ('symlink' as const)
              : ('other' as const),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  },

  realPath: (path) => fs.realpath(path),

  async freeBytes(path) {
    let place = path;
    for (;;) {
      try {
        const { bavail, bsize } = await fs.statfs(place);
        return bavail * bsize;
      } catch (error) {
        if (!isMissing(error) || place === dirname(place)) throw error;
        place = dirname(place);
      }
    }
  },

  async makeDirectory(path, ownership = {}) {
    // One by one, not `recursive`: that turns in a circle for ever where the system makes no folders (/proc).
    const missing: string[] = [];
    for (let place = path; !(await this.exists(place)) && place !== dirname(place); place = dirname(place))
      missing.unshift(place);
    for (const place of missing) {
      await fs.mkdir(place, ownership.mode).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      // The umask cuts the mode; and parents that come into being on the way belong to the same owner, or a node that
      // runs as that owner cannot enter.
      if (ownership.mode !== undefined) await fs.chmod(place, ownership.mode);
      if (ownership.uid !== undefined && ownership.gid !== undefined)
        await fs.chown(place, ownership.uid, ownership.gid);
      await syncFolder(dirname(place));
    }
  },

  async writeAtomic(path, content, ownership = {}) {
    const target = await behindLink(path);
    const temporary = await writeTemporary(target, content, await keepOwnership(target, ownership));
    try {
      await fs.rename(temporary, target);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
  },

  writeNew(path, content, ownership) {
    return putNew(path, content, ownership);
  },

  writeNewFrom(path, content, ownership) {
    return putNew(path, content, ownership);
  },

  async move(from, to) {
    if (await this.exists(to)) throw Object.assign(new Error(`EEXIST: ${to}`), { code: 'EEXIST' });
    try {
      await fs.rename(from, to);
    } catch (error) {
      // The node's data are often on another disk than the project.
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      const content = await fs.readFile(from);
      await this.writeNew(to, content, await keepOwnership(from, {}));
      if (!content.equals(await fs.readFile(to))) {
        await fs.rm(to);
        throw Object.assign(new Error(`EIO: ${to} reads back differently`), { code: 'EIO' });
      }
      await fs.rm(from);
    }
    await syncFolder(dirname(to));
    await syncFolder(dirname(from));
  },

  moveOnDisk,

  async copy(from, to, ownership = {}) {
    const temporary = temporaryName(to);
    try {
      await fs.copyFile(from, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      const { mode, uid, gid } = await keepOwnership(from, ownership);
      if (mode !== undefined) await fs.chmod(temporary, mode);
      if (uid !== undefined && gid !== undefined) await fs.chown(temporary, uid, gid);
      const handle = await fs.open(temporary, 'r');
      await handle.sync().finally(() => handle.close());
      await this.move(temporary, to);
    } finally {
      await fs.rm(temporary, { force: true });
    }
  },

  async replace(from, to) {
    await fs.rename(from, to);
    await syncFolder(dirname(to));
    if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
  },

  readTail,
  cut: cutFile,

  setMode: (path, mode) => fs.chmod(path, mode),

  async setOwner(path, uid, gid) {
    await fs.lchown(path, uid, gid);
  },

  async removeOwn(path) {
    await fs.rm(path, { recursive: true, force: true });
  },

  async removeLeftovers(folder) {
    const names = await fs.readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const leftovers = names.filter((name) => TEMPORARY.test(name));
    // A folder, where a database was being copied.
    await Promise.all(leftovers.map((name) => fs.rm(join(folder, name), { recursive: true, force: true })));
  },

  lock: takeLock,
  lockHolder,
};
