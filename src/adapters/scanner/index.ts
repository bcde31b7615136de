import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dataMounts, isWithin, type Mount } from '../../domain/disk/mounts.ts';
import { isFuse, isNetworkFileSystem, unionBranches } from '../../domain/disk/resolve.ts';
import { dataFileIndex } from '../../domain/post/completeness.ts';
import type { DirectoryFacts } from '../../domain/post/facts.ts';
import { judgeDirectories } from '../../domain/post/judge.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { ScanReport } from '../../domain/post/types.ts';
import type { CryptoPort } from '../../ports/crypto.ts';
import type { ScannerPort, ScanRequest } from '../../ports/scanner.ts';
import { currentUser } from './access.ts';
import { HOST_TABLES, type HostDisks, type KernelTables, readHostDisks } from './host-disks.ts';
import { Walk, type Walked } from './walk.ts';

/** How long a share may take to say that it is there. */
const PROBE_MS = 5000;

export interface ScannerOptions {
  readonly crypto: CryptoPort;
  readonly tables?: KernelTables;
}

/**
 * Whether the file system at a mount point answers. A share whose server is gone blocks whoever touches it, for ever
 * and beyond Ctrl-C, so another process touches it first.
 */
function answers(mountPoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { timeout: PROBE_MS, killSignal: 'SIGKILL' as const };
    execFile('stat', ['-f', '--', mountPoint], options, (error) => resolve(error?.killed !== true));
  });
}

async function findDead(mounts: readonly Mount[], roots: readonly string[]): Promise<Set<string>> {
  const doubtful = mounts.filter(({ fileSystem, mountPoint }) => {
    if (!isNetworkFileSystem(fileSystem) && !isFuse(fileSystem)) return false;
    return roots.some((root) => isWithin(mountPoint, root) || isWithin(root, mountPoint));
  });
  const points = [...new Set(doubtful.map(({ mountPoint }) => mountPoint))];
  const alive = await Promise.all(points.map(answers));
  return new Set(points.filter((_, index) => alive[index] === false));
}

type Found = Walked['directories'][number];

/**
 * The branch of a union mount (mergerfs, Unraid) that holds the whole directory, so that one set of data is not taken
 * for two and the disk is the one that really seeks. `undefined` when it is spread over several.
 */
function findBranch(found: Found, host: HostDisks): string | undefined {
  const { mount, realPath } = found;
  if (mount === undefined || !isFuse(mount.fileSystem)) return undefined;
  const inside = realPath.slice(mount.mountPoint === '/' ? 0 : mount.mountPoint.length);
  const holding = unionBranches(mount, host.mounts)
    .map((branch) => branch + inside)
    .filter((path) => existsSync(`${path}/${METADATA_FILE}`));
  const [only] = holding;
  if (holding.length !== 1 || only === undefined) return undefined;
  try {
    const files = readdirSync(only).filter((name) => dataFileIndex(name) !== undefined).length;
    return files === found.files.length ? only : undefined;
  } catch {
    return undefined;
  }
}

/** Gives every directory its real place, and keeps one of those that turn out to be the same. */
function settle(found: readonly Found[], host: HostDisks): Found[] {
  const settled = new Map<string, Found>();
  for (const directory of found) {
    const branch = findBranch(directory, host);
    const realPath = branch ?? directory.realPath;
    const known = settled.get(realPath);
    if (known !== undefined && known.path === known.realPath) continue;
    const mount = branch === undefined ? directory.mount : host.mountOf(branch);
    settled.set(realPath, { ...directory, realPath, mount });
  }
  return [...settled.values()];
}

function noteMount(mount: Mount | undefined): string[] {
  if (mount === undefined) return [];
  const notes: string[] = [];
  if (mount.readOnly)
    notes.push('on a read-only mount: it can be proved, but not initialised, mended or joined');
  if (isNetworkFileSystem(mount.fileSystem)) {
    notes.push(
      `on a network share (${mount.fileSystem} ${mount.source}): a proof reads all of it through the network`,
    );
  }
  return notes;
}

function chooseRoots(request: ScanRequest, mounts: readonly Mount[]): string[] {
  const mounted = () => dataMounts(mounts).map((mount) => mount.mountPoint);
  if (request.roots.length === 0) return [...new Set([...mounted(), request.currentDirectory])];
  return [...new Set([...request.roots, ...(request.alsoMounted === true ? mounted() : [])])];
}

/** `post2` before `post10`, and the same order on every host. */
const natural = new Intl.Collator('en', { numeric: true });

export function createScanner(options: ScannerOptions): ScannerPort {
  const { crypto, tables = HOST_TABLES } = options;
  return {
    diskNames(realPaths) {
      const host = readHostDisks(tables);
      const mounts = realPaths.map((path) => [path, host.mountOf(path)] as const);
      const nameOf = host.namesOf(mounts.flatMap(([, mount]) => mount ?? []));
      const names = mounts.flatMap(([path, mount]) =>
        mount === undefined ? [] : [[path, nameOf(mount)] as const],
      );
      return new Map(names);
    },
    diskPlaces(realPaths) {
      const host = readHostDisks(tables);
      return new Map(
        realPaths.flatMap((path) => {
          const mount = host.mountOf(path);
          if (mount === undefined) return [];
          const { id, mountPoint, fileSystem, uuid } = host.resolve(mount);
          const encryption = host.encryptionOf(mount);
          const place = {
            disk: id,
            ...(mountPoint === undefined ? {} : { mountPoint }),
            ...(fileSystem === undefined ? {} : { fileSystem }),
            ...(uuid === undefined ? {} : { uuid }),
            ...(encryption === undefined ? {} : { encryption }),
          };
          return [[path, place] as const];
        }),
      );
    },
    async scan(request: ScanRequest): Promise<ScanReport> {
      const started = performance.now();
      const host = readHostDisks(tables);
      const roots = chooseRoots(request, host.mounts);
      const dead = await findDead(host.mounts, roots);
      const walk = new Walk({
        crypto,
        user: currentUser(),
        maxDepth: request.maxDepth,
        dead,
        ignore: new Set(request.ignore),
        mountOf: host.mountOf,
      });
      for (const place of request.keyPlaces) walk.keyPlace(place);
      await walk.roots(roots);
      const walked = walk.result();
      const found = settle(walked.directories, host);
      const used = new Map(found.flatMap(({ mount }) => (mount === undefined ? [] : [[mount.id, mount]])));
      const { disks, diskOf } = host.disksOf([...used.values()]);
      const facts: DirectoryFacts[] = found.map(({ mount, ...bare }) => {
        return { ...bare, disk: mount === undefined ? 'unknown' : diskOf(mount), notes: noteMount(mount) };
      });
      facts.sort((a, b) => natural.compare(a.disk, b.disk) || natural.compare(a.path, b.path));
      const { directories, looseKeys } = judgeDirectories({ directories: facts, keys: walked.keys });
      const silent = [...dead].map((path) => ({ path, reason: 'does not answer: is its server there?' }));
      return {
        schemaVersion: 1,
        roots,
        directories,
        disks: disks.toSorted((a, b) => natural.compare(a.id, b.id)),
        looseKeys,
        nodeFolders: walked.nodeFolders,
        skipped: [...walked.skipped, ...silent],
        elapsedMs: Math.round(performance.now() - started),
      };
    },
  };
}
