import { readdirSync, readFileSync, readlinkSync, realpathSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type BlockDevice, type BlockDevices, parseBlockDevice } from '../../domain/disk/block-devices.ts';
import { encryptionOf } from '../../domain/disk/encryption.ts';
import { findMount, type Mount, parseMountInfo } from '../../domain/disk/mounts.ts';
import { joinOverlapping, type ResolvedDisk, resolveDisk } from '../../domain/disk/resolve.ts';
import type { Disk } from '../../domain/post/types.ts';

/** Where the kernel's tables are; another folder for recorded trees in tests. */
export interface KernelTables {
  readonly mountInfo: string;
  readonly sys: string;
  readonly dev: string;
}

export const HOST_TABLES: KernelTables = { mountInfo: '/proc/self/mountinfo', sys: '/sys', dev: '/dev' };

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // In containers and on odd kernels any of these may be missing; unknown is an answer that the resolver handles.
    return undefined;
  }
}

const readText = (path: string) => attempt(() => readFileSync(path, 'utf8'));
const list = (path: string) => attempt(() => readdirSync(path)) ?? [];

/** Reads sysfs only where asked and each device once: a big host has hundreds. */
function readSysfs({ sys, dev }: KernelTables): BlockDevices {
  const byName = new Map<string, BlockDevice | undefined>();
  let uuids: ReadonlyMap<string, string> | undefined;
  let mapperNames: ReadonlyMap<string, string> | undefined;

  function linksIn(folder: string): [string, string][] {
    return list(folder).flatMap((name) => {
      const target = attempt(() => readlinkSync(join(folder, name)));
      return target === undefined ? [] : [[basename(target), name] as [string, string]];
    });
  }

  function readDevice(name: string): BlockDevice | undefined {
    const folder = attempt(() => realpathSync(join(sys, 'class/block', name)));
    if (folder === undefined) return undefined;
    const isPartition = readText(join(folder, 'partition')) !== undefined;
    const texts = {
      dev: readText(join(folder, 'dev')),
      size: readText(join(folder, 'size')),
      rotational: readText(join(folder, 'queue/rotational')),
      dmName: readText(join(folder, 'dm/name')),
      dmUuid: readText(join(folder, 'dm/uuid')),
      mdLevel: readText(join(folder, 'md/level')),
      backingFile: readText(join(folder, 'loop/backing_file')),
    };
    const slaves = list(join(folder, 'slaves'));
    return parseBlockDevice(name, texts, {
      slaves,
      ...(isPartition ? { partitionOf: basename(dirname(folder)) } : {}),
    });
  }

  function lookUp(name: string): BlockDevice | undefined {
    if (name.startsWith('mapper/')) {
      mapperNames ??= new Map(linksIn(join(dev, 'mapper')).map(([target, link]) => [link, target]));
      const target = mapperNames.get(name.slice('mapper/'.length));
      return target === undefined ? undefined : lookUp(target);
    }
    // A name from a mount table is somebody's text: it must not lead out of the folder.
    if (!/^[\w!:.-]+$/.test(name) || name.startsWith('.')) return undefined;
    if (!byName.has(name)) byName.set(name, readDevice(name));
    return byName.get(name);
  }

  return {
    byName: lookUp,
    byNumber(number) {
      if (number.startsWith('0:')) return undefined;
      const target = attempt(() => realpathSync(join(sys, 'dev/block', number)));
      return target === undefined ? undefined : lookUp(basename(target));
    },
    uuidOf(name) {
      uuids ??= new Map(linksIn(join(dev, 'disk/by-uuid')));
      return uuids.get(name);
    },
    btrfsOf(name) {
      for (const uuid of list(join(sys, 'fs/btrfs'))) {
        const devices = list(join(sys, 'fs/btrfs', uuid, 'devices'));
        if (devices.includes(name)) return { uuid, devices };
      }
      return undefined;
    },
  };
}

/** Mounts and disks of this host, as the kernel has them at this moment. */
export interface HostDisks {
  readonly mounts: readonly Mount[];
  mountOf(realPath: string): Mount | undefined;
  /** The disks below these mounts, joined where they share devices, with free space. */
  disksOf(mounts: Iterable<Mount>): { readonly disks: readonly Disk[]; diskOf(mount: Mount): string };
  /** Only the names of the disks: touches none of the file systems, so a dead share cannot hold it up. */
  namesOf(mounts: Iterable<Mount>): (mount: Mount) => string;
  /** The disk below one mount by itself; touches no file system. */
  resolve(mount: Mount): ResolvedDisk;
  /** What dm-crypt does below it, as `encryptionOf` says. */
  encryptionOf(mount: Mount): string | undefined;
}

function freeBytes(mountPoint: string): number | undefined {
  const facts = attempt(() => statfsSync(mountPoint));
  return facts === undefined ? undefined : facts.bavail * facts.bsize;
}

export function readHostDisks(tables: KernelTables = HOST_TABLES): HostDisks {
  const mounts = parseMountInfo(readText(tables.mountInfo) ?? '');
  const devices = readSysfs(tables);
  const resolveAll = (wanted: Iterable<Mount>) => {
    const resolved = new Map<number, ResolvedDisk>();
    for (const mount of wanted) {
      if (!resolved.has(mount.id)) resolved.set(mount.id, resolveDisk(mount, mounts, devices));
    }
    const { disks, idOf } = joinOverlapping([...resolved.values()]);
    const diskOf = (mount: Mount) => {
      const id = resolved.get(mount.id)?.id ?? 'unknown';
      return idOf.get(id) ?? id;
    };
    return { disks, diskOf };
  };
  return {
    mounts,
    mountOf: (realPath) => findMount(mounts, realPath),
    namesOf: (wanted) => resolveAll(wanted).diskOf,
    encryptionOf(mount) {
      const device = devices.byNumber(mount.device) ?? devices.byName(mount.source.replace(/^\/dev\//, ''));
      return device === undefined ? undefined : encryptionOf(device, devices);
    },
    resolve: (mount) => resolveDisk(mount, mounts, devices),
    disksOf(wanted) {
      const { disks, diskOf } = resolveAll(wanted);
      const free = new Map<string, Map<string, number>>();
      for (const mount of wanted) {
        const bytes = freeBytes(mount.mountPoint);
        const fileSystems = free.get(diskOf(mount)) ?? new Map<string, number>();
        // Bind mounts show one file system twice: its free space counts once.
        if (bytes !== undefined) fileSystems.set(`${mount.device} ${mount.source}`, bytes);
        free.set(diskOf(mount), fileSystems);
      }
      return {
        diskOf,
        disks: disks.map((disk) => {
          const each = [...(free.get(disk.id)?.values() ?? [])];
          return each.length === 0
            ? disk
            : { ...disk, freeBytes: each.reduce((sum, bytes) => sum + bytes, 0) };
        }),
      };
    },
  };
}
