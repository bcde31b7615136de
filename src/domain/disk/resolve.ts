import type { Disk } from '../post/types.ts';
import { type BlockDevice, type BlockDevices, volumeGroupOf } from './block-devices.ts';
import { findMount, type Mount } from './mounts.ts';

const NETWORK_FILE_SYSTEMS = new Set([
  ...['nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', '9p', 'afs', 'ceph', 'glusterfs', 'lustre', 'virtiofs'],
  ...['fuse.ceph-fuse', 'fuse.glusterfs', 'fuse.sshfs', 'fuse.rclone', 'fuse.s3fs'],
]);
const MEMORY_FILE_SYSTEMS = new Set(['tmpfs', 'ramfs']);

/** More layers than any host has: a loop of names must not become a loop of the program. */
const DEEPEST = 16;

export function isNetworkFileSystem(fileSystem: string): boolean {
  return NETWORK_FILE_SYSTEMS.has(fileSystem);
}

/** FUSE in the sense of an opaque program; ntfs and exfat on a device of their own (`fuseblk`) are not. */
export function isFuse(fileSystem: string): boolean {
  return fileSystem === 'fuse' || fileSystem.startsWith('fuse.');
}

/** A disk as far as mounts and devices tell; free space is measured elsewhere. */
export type ResolvedDisk = Omit<Disk, 'freeBytes'>;

interface Layers {
  /** Whole devices at the bottom, sorted. */
  readonly bottom: readonly BlockDevice[];
  /** Where one device becomes several; the device itself where it never does. */
  readonly joint: BlockDevice;
}

function descend(device: BlockDevice, devices: BlockDevices, depth = 0): Layers {
  const whole = device.partitionOf === undefined ? undefined : devices.byName(device.partitionOf);
  if (whole !== undefined && depth < DEEPEST) return descend(whole, devices, depth + 1);
  const multipath = device.dmUuid?.startsWith('mpath-') === true;
  const slaves = device.slaves.map((name) => devices.byName(name)).filter((slave) => slave !== undefined);
  if (slaves.length === 0 || multipath || depth >= DEEPEST) return { bottom: [device], joint: device };
  const below = slaves.map((slave) => descend(slave, devices, depth + 1));
  const bottom = new Map(below.flatMap((layers) => layers.bottom).map((leaf) => [leaf.name, leaf]));
  const [first] = below;
  // A joint counts only where several disks meet: one volume on two partitions of one disk is still that disk.
  const joint = first !== undefined && first.bottom.length === bottom.size ? first.joint : device;
  return { bottom: [...bottom.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)), joint };
}

function isRotational(bottom: readonly BlockDevice[]): boolean | undefined {
  if (bottom.some((leaf) => leaf.rotational === true)) return true;
  return bottom.length > 0 && bottom.every((leaf) => leaf.rotational === false) ? false : undefined;
}

function jointId(joint: BlockDevice): string {
  if (joint.dmUuid?.startsWith('LVM-') && joint.dmName !== undefined)
    return `lvm:${volumeGroupOf(joint.dmName)}`;
  return joint.dmName ?? joint.name;
}

function place(mount: Mount, uuid?: string): Pick<Disk, 'mountPoint' | 'fileSystem' | 'uuid'> {
  return {
    mountPoint: mount.mountPoint,
    fileSystem: mount.fileSystem,
    ...(uuid === undefined ? {} : { uuid }),
  };
}

function several(
  id: string,
  mount: Mount,
  bottom: readonly BlockDevice[],
  rest: Partial<Disk>,
): ResolvedDisk {
  const rotational = isRotational(bottom);
  const members = bottom.map((leaf) => leaf.name);
  return {
    id,
    kind: 'raid',
    members,
    ...(rotational === undefined ? {} : { rotational }),
    ...place(mount, rest.uuid),
    ...rest,
  };
}

