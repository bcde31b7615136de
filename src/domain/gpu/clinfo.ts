/** A platform of OpenCL and its devices, of whatever type. */
export interface OpenClPlatform {
  readonly name: string;
  readonly devices: readonly string[];
}

/** `clinfo -l`: ` Platform #0: …` and below it `` `-- Device #0: … ``. */
export function parseClinfo(text: string): readonly OpenClPlatform[] {
  const platforms: { name: string; devices: string[] }[] = [];
  for (const line of text.split('\n')) {
    const platform = /^\s*Platform #\d+: (.*)$/.exec(line)?.[1];
    if (platform !== undefined) platforms.push({ name: platform.trim(), devices: [] });
    const device = /^[\s|`+-]*Device #\d+: (.*)$/.exec(line)?.[1];
    if (device !== undefined) platforms.at(-1)?.devices.push(device.trim());
  }
  return platforms;
}

/** pocl computes OpenCL on the processor: "Portable Computing Language". */
export function isPocl({ name }: OpenClPlatform): boolean {
  return /portable computing language|\bpocl\b/i.test(name);
}
