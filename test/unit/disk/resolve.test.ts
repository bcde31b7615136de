import { describe, expect, it } from 'vitest';
import { readHostDisks } from '../../../src/adapters/scanner/host-disks.ts';
import { volumeGroupOf } from '../../../src/domain/disk/block-devices.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { type DeviceSpec, makeKernelTables } from './sysfs-tree.ts';

const ROOT = '1 0 8:200 / / rw - ext4 /dev/root rw';
let nextId = 10;
const mountLine = (device: string, point: string, type: string, source: string, options = 'rw') => {
  nextId += 1;
  return `${nextId} 1 ${device} / ${point} rw - ${type} ${source} ${options}`;
};

function resolve(
  lines: readonly string[],
  devices: Readonly<Record<string, DeviceSpec>> = {},
  btrfs: Readonly<Record<string, readonly string[]>> = {},
) {
  const host = readHostDisks(makeKernelTables(tempFolder('sysfs'), [ROOT, ...lines], devices, btrfs));
  const mounts = host.mounts.slice(1);
  const { disks, diskOf } = host.disksOf(mounts);
  return { disks, ids: mounts.map(diskOf) };
}

const SPINDLE = { rotational: 1, sectors: 2 ** 31 } as const;
const sda: DeviceSpec = { number: '8:0', ...SPINDLE };
const sda1: DeviceSpec = { number: '8:1', partitionOf: 'sda', uuid: 'aaaa-1' };
const sdb: DeviceSpec = { number: '8:16', ...SPINDLE };
const sdc: DeviceSpec = { number: '8:32', rotational: 0, sectors: 2 ** 30 };

describe('devices of their own', () => {
  it('a partition is its disk, with UUID, size and kind', () => {
    const { disks } = resolve([mountLine('8:1', '/mnt/a', 'ext4', '/dev/sda1')], { sda, sda1 });
    expect(disks).toEqual([
      expect.objectContaining({
        id: 'sda',
        kind: 'physical',
        members: ['sda'],
        rotational: true,
        sizeBytes: 2 ** 40,
        uuid: 'aaaa-1',
        mountPoint: '/mnt/a',
      }),
    ]);
  });

  it('two partitions and a bind mount of one disk are one disk', () => {
    const sda2 = { number: '8:2', partitionOf: 'sda' };
    const { ids, disks } = resolve(
      [
        mountLine('8:1', '/mnt/a', 'ext4', '/dev/sda1'),
        mountLine('8:2', '/mnt/b', 'xfs', '/dev/sda2'),
        mountLine('8:1', '/mnt/again', 'ext4', '/dev/sda1'),
      ],
      { sda, sda1, sda2 },
    );
    expect(ids).toEqual(['sda', 'sda', 'sda']);
    expect(disks).toHaveLength(1);
  });

  it('an SSD is no spindle; memory is no disk', () => {
    const { disks } = resolve(
      [mountLine('8:32', '/mnt/c', 'ext4', '/dev/sdc'), mountLine('0:40', '/mnt/ram', 'tmpfs', 'tmpfs')],
      { sdc },
    );
    expect(disks.map(({ id, kind, rotational }) => [id, kind, rotational])).toEqual([
      ['sdc', 'physical', false],
      ['tmpfs:/mnt/ram', 'virtual', undefined],
    ]);
  });

  it('ntfs through FUSE on a disk is that disk', () => {
    const { ids } = resolve([mountLine('8:1', '/mnt/a', 'fuseblk', '/dev/sda1')], { sda, sda1 });
    expect(ids).toEqual(['sda']);
  });
});

