import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KernelTables } from '../../../src/adapters/scanner/host-disks.ts';

export interface DeviceSpec {
  readonly number: string;
  readonly sectors?: number;
  readonly rotational?: 0 | 1;
  readonly slaves?: readonly string[];
  readonly partitionOf?: string;
  readonly uuid?: string;
  /** Further files in the device's folder, such as `dm/name`. */
  readonly files?: Readonly<Record<string, string>>;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
}

/** Lays out what the kernel shows of these devices, with the links that lead there. */
export function makeKernelTables(
  root: string,
  mountInfo: readonly string[],
  devices: Readonly<Record<string, DeviceSpec>>,
  btrfs: Readonly<Record<string, readonly string[]>> = {},
): KernelTables {
  const sys = join(root, 'sys');
  for (const folder of ['class/block', 'dev/block']) mkdirSync(join(sys, folder), { recursive: true });
  mkdirSync(join(root, 'dev/disk/by-uuid'), { recursive: true });
  for (const [name, spec] of Object.entries(devices)) {
    const folder = join('devices/virtual/block', spec.partitionOf ?? '', name);
    write(join(sys, folder, 'dev'), spec.number);
    write(join(sys, folder, 'size'), `${spec.sectors ?? 0}`);
    if (spec.partitionOf !== undefined) write(join(sys, folder, 'partition'), '1');
    if (spec.rotational !== undefined) write(join(sys, folder, 'queue/rotational'), `${spec.rotational}`);
    for (const [file, text] of Object.entries(spec.files ?? {})) write(join(sys, folder, file), text);
    mkdirSync(join(sys, folder, 'slaves'), { recursive: true });
    for (const slave of spec.slaves ?? []) symlinkSync(`../../${slave}`, join(sys, folder, 'slaves', slave));
    symlinkSync(`../../${folder}`, join(sys, 'class/block', name));
    symlinkSync(`../../${folder}`, join(sys, 'dev/block', spec.number));
    if (spec.uuid !== undefined) symlinkSync(`../../${name}`, join(root, 'dev/disk/by-uuid', spec.uuid));
  }
  for (const [uuid, members] of Object.entries(btrfs)) {
    for (const member of members)
      mkdirSync(join(sys, 'fs/btrfs', uuid, 'devices', member), { recursive: true });
  }
  const mounts = join(root, 'mountinfo');
  writeFileSync(mounts, `${mountInfo.join('\n')}\n`);
  return { mountInfo: mounts, sys, dev: join(root, 'dev') };
}
