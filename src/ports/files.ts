/** Owner and permission bits that a file or folder is given; fields left out stay as the system makes them. */
export interface FileOwnership {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly device: number;
  readonly inode: number;
  readonly modifiedMs: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileFacts['kind'];
}

/**
 * The file system as the use cases need it. Every method rejects with the system's own error (`code` set) except
 * where its name says otherwise; a use case turns that into a SmeshError naming file and identity.
 */
export interface FilesPort {
  /** `undefined` when nothing is there; other faults reject. */
  facts(path: string, follow?: 'follow' | 'nofollow'): Promise<FileFacts | undefined>;
  exists(path: string): Promise<boolean>;
  /** Whether this process may read it. */
  isReadable(path: string): Promise<boolean>;
  readText(path: string): Promise<string>;
  readTextIfPresent(path: string): Promise<string | undefined>;
  readBytes(path: string): Promise<Uint8Array>;
  /** The content piece by piece, for files that do not fit into memory. */
  readChunks(path: string): AsyncIterable<Uint8Array>;
  list(path: string): Promise<readonly DirectoryEntry[]>;
  realPath(path: string): Promise<string>;
  /** Bytes free for this user on the file system that holds the path (or its nearest existing parent). */
  freeBytes(path: string): Promise<number>;

  /** Makes the folder and its missing parents; existing ones are left as they are. */
  makeDirectory(path: string, ownership?: FileOwnership): Promise<void>;
  /**
   * Replaces or makes the file so that after a power cut it is whole, old or new: temporary file beside it, fsync,
   * rename, fsync of the folder. A file that is replaced keeps the mode and (where this process may give files away) the
   * owner that `ownership` leaves out; a link stays a link.
   */
  writeAtomic(path: string, content: string | Uint8Array, ownership?: FileOwnership): Promise<void>;
  /** The same, but rejects with `EEXIST` when the file is there: no key is ever overwritten. */
  writeNew(path: string, content: string | Uint8Array, ownership?: FileOwnership): Promise<void>;
  /** `writeNew` for what comes piece by piece. Where that fails in the middle nothing is left. */
  writeNewFrom(path: string, content: AsyncIterable<Uint8Array>, ownership?: FileOwnership): Promise<void>;
  /**
   * Rename with fsync of both folders; rejects when the target is there. From one disk to another it copies, reads back
   * and then removes: killed in between it leaves both, never none.
   */
  move(from: string, to: string): Promise<void>;
  /**
   * Gives a file of any size another name on the same file system (`EXDEV` otherwise), with fsync of both folders. Never
   * onto something that is there (`EEXIST`). Killed in between it leaves both names of one and the same file, never none.
   */
  moveOnDisk(from: string, to: string): Promise<void>;
  /**
   * Copies a file of any size so that after a power cut the copy is whole or not there; rejects with `EEXIST` when the
   * target is there. Mode and owner that `ownership` leaves out are those of the original.
   */
  copy(from: string, to: string, ownership?: FileOwnership): Promise<void>;
  /** Puts a file in another's place, or where nothing is, in one step: at no time is there none. Same disk only (`EXDEV`). */
  replace(from: string, to: string): Promise<void>;
  /** The bytes from an offset to the end of a file; rejects with `EFBIG` for more than a mebibyte. */
  readTail(path: string, from: number): Promise<Uint8Array>;
  /** Cuts a file of this very size down, with fsync; rejects with `ESTALE` when it has another size by now. */
  cut(path: string, size: number, cutTo: number): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  setOwner(path: string, uid: number, gid: number): Promise<void>;
  /** Only ever called for files that the tool itself made (journal, temporary files, generated files). */
  removeOwn(path: string): Promise<void>;
  /** Removes temporary files that writes of this port left in a folder when they were killed. No folder is fine. */
  removeLeftovers(folder: string): Promise<void>;
  /**
   * Takes the exclusive lock of a project directory, which ends with the process, however it ends, or says who holds it.
   * Writes nothing: the directory may be read-only, or not there yet.
   */
  lock(directory: string, holder: string): Promise<{ release(): Promise<void> } | { heldBy: string }>;
  /** Who on this host holds the lock of a directory; `undefined`: nobody. Takes nothing. */
  lockHolder(directory: string): Promise<string | undefined>;
}
