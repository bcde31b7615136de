import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataMounts, findMount, isSystemFolder, parseMountInfo } from '../../../src/domain/disk/mounts.ts';

const TEXT = `22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
30 22 8:17 / /mnt/my\\040disk\\011\\134x rw - ext4 /dev/sdb1 rw
31 22 8:33 / /mnt/a rw shared:2 master:3 - xfs /dev/sdc1 rw
32 22 8:49 / /mnt rw - ext4 /dev/sdd1 ro
33 32 8:65 / /mnt/a rw - ext4 /dev/sde1 rw
34 22 0:5 / /proc rw - proc proc rw
35 22 0:50 / /run/media/me/usb rw - vfat /dev/sdf1 rw
36 22 0:51 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
nonsense
`;

describe('parseMountInfo', () => {
  it('reads escaped names, optional fields and read-only superblocks', () => {
    const mounts = parseMountInfo(TEXT);
    expect(mounts).toHaveLength(8);
    expect(mounts[1]?.mountPoint).toBe('/mnt/my disk\t\\x');
    expect(mounts[2]).toMatchObject({ fileSystem: 'xfs', source: '/dev/sdc1', device: '8:33' });
    expect(mounts[3]?.readOnly).toBe(true);
    expect(mounts[0]?.readOnly).toBe(false);
  });

  it('finds what this very machine is mounted on', () => {
    const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
    expect(findMount(mounts, '/proc/self')?.fileSystem).toBe('proc');
    expect(findMount(mounts, '/')?.mountPoint).toBe('/');
  });
});

describe('findMount', () => {
  it('walks as the kernel does: what a later mount hides is never answered', () => {
    const mounts = parseMountInfo(TEXT);
    expect(findMount(mounts, '/mnt/a/post')?.source).toBe('/dev/sde1');
    expect(findMount(mounts, '/mnt/ab')?.source).toBe('/dev/sdd1');
    expect(findMount(mounts, '/mnt/my disk\t\\x/post')?.source).toBe('/dev/sdd1');
    expect(findMount(mounts, '/srv')?.source).toBe('/dev/sda2');
    expect(findMount([], '/srv')).toBeUndefined();
  });
});

describe('dataMounts', () => {
  it("leaves out what is the system's", () => {
    const points = dataMounts(parseMountInfo(TEXT)).map((mount) => mount.mountPoint);
    expect(points).toEqual(['/mnt/my disk\t\\x', '/mnt/a', '/mnt', '/run/media/me/usb']);
    expect(['/usr/x', '/run/user', '/proc', '/mnt', '/run/media/me', '/home'].map(isSystemFolder)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
