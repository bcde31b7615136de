import type { ToolSaid } from './facts.ts';

/** A line of `nvidia-smi --query-gpu=index,uuid,name,memory.total,driver_version,pci.bus_id --format=csv,noheader`. */
export interface SmiCard {
  readonly index: string;
  readonly uuid: string;
  readonly name: string;
  readonly driver: string;
  readonly memoryBytes?: number;
  /** `0000:01:00.0`, as sysfs writes it. */
  readonly address?: string;
}

export const NVIDIA_SMI_QUERY = [
  '--query-gpu=index,uuid,name,memory.total,driver_version,pci.bus_id',
  '--format=csv,noheader',
] as const;

const MEBIBYTE = 1024 * 1024;

/** nvidia-smi has eight digits for the domain, sysfs four. */
function sysfsAddress(busId: string): string | undefined {
  const [, domain, rest] = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(busId) ?? [];
  return domain === undefined || rest === undefined ? undefined : `${domain.slice(-4)}:${rest}`.toLowerCase();
}

/** Lines that are no cards are passed over: with one dead card among others nvidia-smi says so between the others. */
export function parseNvidiaSmi(stdout: string): readonly SmiCard[] {
  return stdout.split('\n').flatMap((line) => {
    const [index = '', uuid = '', name = '', memory = '', driver = '', busId = ''] = line
      .split(',')
      .map((field) => field.trim());
    if (!/^\d+$/.test(index) || !uuid.startsWith('GPU-') || name === '') return [];
    const mebibytes = /^(\d+) MiB$/.exec(memory)?.[1];
    const address = sysfsAddress(busId);
    return [
      {
        index,
        uuid,
        name,
        driver,
        ...(mebibytes === undefined ? {} : { memoryBytes: Number(mebibytes) * MEBIBYTE }),
        ...(address === undefined ? {} : { address }),
      },
    ];
  });
}

export type SmiTrouble =
  /** Library and kernel module are of different releases, as after an update without a reboot. */
  | 'mismatch'
  /** No module is loaded, or it has no card. */
  | 'no-driver'
  /** It hangs: a card that has died on the bus. */
  | 'late'
  /** A card has died on the bus, and it says which. */
  | 'lost'
  | 'other';

/** What is wrong where nvidia-smi does not list cards; `undefined`: it does, or is not there. */
export function nvidiaSmiTrouble(said: ToolSaid): SmiTrouble | undefined {
  if (said.kind === 'absent') return undefined;
  if (said.kind === 'late') return 'late';
  const text = `${said.stdout}\n${said.stderr}`;
  if (/driver\/library version mismatch/i.test(text)) return 'mismatch';
  if (/couldn't communicate with the NVIDIA driver|no devices were found/i.test(text)) return 'no-driver';
  if (/unable to determine the device handle|GPU is lost/i.test(text)) return 'lost';
  return said.exitCode === 0 ? undefined : 'other';
}

/** The line in which nvidia-smi says why, for a message. */
export function nvidiaSmiWords(said: ToolSaid): string {
  if (said.kind !== 'said') return '';
  const lines = `${said.stderr}\n${said.stdout}`.split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '') ?? `exit ${said.exitCode}`;
}

/** `550.90.07` of /proc/driver/nvidia/version. */
export function nvidiaModuleVersion(text: string | undefined): string | undefined {
  return /^NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s/m.exec(text ?? '')?.[1];
}