function onBlockDevice(mount: Mount, device: BlockDevice, devices: BlockDevices): ResolvedDisk {
  const { bottom, joint } = descend(device, devices);
  const uuid = devices.uuidOf(device.name);
  const [leaf] = bottom;
  if (bottom.length > 1 || leaf === undefined || joint.mdLevel !== undefined) {
    const note = joint.mdLevel === undefined ? undefined : `${joint.mdLevel} of ${bottom.length}`;
    return several(jointId(joint), mount, bottom, {
      sizeBytes: joint.sizeBytes,
      ...(uuid === undefined ? {} : { uuid }),
      ...(note === undefined ? {} : { note }),
    });
  }
  const virtual = /^(?:zram|ram|nbd|drbd|loop)\d/.test(leaf.name);
  const rotational = virtual ? undefined : leaf.rotational;
  const guess = /^(?:vd|xvd)/.test(leaf.name)
    ? "a virtual machine's disk: what is below it cannot be told"
    : undefined;
  return {
    id: leaf.dmUuid?.startsWith('mpath-') ? (leaf.dmName ?? leaf.name) : leaf.name,
    kind: virtual ? 'virtual' : 'physical',
    members: leaf.dmUuid?.startsWith('mpath-') ? leaf.slaves : [leaf.name],
    ...(rotational === undefined ? {} : { rotational }),
    sizeBytes: leaf.sizeBytes,
    ...place(mount, uuid),
    ...(guess === undefined ? {} : { note: guess }),
  };
}

function onNetwork(mount: Mount): ResolvedDisk {
  const protocol = mount.fileSystem.startsWith('nfs') ? 'nfs' : mount.fileSystem.replace(/^fuse\./, '');
  // `nas:/export/` and `nas:/export` are one export, and a share's name has no case.
  const export_ = protocol === 'cifs' || protocol === 'smb3' ? mount.source.toLowerCase() : mount.source;
  return {
    id: `${protocol}:${export_.replace(/(?<=[^:/])\/+$/, '')}`,
    kind: 'network',
    members: [],
    ...place(mount),
    note: 'a network share: counted as one disk; its speed is that of the network and of all who use it',
  };
}

/** Folders that a union file system joins, as far as its mount tells (mergerfs, Unraid's shfs). */
export function unionBranches(mount: Mount, mounts: readonly Mount[]): readonly string[] {
  if (mount.fileSystem === 'fuse.shfs') {
    const parent = mount.mountPoint.slice(0, mount.mountPoint.lastIndexOf('/'));
    const branch = /^(?:disk\d+|cache\w*)$/;
    return mounts
      .map((other) => other.mountPoint)
      .filter((point) => point.startsWith(`${parent}/`) && branch.test(point.slice(parent.length + 1)))
      .toSorted();
  }
  if (mount.fileSystem !== 'fuse.mergerfs' && mount.fileSystem !== 'fuse.unionfs') return [];
  const branches = mount.source.split(':').map((branch) => branch.replace(/=\w+(?:,\w+)?$/, ''));
  // mergerfs may write `1:2:3` for folders with a common start: that names nothing.
  return branches.every((branch) => branch.startsWith('/')) ? branches : [];
}

