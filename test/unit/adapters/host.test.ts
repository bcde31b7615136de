import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHost } from '../../../src/adapters/host/index.ts';
import { lookAtPlace } from '../../../src/adapters/host/place.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** A kernel's tables as files: three mounts, a disk with a partition, a volume on two disks. */
function tables() {
  const folder = tempFolder('host');
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const link = (target: string, path: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(folder, target), join(folder, path));
  };
  write(
    'mountinfo',
    [
      '1 0 8:2 / / rw - ext4 /dev/sda2 rw',
      '2 1 8:17 / /mnt/d1 rw - ext4 /dev/sdb1 ro,errors=remount-ro',
      '3 1 253:0 / /mnt/my\\040vg rw - ext4 /dev/mapper/vg-lv rw',
      '4 1 0:50 / /mnt/nas rw - nfs4 nas:/x rw',
      '',
    ].join('\n'),
  );
  write('fstab', '# /dev/sdb1 /mnt/d1 ext4 ro 0 0\n/dev/sdb1 /mnt/d1 ext4 defaults,noatime 0 2\n');
  for (const [name, parent] of [
    ['sda', ''],
    ['sdb', ''],
    ['sdc', ''],
    ['dm-0', ''],
    ['sdb1', 'sdb/'],
    ['sda2', 'sda/'],
  ] as const) {
    write(`sys/devices/${parent}${name}/size`, '1\n');
    if (parent !== '') write(`sys/devices/${parent}${name}/partition`, '1\n');
    link(`sys/devices/${parent}${name}`, `sys/class/block/${name}`);
  }
  for (const slave of ['sdb1', 'sdc']) write(`sys/devices/dm-0/slaves/${slave}`, '');
  link('sys/devices/sdb/sdb1', 'sys/dev/block/8:17');
  link('sys/devices/dm-0', 'sys/dev/block/253:0');
  write('sys/fs/ext4/sdb1/errors_count', '7\n');
  return { mountInfo: join(folder, 'mountinfo'), sys: join(folder, 'sys'), fstab: join(folder, 'fstab') };
}

describe('lookAtPlace', () => {
  it('finds mount, whole disks, what fstab wants, and errors that the kernel has counted', async () => {
    const kernel = tables();
    expect(await lookAtPlace('/mnt/d1/post', kernel)).toEqual({
      mountPoint: '/mnt/d1',
      fileSystem: 'ext4',
      source: '/dev/sdb1',
      readOnly: true,
      wantedReadOnly: false,
      disks: ['sdb'],
      errorCount: 7,
    });
    expect(await lookAtPlace('/mnt/my vg/post', kernel)).toMatchObject({
      disks: ['sdb', 'sdc'],
      readOnly: false,
    });
    const share = await lookAtPlace('/mnt/nas/post', kernel);
    expect(share).toMatchObject({ fileSystem: 'nfs4', disks: [] });
    expect(share).not.toHaveProperty('errorCount');
    expect(share).not.toHaveProperty('wantedReadOnly');
  });

  it('knows nothing where the kernel tells nothing', async () => {
    const nowhere = { mountInfo: '/nowhere', sys: '/nowhere', fstab: '/nowhere' };
    expect(await lookAtPlace('/mnt', nowhere)).toBeUndefined();
  });
});

describe('programs of the host', () => {
  function program(folder: string, name: string, script: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  it('are asked without a shell; their exit codes, absence and silence are told apart', async () => {
    const folder = tempFolder('programs');
    program(folder, 'timedatectl', 'echo "NTPSynchronized=yes LC=$LC_ALL $*"');
    program(folder, 'smartctl', 'echo "$*"; exit 2');
    program(folder, 'chronyc', 'exec sleep 60');
    const host = createHost({ PATH: `${folder}:/usr/bin:/bin` });
    expect(await host.timedatectl(5000)).toEqual({
      kind: 'said',
      exitCode: 0,
      text: 'NTPSynchronized=yes LC=C show\n',
    });
    expect(await host.smartctl('sda; rm', 5000)).toEqual({
      kind: 'said',
      exitCode: 2,
      text: '--json=c -n standby -H -A /dev/sda; rm\n',
    });
    expect(await host.chronyc(100)).toEqual({ kind: 'late' });
    // Folders of the system are looked through too, so only what is nowhere is absent.
    program(folder, 'timedatectl', '');
    chmodSync(join(folder, 'timedatectl'), 0o644);
    const bare = createHost({ PATH: tempFolder('empty') });
    expect((await bare.timedatectl(5000)).kind).toBe('absent');
  });

  it('tells what hangs when it is opened from what fails', async () => {
    const folder = tempFolder('opens');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const host = createHost({ PATH: '/usr/bin:/bin' });
    expect(await host.answers(join(folder, 'pipe'), 200)).toBe(false);
    expect(await host.answers(join(folder, 'absent'), 5000)).toBe(true);
    expect(await host.answers(folder, 5000)).toBe(true);
  });

  it('reads the facts of this very host', async () => {
    const facts = await createHost({}).facts();
    expect(facts.totalMemoryBytes).toBeGreaterThan(2 ** 28);
    expect(facts.availableMemoryBytes).toBeLessThanOrEqual(facts.totalMemoryBytes);
    expect(facts.kernel).toMatch(/^\d/);
  });
});
