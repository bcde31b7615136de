import { type Dirent, existsSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isSystemFolder, type Mount } from '../../domain/disk/mounts.ts';
import { isFuse, isNetworkFileSystem } from '../../domain/disk/resolve.ts';
import { pendingName } from '../../domain/identity/pending-key.ts';
import { dataFileIndex } from '../../domain/post/completeness.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { FoundKey, ScanReport } from '../../domain/post/types.ts';
import type { CryptoPort } from '../../ports/crypto.ts';
import { describeOwner, errorCode, type User } from './access.ts';
import { type BareFacts, readLockedDirectory, readPostDirectory } from './directory-reader.ts';
import { isKeyFileName, readKey } from './key-reader.ts';

/** go-spacemesh's own folder: only its keys are looked at. */
const NODE_FOLDER = 'node-data';
/** Every node has it, whatever its folder is called. */
const NODE_DATABASE = 'local.sql';
const NEVER_ENTERED = new Set([
  ...[
    '$RECYCLE.BIN',
    'System Volume Information',
    'lost+found',
    'node_modules',
    '@eaDir',
    '#recycle',
    '#snapshot',
  ],
]);
/** Directories between two moments at which Ctrl-C can be noticed. */
const BREATH = 64;
/** How deep `--keys` folders are searched. */
const KEY_DEPTH = 3;

export interface WalkOptions {
  readonly crypto: CryptoPort;
  readonly user: User;
  readonly maxDepth: number;
  /** Mount points that do not answer: touching them would hang. */
  readonly dead: ReadonlySet<string>;
  /** Paths, with symlinks or without, that are passed over as if they were not there. */
  readonly ignore: ReadonlySet<string>;
  mountOf(realPath: string): Mount | undefined;
}

export interface Walked {
  readonly directories: readonly (BareFacts & { readonly mount: Mount | undefined })[];
  readonly keys: readonly FoundKey[];
  readonly nodeFolders: readonly string[];
  readonly skipped: ScanReport['skipped'];
}

interface Place {
  readonly path: string;
  readonly realPath: string;
  readonly depth: number;
  /** The root is in a system folder, so somebody wants what is there. */
  readonly systemWanted: boolean;
}