function option(mount: Mount, name: string): string | undefined {
  return mount.superOptions.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * What seeks together with a path on this mount (S14, S15). Layers are followed down to whole devices; a network
 * export, a FUSE mount or a pool that does not tell its devices is one disk, never as many as it has folders.
 */
export function resolveDisk(
  mount: Mount,
  mounts: readonly Mount[],
  devices: BlockDevices,
  depth = 0,
): ResolvedDisk {
  const { fileSystem, source } = mount;
  const below = (path: string): ResolvedDisk | undefined => {
    const holder = findMount(mounts, path);
    return holder === undefined || holder.id === mount.id || depth >= DEEPEST
      ? undefined
      : resolveDisk(holder, mounts, devices, depth + 1);
  };
  if (isNetworkFileSystem(fileSystem)) return onNetwork(mount);
  if (isFuse(fileSystem)) {
    const branches = unionBranches(mount, mounts).map(below);
    const known = branches.every((branch) => branch !== undefined) ? branches : [];
    const members = [...new Set(known.flatMap((disk) => disk?.members ?? []))].toSorted();
    const note =
      members.length === 0
        ? 'a FUSE mount does not tell which disk holds what: counted as one disk'
        : `joins ${members.join(', ')}; counted as one disk, because a folder may lie on any of them`;
    return { id: `fuse:${mount.mountPoint}`, kind: 'fuse', members, ...place(mount), note };
  }
  if (MEMORY_FILE_SYSTEMS.has(fileSystem)) {
    const note = 'in memory: gone after a reboot';
    return { id: `${fileSystem}:${mount.mountPoint}`, kind: 'virtual', members: [], ...place(mount), note };
  }
  if (fileSystem === 'overlay') {
    const upper = option(mount, 'upperdir');
    const disk = upper === undefined ? undefined : below(upper);
    const note = 'an overlay: its lower layers may lie on other disks';
    if (disk !== undefined) return { ...disk, ...place(mount), note };
    return { id: `overlay:${mount.mountPoint}`, kind: 'unknown', members: [], ...place(mount), note };
  }
  if (fileSystem === 'zfs') {
    const pool = source.split('/')[0] ?? source;
    const note = 'a ZFS pool: its devices are not told, so it is counted as one disk';
    return { id: `zfs:${pool}`, kind: 'raid', members: [], ...place(mount), note };
  }
  return resolveLocal(mount, devices, below);
}

function resolveLocal(
  mount: Mount,
  devices: BlockDevices,
  below: (path: string) => ResolvedDisk | undefined,
): ResolvedDisk {
  const names = mount.source.split(':').map((path) => path.replace(/^\/dev\//, ''));
  const device =
    devices.byNumber(mount.device) ?? devices.byName(names[0] ?? '') ?? byMapperName(names[0], devices);
  if (device === undefined) {
    const note = 'what this file system lies on cannot be told: counted as one disk';
    return { id: `${mount.fileSystem}:${mount.source}`, kind: 'unknown', members: [], ...place(mount), note };
  }
  const pool = mount.fileSystem === 'btrfs' ? devices.btrfsOf(device.name) : undefined;
  const members = pool?.devices ?? (names.length > 1 ? names : []);
  if (members.length > 1) {
    const bottom = members
      .map((name) => devices.byName(name))
      .filter((member) => member !== undefined)
      .flatMap((member) => descend(member, devices).bottom);
    const leaves = [...new Map(bottom.map((leaf) => [leaf.name, leaf])).values()];
    const uuid = pool?.uuid;
    return several(`${mount.fileSystem}:${uuid ?? mount.source}`, mount, leaves, {
      sizeBytes: leaves.reduce((sum, leaf) => sum + leaf.sizeBytes, 0),
      ...(uuid === undefined ? {} : { uuid }),
      note: `${mount.fileSystem} over ${members.length} devices`,
    });
  }
  if (device.backingFile !== undefined) {
    const disk = below(device.backingFile);
    if (disk !== undefined) return { ...disk, ...place(mount), note: `an image file, ${device.backingFile}` };
  }
  return onBlockDevice(mount, device, devices);
}

/** `/dev/mapper/vg-lv` is only a link to `/dev/dm-0`; sysfs knows the second name. */
function byMapperName(name: string | undefined, devices: BlockDevices): BlockDevice | undefined {
  return name?.startsWith('mapper/') === true ? devices.byName(name) : undefined;
}

/**
 * Makes one disk of those that share a device: a volume on `sda` alone and another over `sda` and `sdb` seek together,
 * so one reader per disk has to mean one reader for both. Answers the new disks and which ids went into them.
 */
export function joinOverlapping(disks: readonly ResolvedDisk[]): {
  readonly disks: readonly ResolvedDisk[];
  readonly idOf: ReadonlyMap<string, string>;
} {
  const groups: { id: string; ids: Set<string>; members: Set<string>; disks: ResolvedDisk[] }[] = [];
  for (const disk of disks) {
    const touching = groups.filter(
      (group) => group.ids.has(disk.id) || disk.members.some((name) => group.members.has(name)),
    );
    const group = touching[0] ?? {
      id: disk.id,
      ids: new Set<string>(),
      members: new Set<string>(),
      disks: [],
    };
    if (touching.length === 0) groups.push(group);
    for (const other of touching.slice(1)) {
      for (const id of other.ids) group.ids.add(id);
      for (const name of other.members) group.members.add(name);
      group.disks.push(...other.disks);
      groups.splice(groups.indexOf(other), 1);
    }
    group.ids.add(disk.id);
    for (const name of disk.members) group.members.add(name);
    group.disks.push(disk);
  }
  const idOf = new Map<string, string>();
  const joined = groups.map((group) => {
    // The one with most members names the group; between equals the name decides, so that the answer is stable.
    const [head] = group.disks.toSorted(
      (a, b) => b.members.length - a.members.length || (a.id < b.id ? -1 : 1),
    );
    const disk = head ?? group.disks[0];
    if (disk === undefined) throw new Error('a group of disks is never empty');
    for (const id of group.ids) idOf.set(id, disk.id);
    return group.ids.size === 1
      ? disk
      : { ...disk, kind: 'raid' as const, members: [...group.members].toSorted() };
  });
  return { disks: joined, idOf };
}
