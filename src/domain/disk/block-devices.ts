/** What sysfs says of one block device. */
export interface BlockDevice {
  /** `sda`, `sda1`, `dm-0`, `md0`, `nvme0n1`. */
  readonly name: string;
  /** `8:1` */
  readonly number: string;
  readonly sizeBytes: number;
  /** The whole disk, when this is a partition of it. */
  readonly partitionOf?: string;
  /** Devices that this one is made of (dm, md). */
  readonly slaves: readonly string[];
  /** Only whole devices have it; a virtual machine's disk often says `true` without knowing. */
  readonly rotational?: boolean;
  readonly dmName?: string;
  /** `LVM-…`, `CRYPT-LUKS2-…`, `mpath-…` */
  readonly dmUuid?: string;
  /** `raid1`; only md arrays. */
  readonly mdLevel?: string;
  /** The file behind a loop device. */
  readonly backingFile?: string;
}

/** Looks block devices up; answers from `/sys` of a host or of a recorded tree. */
export interface BlockDevices {
  byNumber(number: string): BlockDevice | undefined;
  byName(name: string): BlockDevice | undefined;
  /** UUID of the file system on a device (`/dev/disk/by-uuid`). */
  uuidOf(name: string): string | undefined;
  /** Members of the btrfs file system that a device belongs to, with its UUID. */
  btrfsOf(name: string): { readonly uuid: string; readonly devices: readonly string[] } | undefined;
}

/** Raw texts of a device's folder in sysfs; `undefined` for a file that is not there. */
export interface SysfsTexts {
  readonly dev?: string | undefined;
  readonly size?: string | undefined;
  readonly rotational?: string | undefined;
  readonly dmName?: string | undefined;
  readonly dmUuid?: string | undefined;
  readonly mdLevel?: string | undefined;
  readonly backingFile?: string | undefined;
}

const SECTOR_BYTES = 512;

function line(text: string | undefined): string | undefined {
  const trimmed = text?.replace(/\n$/, '');
  return trimmed === undefined || trimmed === '' ? undefined : trimmed;
}

/** Puts one device together; sizes in sysfs are always in sectors of 512 bytes. */
export function parseBlockDevice(
  name: string,
  texts: SysfsTexts,
  relations: { readonly partitionOf?: string; readonly slaves: readonly string[] },
): BlockDevice {
  const rotational = line(texts.rotational);
  const dmName = line(texts.dmName);
  const dmUuid = line(texts.dmUuid);
  const mdLevel = line(texts.mdLevel);
  const backingFile = line(texts.backingFile);
  return {
    name,
    number: line(texts.dev) ?? '',
    sizeBytes: Number(line(texts.size) ?? 0) * SECTOR_BYTES,
    ...relations,
    ...(rotational === undefined ? {} : { rotational: rotational === '1' }),
    ...(dmName === undefined ? {} : { dmName }),
    ...(dmUuid === undefined ? {} : { dmUuid }),
    ...(mdLevel === undefined ? {} : { mdLevel }),
    ...(backingFile === undefined ? {} : { backingFile }),
  };
}

/** The volume group in a device-mapper name, where `--` stands for a dash: `my--vg-lv` is of `my-vg`. */
export function volumeGroupOf(dmName: string): string {
  const end = /^((?:[^-]|--)+)-(?!-)/.exec(dmName);
  return (end?.[1] ?? dmName).replaceAll('--', '-');
}
