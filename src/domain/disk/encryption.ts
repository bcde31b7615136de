import type { BlockDevice, BlockDevices } from './block-devices.ts';

/** More layers than any host has: a loop of names must not become a loop of the program. */
const DEEPEST = 16;

/**
 * How dm-crypt encrypts what a device stands on: `LUKS2`, `LUKS1`, `PLAIN`, … as device-mapper names it
 * (`CRYPT-LUKS2-…`); `undefined` where nothing on the way down is encrypted.
 */
export function encryptionOf(device: BlockDevice, devices: BlockDevices, depth = 0): string | undefined {
  const own = /^CRYPT-([A-Z0-9]+)-/.exec(device.dmUuid ?? '')?.[1];
  if (own !== undefined || depth >= DEEPEST) return own;
  const below = [...device.slaves, ...(device.partitionOf === undefined ? [] : [device.partitionOf])];
  for (const name of below) {
    const next = devices.byName(name);
    const found = next === undefined ? undefined : encryptionOf(next, devices, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