function childOf(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** One walk over roots and key places. Folders first, symlinks after all of them, nothing twice. */
export class Walk {
  readonly #options: WalkOptions;
  readonly #directories: (BareFacts & { readonly mount: Mount | undefined })[] = [];
  readonly #keys = new Map<string, FoundKey>();
  readonly #skipped = new Map<string, string>();
  readonly #visited = new Set<string>();
  readonly #inventedInodes = new Map<number, boolean>();
  readonly #nodeFolders = new Set<string>();
  readonly #links: Place[] = [];
  #sinceBreath = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  result(): Walked {
    return {
      directories: this.#directories,
      keys: [...this.#keys.values()],
      nodeFolders: [...this.#nodeFolders].sort(),
      skipped: [...this.#skipped].map(([path, reason]) => ({ path, reason })),
    };
  }

  #skip(path: string, reason: string): void {
    if (!this.#skipped.has(path)) this.#skipped.set(path, reason);
  }

  /** Walks the roots, the deepest first: an outer root must not use up the depth of an inner one. */
  async roots(paths: readonly string[]): Promise<void> {
    for (const path of [...paths].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))) {
      const realPath = this.#resolve(path);
      if (realPath !== undefined) {
        await this.#descend({ path, realPath, depth: 0, systemWanted: isSystemFolder(realPath) });
      }
    }
    for (let link = this.#links.shift(); link !== undefined; link = this.#links.shift()) {
      await this.#followLink(link);
    }
  }

  #resolve(path: string): string | undefined {
    if (this.#options.dead.has(path)) return undefined;
    try {
      return realpathSync(path);
    } catch (error) {
      this.#skip(path, errorCode(error) === 'ENOENT' ? 'is not there' : errorCode(error));
      return undefined;
    }
  }

  async #followLink(link: Place): Promise<void> {
    let realPath: string;
    try {
      realPath = realpathSync(link.path);
      if (!statSync(realPath).isDirectory()) return;
    } catch {
      // A link to nothing, or to where this user may not look, is no finding.
      return;
    }
    const name = realPath.slice(realPath.lastIndexOf('/') + 1);
    if (this.#isShut(realPath, name, link.systemWanted)) return;
    await this.#descend({ ...link, realPath });
  }

  #isShut(realPath: string, name: string, systemWanted: boolean): boolean {
    if (name.startsWith('.') || NEVER_ENTERED.has(name)) return true;
    if (this.#options.dead.has(realPath)) return true;
    return !systemWanted && isSystemFolder(realPath);
  }

  /** Bind mounts show one folder at two places: device and inode tell. FUSE makes inodes up, there the path counts. */
  #firstVisit(realPath: string, stats: Stats): boolean {
    let invented = this.#inventedInodes.get(stats.dev);
    if (invented === undefined) {
      invented = isFuse(this.#options.mountOf(realPath)?.fileSystem ?? '');
      this.#inventedInodes.set(stats.dev, invented);
    }
    const mark = invented ? realPath : `${stats.dev}:${stats.ino}`;
    if (this.#visited.has(mark)) return false;
    this.#visited.add(mark);
    return true;
  }

  async #descend(place: Place): Promise<void> {
    this.#sinceBreath += 1;
    if (this.#sinceBreath >= BREATH) {
      this.#sinceBreath = 0;
      await setImmediate();
    }
    const folders = this.#look(place);
    if (place.depth >= this.#options.maxDepth) return;
    for (const name of folders) {
      const realPath = childOf(place.realPath, name);
      if (this.#isShut(realPath, name, place.systemWanted)) continue;
      await this.#descend({ ...place, path: childOf(place.path, name), realPath, depth: place.depth + 1 });
    }
  }

  /** Takes in one folder and answers the names of those in it, sorted. */
  #look(place: Place): readonly string[] {
    const { path, realPath } = place;
    if (this.#options.ignore.has(path) || this.#options.ignore.has(realPath)) return [];
    let stats: Stats;
    let entries: Dirent[];
    try {
      stats = statSync(path);
    } catch (error) {
      const notUtf8 = path.includes('\ufffd') && errorCode(error) === 'ENOENT';
      this.#skip(path, notUtf8 ? 'its name is not UTF-8' : errorCode(error));
      return [];
    }
    if (!this.#firstVisit(realPath, stats)) return [];
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch (error) {
      const locked = readLockedDirectory(path, realPath, stats);
      if (locked !== undefined) this.#directories.push({ ...locked, mount: this.#options.mountOf(realPath) });
      else this.#skip(path, `cannot be listed: ${errorCode(error)} (${describeOwner(stats)})`);
      return [];
    }

    const folders: string[] = [];
    const data: string[] = [];
    const keys: string[] = [];
    let hasMetadata = false;
    for (const entry of entries) {
      const { name } = entry;
      // Files come by the thousand: the cheapest question first.
      if (name.startsWith('postdata_')) {
        if (name === METADATA_FILE) hasMetadata = true;
        else if (dataFileIndex(name) !== undefined) data.push(name);
      } else if (entry.isDirectory()) {
        if (name === 'identities') this.nodeIdentities(childOf(path, name));
        else if (name === NODE_FOLDER) this.#nodeFolder(childOf(path, name));
        else folders.push(name);
      } else if (isKeyFileName(name)) {
        keys.push(name);
      } else if (name === NODE_DATABASE) {
        this.#nodeFolders.add(path);
      } else if (entry.isSymbolicLink() && place.depth < this.#options.maxDepth && !name.startsWith('.')) {
        this.#links.push({ ...place, path: childOf(path, name), depth: place.depth + 1 });
      }
    }
    if (hasMetadata || data.length > 0) {
      const mount = this.#options.mountOf(realPath);
      const tryReading =
        mount !== undefined && (isNetworkFileSystem(mount.fileSystem) || isFuse(mount.fileSystem));
      const facts = readPostDirectory(
        { path, realPath, stats },
        { hasMetadata, data, keys },
        {
          crypto: this.#options.crypto,
          user: this.#options.user,
          tryReading,
        },
      );
      this.#directories.push({ ...facts, mount });
    } else {
      for (const name of keys) this.#takeKey(childOf(path, name), 'elsewhere', 'whole-only');
    }
    return folders.sort();
  }

  /** A file of this name may be anything (`server.key`); what is no identity is of interest only where keys must be. */
  #takeKey(path: string, where: FoundKey['where'], take: 'whole-only' | 'all'): void {
    if (this.#keys.has(path)) return;
    const reading = readKey(path, where, this.#options.crypto);
    if (reading.kind === 'unreadable') {
      if (take === 'all') this.#skip(path, `cannot be read: ${reading.code}`);
    } else if (take === 'all' || reading.key.smesherId !== undefined) {
      this.#keys.set(path, reading.key);
    }
  }

  #nodeFolder(folder: string): void {
    if (existsSync(childOf(folder, NODE_DATABASE))) this.#nodeFolders.add(folder);
    this.nodeIdentities(childOf(folder, 'identities'));
  }

  /** What the node reads (spacemesh.md §2.1), and the keys that wait there for their data (pending-key.ts). */
  nodeIdentities(folder: string): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.#skip(folder, `cannot be listed: ${errorCode(error)}`);
      return;
    }
    for (const entry of entries) {
      const isKey = entry.name.endsWith('.key') || pendingName(entry.name) !== undefined;
      if (!isKey || entry.isDirectory()) continue;
      this.#takeKey(childOf(folder, entry.name), 'node-identities', 'all');
    }
  }

  /** A file, a node's `identities`, or a folder with keys anywhere below it. */
  keyPlace(path: string): void {
    if (path.endsWith('/identities')) {
      this.nodeIdentities(path);
      return;
    }
    try {
      if (statSync(path).isFile()) this.#takeKey(path, 'elsewhere', 'all');
      else this.#keyFolder(path, 0);
    } catch (error) {
      this.#skip(path, errorCode(error) === 'ENOENT' ? 'is not there' : errorCode(error));
    }
  }

  #keyFolder(path: string, depth: number): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch (error) {
      this.#skip(path, `cannot be listed: ${errorCode(error)}`);
      return;
    }
    for (const entry of entries) {
      const { name } = entry;
      if (!entry.isDirectory()) {
        if (isKeyFileName(name)) this.#takeKey(childOf(path, name), 'elsewhere', 'whole-only');
      } else if (depth < KEY_DEPTH && !name.startsWith('.') && !NEVER_ENTERED.has(name)) {
        this.#keyFolder(childOf(path, name), depth + 1);
      }
    }
  }
}