describe('S15: layers are followed down', () => {
  const lvm = (number: string, name: string, slaves: string[]): DeviceSpec => {
    return { number, slaves, sectors: 4096, files: { 'dm/name': name, 'dm/uuid': `LVM-${name}` } };
  };

  it('a volume on one disk is that disk, encrypted or not', () => {
    const luks = {
      number: '253:1',
      slaves: ['dm-0'],
      files: { 'dm/name': 'crypt', 'dm/uuid': 'CRYPT-LUKS2-x' },
    };
    const { ids } = resolve([mountLine('253:1', '/mnt/a', 'ext4', '/dev/mapper/crypt')], {
      sda,
      sda1,
      'dm-0': lvm('253:0', 'vg-post', ['sda1']),
      'dm-1': luks,
    });
    expect(ids).toEqual(['sda']);
  });

  it('a volume over two disks is its group, and so is a volume on one of them', () => {
    const { disks, ids } = resolve(
      [
        mountLine('253:1', '/mnt/b', 'ext4', '/dev/mapper/my--vg-one'),
        mountLine('253:0', '/mnt/a', 'ext4', '/dev/mapper/my--vg-both'),
        mountLine('8:32', '/mnt/c', 'ext4', '/dev/sdc'),
      ],
      {
        sda,
        sdb,
        sdc,
        'dm-0': lvm('253:0', 'my--vg-both', ['sda', 'sdb']),
        'dm-1': lvm('253:1', 'my--vg-one', ['sdb']),
      },
    );
    expect(ids).toEqual(['lvm:my-vg', 'lvm:my-vg', 'sdc']);
    expect(disks[0]).toMatchObject({ kind: 'raid', members: ['sda', 'sdb'], rotational: true });
  });

  it('md under LVM under LUKS is the array', () => {
    const { disks } = resolve([mountLine('253:5', '/mnt/a', 'ext4', '/dev/mapper/x')], {
      sda,
      sdb,
      md0: { number: '9:0', slaves: ['sda', 'sdb'], sectors: 2 ** 31, files: { 'md/level': 'raid1' } },
      'dm-5': lvm('253:5', 'vg-a', ['md0']),
    });
    expect(disks[0]).toMatchObject({ id: 'md0', kind: 'raid', members: ['sda', 'sdb'], note: 'raid1 of 2' });
  });

  it('several paths to one disk are one disk', () => {
    const mpath = {
      number: '253:9',
      slaves: ['sda', 'sdb'],
      files: { 'dm/name': 'mpatha', 'dm/uuid': 'mpath-3600' },
    };
    const { disks } = resolve([mountLine('253:9', '/mnt/a', 'ext4', '/dev/mapper/mpatha')], {
      sda,
      sdb,
      'dm-9': mpath,
    });
    expect(disks[0]).toMatchObject({ id: 'mpatha', kind: 'physical' });
  });

  it('btrfs over two disks is one, on one disk it is that disk', () => {
    const both = resolve(
      [mountLine('0:44', '/mnt/a', 'btrfs', '/dev/sda')],
      { sda, sdb },
      { 'uuid-1': ['sda', 'sdb'] },
    );
    expect(both.disks[0]).toMatchObject({ id: 'btrfs:uuid-1', members: ['sda', 'sdb'] });
    const one = resolve([mountLine('0:44', '/mnt/a', 'btrfs', '/dev/sda')], { sda }, { 'uuid-1': ['sda'] });
    expect(one.ids).toEqual(['sda']);
  });

  it('an image file is the disk it lies on', () => {
    const loop0 = { number: '7:0', files: { 'loop/backing_file': '/mnt/a/image' } };
    const { ids } = resolve(
      [mountLine('8:1', '/mnt/a', 'ext4', '/dev/sda1'), mountLine('7:0', '/mnt/i', 'ext4', '/dev/loop0')],
      { sda, sda1, loop0 },
    );
    expect(ids).toEqual(['sda', 'sda']);
  });

  it('mergerfs that names its branches tells its disks and stays one', () => {
    const { disks, ids } = resolve(
      [
        mountLine('8:0', '/mnt/d1', 'ext4', '/dev/sda'),
        mountLine('8:16', '/mnt/d2', 'ext4', '/dev/sdb'),
        mountLine('0:60', '/mnt/pool', 'fuse.mergerfs', '/mnt/d1:/mnt/d2'),
      ],
      { sda, sdb },
    );
    expect(new Set(ids)).toEqual(new Set(['fuse:/mnt/pool']));
    expect(disks).toHaveLength(1);
    expect(disks[0]?.members).toEqual(['sda', 'sdb']);
  });

  it('what tells nothing claims no spindles', () => {
    const { disks } = resolve([
      mountLine('0:61', '/mnt/pool', 'fuse.mergerfs', '1:2:3'),
      mountLine('0:62', '/mnt/user', 'fuse.shfs', 'shfs'),
      mountLine('0:63', '/tank/post', 'zfs', 'tank/post'),
      mountLine('0:64', '/tank/more', 'zfs', 'tank/more'),
      mountLine('8:77', '/mnt/odd', 'ext4', '/dev/../../etc'),
    ]);
    expect(disks.map(({ id, members, kind }) => [id, members.length, kind])).toEqual([
      ['fuse:/mnt/pool', 0, 'fuse'],
      ['fuse:/mnt/user', 0, 'fuse'],
      ['zfs:tank', 0, 'raid'],
      ['ext4:/dev/../../etc', 0, 'unknown'],
    ]);
    expect(disks.every(({ note }) => note !== undefined)).toBe(true);
  });

  it('an overlay is the disk of its upper layer, if that can be told', () => {
    const lines = [
      mountLine('8:1', '/mnt/a', 'ext4', '/dev/sda1'),
      mountLine(
        '0:70',
        '/mnt/o',
        'overlay',
        'overlay',
        'rw,lowerdir=/mnt/a/l,upperdir=/mnt/a/u,workdir=/mnt/a/w',
      ),
      mountLine('0:71', '/mnt/p', 'overlay', 'overlay', 'rw,lowerdir=/x'),
    ];
    expect(resolve(lines, { sda, sda1 }).ids).toEqual(['sda', 'sda', 'overlay:/mnt/p']);
  });
});

describe('S14: network shares', () => {
  it('are one disk per server and export', () => {
    const { disks, ids } = resolve([
      mountLine('0:50', '/mnt/n1', 'nfs4', 'nas:/volume1/post'),
      mountLine('0:51', '/mnt/n2', 'nfs', 'nas:/volume1/post/'),
      mountLine('0:52', '/mnt/n3', 'nfs4', 'nas:/volume2'),
      mountLine('0:53', '/mnt/c', 'cifs', '//NAS/Share'),
      mountLine('0:54', '/mnt/s', 'fuse.sshfs', 'me@nas:/data'),
    ]);
    expect(ids).toEqual([
      'nfs:nas:/volume1/post',
      'nfs:nas:/volume1/post',
      'nfs:nas:/volume2',
      'cifs://nas/share',
      'sshfs:me@nas:/data',
    ]);
    expect(
      disks.every(({ kind, rotational, note }) => kind === 'network' && rotational === undefined && note),
    ).toBe(true);
  });
});

it('reads the volume group out of a mapper name', () => {
  expect(['vg-lv', 'my--vg-lv--a', 'plain'].map(volumeGroupOf)).toEqual(['vg', 'my-vg', 'plain']);
});
