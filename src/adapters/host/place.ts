import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findMount, type Mount, parseMountInfo } from '../../domain/disk/mounts.ts';
import type { PlaceFacts } from '../../domain/doctor/disks.ts';

/** Where the kernel's tables are; another folder for recorded trees in tests. */
export interface PlaceTables {
  readonly mountInfo: string;
  readonly sys: string;
  readonly fstab: string;
}

const HOST_TABLES: PlaceTables = { mountInfo: '/proc/self/mountinfo', sys: '/sys', fstab: '/etc/fstab' };

/** More layers than any host has: a loop of names must not become a loop of the program. */
const DEEPEST = 16;

const readText = (path: string) => readFile(path, 'utf8').catch(() => undefined);
const list = (path: string) => readdir(path).catch(() => [] as string[]);

/** See HostPort.place. Reads the kernel's tables only, never the file system in question. */
export async function lookAtPlace(
  realPath: string,
  tables: PlaceTables = HOST_TABLES,
): Promise<PlaceFacts | undefined> {
  const mount = findMount(parseMountInfo((await readText(tables.mountInfo)) ?? ''), realPath);
  if (mount === undefined) return undefined;
  const device = await deviceOf(mount, tables.sys);
  const [wanted, disks, errors] = await Promise.all([
    wantedReadOnly(mount, tables.fstab),
    device === undefined ? [] : wholeDisks(device, tables.sys),
    device === undefined ? undefined : countErrors(mount, device, tables.sys),
  ]);
  return {
    mountPoint: mount.mountPoint,
    fileSystem: mount.fileSystem,
    source: mount.source,
    readOnly: mount.readOnly,
    ...(wanted === undefined ? {} : { wantedReadOnly: wanted }),
    disks: [...new Set(disks)].sort(),
    ...(errors === undefined ? {} : { errorCount: errors }),
  };
}

/** btrfs mounts have a device number of their own; their source names one of the devices. */
async function deviceOf(mount: Mount, sys: string): Promise<string | undefined> {
  const byNumber = await realpath(join(sys, 'dev/block', mount.device)).catch(() => undefined);
  if (byNumber !== undefined) return basename(byNumber);
  if (!mount.source.startsWith('/dev/')) return undefined;
  const target = await realpath(mount.source).catch(() => mount.source);
  return basename(target);
}

async function wholeDisks(name: string, sys: string, depth = 0): Promise<readonly string[]> {
  const folder = await realpath(join(sys, 'class/block', name)).catch(() => undefined);
  if (folder === undefined || depth >= DEEPEST) return [];
  if ((await readText(join(folder, 'partition'))) !== undefined) return [basename(dirname(folder))];
  const slaves = await list(join(folder, 'slaves'));
  if (slaves.length === 0) return [name];
  return (await Promise.all(slaves.map((slave) => wholeDisks(slave, sys, depth + 1)))).flat();
}

/** ext4 keeps a count of its own; btrfs one for each device and kind. */
async function countErrors(mount: Mount, device: string, sys: string): Promise<number | undefined> {
  const count = (await readText(join(sys, 'fs', mount.fileSystem, device, 'errors_count')))?.trim();
  if (count !== undefined && /^\d+$/.test(count)) return Number(count);
  if (mount.fileSystem !== 'btrfs') return undefined;
  for (const uuid of await list(join(sys, 'fs/btrfs'))) {
    const folder = join(sys, 'fs/btrfs', uuid);
    if (!(await list(join(folder, 'devices'))).includes(device)) continue;
    const texts = await Promise.all(
      (await list(join(folder, 'devinfo'))).map((id) => readText(join(folder, 'devinfo', id, 'error_stats'))),
    );
    const counts = [...texts.join('\n').matchAll(/_errs\s+(\d+)/g)].map(([, digits]) => Number(digits));
    return counts.length === 0 ? undefined : counts.reduce((sum, each) => sum + each, 0);
  }
  return undefined;
}

async function wantedReadOnly(mount: Mount, fstab: string): Promise<boolean | undefined> {
  const lines = ((await readText(fstab)) ?? '')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'));
  for (const line of lines) {
    const [, point, , options] = line.trim().split(/\s+/);
    if (point !== mount.mountPoint.replaceAll(' ', '\\040') || options === undefined) continue;
    return options.split(',').includes('ro');
  }
  return undefined;
}
