/** One line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly id: number;
  readonly parentId: number;
  /** `8:17`; major 0 for file systems without a block device of their own. */
  readonly device: string;
  /** The folder of the file system that is mounted: not `/` for bind mounts and subvolumes. */
  readonly root: string;
  readonly mountPoint: string;
  readonly readOnly: boolean;
  readonly fileSystem: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** The kernel writes space, tab, newline and backslash as octal. */
function unescapeOctal(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Lines that are not understood are left out. */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    const [id, parentId, device, root, mountPoint, options] = fields;
    const [fileSystem, source, superOptions] = fields.slice(separator + 1);
    if (separator < 0 || mountPoint === undefined || root === undefined || device === undefined) continue;
    if (fileSystem === undefined || source === undefined) continue;
    mounts.push({
      id: Number(id),
      parentId: Number(parentId),
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      readOnly: `${options},${superOptions ?? ''}`.split(',').includes('ro'),
      fileSystem,
      source: unescapeOctal(source),
      superOptions: (superOptions ?? '').split(',').map(unescapeOctal),
    });
  }
  return mounts;
}

/** Whether the path is the folder or lies in it. Both absolute and without `..`. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/**
 * The mount that a path without symlinks lies on, found as the kernel walks: from the root mount down, at each mount to
 * the nearest one mounted on it. A mount that is hidden below a later one is never answered.
 */
export function findMount(mounts: readonly Mount[], realPath: string): Mount | undefined {
  const ids = new Set(mounts.map((mount) => mount.id));
  let current = mounts.find((mount) => mount.mountPoint === '/' && !ids.has(mount.parentId));
  if (current === undefined) {
    const holding = mounts.filter((mount) => isWithin(realPath, mount.mountPoint));
    return holding.reduce<Mount | undefined>((best, mount) => {
      return best === undefined || mount.mountPoint.length >= best.mountPoint.length ? mount : best;
    }, undefined);
  }
  for (let steps = 0; steps < mounts.length; steps += 1) {
    const from: Mount = current;
    const below = mounts.filter((mount) => {
      return mount.parentId === from.id && mount.id !== from.id && isWithin(realPath, mount.mountPoint);
    });
    const next = below.reduce<Mount | undefined>((nearest, mount) => {
      return nearest === undefined || mount.mountPoint.length < nearest.mountPoint.length ? mount : nearest;
    }, undefined);
    if (next === undefined) return current;
    current = next;
  }
  return current;
}

const SYSTEM_FILE_SYSTEMS = new Set([
  ...[
    'autofs',
    'binfmt_misc',
    'bpf',
    'cgroup',
    'cgroup2',
    'configfs',
    'debugfs',
    'devpts',
    'devtmpfs',
    'efivarfs',
  ],
  ...[
    'fusectl',
    'fuse.gvfsd-fuse',
    'fuse.lxcfs',
    'fuse.portal',
    'fuse.snapfuse',
    'hugetlbfs',
    'iso9660',
    'mqueue',
  ],
  ...[
    'nsfs',
    'overlay',
    'proc',
    'pstore',
    'ramfs',
    'rpc_pipefs',
    'securityfs',
    'selinuxfs',
    'squashfs',
    'sysfs',
  ],
  ...['tmpfs', 'tracefs', 'udf'],
]);

/** Folders that belong to the system: no data is looked for in them unless they are named. */
const SYSTEM_FOLDERS = [
  ...[
    '/bin',
    '/boot',
    '/dev',
    '/efi',
    '/etc',
    '/lib',
    '/lib32',
    '/lib64',
    '/proc',
    '/run',
    '/sbin',
    '/snap',
    '/sys',
  ],
  ...['/tmp', '/usr', '/var'],
];
/** Where desktops mount what is plugged in. */
const USER_FOLDERS = ['/run/media'];

export function isSystemFolder(path: string): boolean {
  if (USER_FOLDERS.some((folder) => isWithin(path, folder) || isWithin(folder, path))) return false;
  return SYSTEM_FOLDERS.some((folder) => isWithin(path, folder));
}

/** Mount points where people keep data: what `scan` looks through when no root is named. */
export function dataMounts(mounts: readonly Mount[]): Mount[] {
  const points = new Map<string, Mount>();
  for (const mount of mounts) {
    if (SYSTEM_FILE_SYSTEMS.has(mount.fileSystem) || mount.mountPoint === '/') continue;
    if (isSystemFolder(mount.mountPoint)) continue;
    points.set(mount.mountPoint, mount);
  }
  return [...points.values()];
}
