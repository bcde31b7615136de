import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DeviceNode, KfdNode, NvidiaCard, PciCard } from '../../domain/gpu/facts.ts';
import { findPciName } from '../../domain/gpu/pci-names.ts';

const list = (path: string) => readdir(path).catch(() => [] as string[]);
export const readText = (path: string) => readFile(path, 'utf8').catch(() => undefined);
const readLine = async (path: string) => (await readText(path))?.trim();

/** Where distributions keep the list of names. */
const PCI_IDS = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids'];

/** Display controllers: VGA, XGA, 3D, other. */
const DISPLAY_CLASS = /^0x03/;
/** AMD's larger ones have no display (MI300); of other makers it is what computes neural networks. */
const ACCELERATOR_CLASS = /^0x1200/;
const AMD = '0x1002';

async function firstText(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Cards below /sys/bus/pci, in the order of the bus. */
export async function readPciCards(root: string): Promise<readonly PciCard[]> {
  const folder = join(root, 'sys/bus/pci/devices');
  const cards = await Promise.all((await list(folder)).map((address) => readCard(folder, address)));
  const found = cards.filter((card) => card !== undefined).sort((a, b) => (a.address < b.address ? -1 : 1));
  if (found.length === 0) return found;
  const names = await firstText(PCI_IDS.map((path) => join(root, path)));
  if (names === undefined) return found;
  return found.map((card) => {
    const listedName = findPciName(names, card.vendorId, card.deviceId);
    return listedName === undefined ? card : { ...card, listedName };
  });
}

async function readCard(folder: string, address: string): Promise<PciCard | undefined> {
  const of = (name: string) => join(folder, address, name);
  const kind = await readLine(of('class'));
  if (kind === undefined) return undefined;
  const vendor = await readLine(of('vendor'));
  if (!DISPLAY_CLASS.test(kind) && !(ACCELERATOR_CLASS.test(kind) && vendor === AMD)) return undefined;
  const [device, driver, drm, productName, memory] = await Promise.all([
    readLine(of('device')),
    readlink(of('driver')).catch(() => undefined),
    list(of('drm')),
    readLine(of('product_name')),
    readLine(of('mem_info_vram_total')),
  ]);
  const hex = (text: string | undefined) => (text ?? '').replace(/^0x/, '').toLowerCase();
  return {
    address,
    vendorId: hex(vendor),
    deviceId: hex(device),
    ...(driver === undefined ? {} : { kernelDriver: basename(driver) }),
    drm: drm.filter((name) => /^(?:card|renderD)\d+$/.test(name)).sort(),
    ...(productName ? { productName } : {}),
    ...(memory !== undefined && /^\d+$/.test(memory) ? { memoryBytes: Number(memory) } : {}),
  };
}

/** gfx_target_version 100300 is gfx1030: major, two digits each of minor and stepping, the last in hex. */
function targetName(version: number): string {
  const [major, minor, step] = [Math.floor(version / 10_000), Math.floor(version / 100) % 100, version % 100];
  return `gfx${major}${minor.toString(16)}${step.toString(16)}`;
}

/** Nodes of ROCm's kernel part with a card behind them (processors are nodes, too, without a render node). */
export async function readKfd(root: string): Promise<readonly KfdNode[]> {
  const folder = join(root, 'sys/class/kfd/kfd/topology/nodes');
  const texts = await Promise.all(
    (await list(folder)).map((node) => readText(join(folder, node, 'properties'))),
  );
  return texts.flatMap((text) => {
    const number = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);
    const renderMinor = number('drm_render_minor');
    const version = number('gfx_target_version');
    return renderMinor === 0 || version === 0 ? [] : [{ renderMinor, target: targetName(version) }];
  });
}

/** What NVIDIA's kernel module says of its cards, without a tool. */
export async function readNvidiaCards(root: string): Promise<readonly NvidiaCard[]> {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  const cards = await Promise.all(
    (await list(folder)).map(async (address) => {
      const text = (await readText(join(folder, address, 'information'))) ?? '';
      const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(text)?.[1]?.trim();
      const model = field('Model');
      const uuid = field('GPU UUID');
      if (model === undefined) return undefined;
      // `GPU-????????-…` until the card was used for the first time.
      return { address, model, ...(uuid === undefined || uuid.includes('?') ? {} : { uuid }) };
    }),
  );
  return cards.filter((card) => card !== undefined);
}

const NODES: readonly { readonly folder: string; readonly names: RegExp }[] = [
  { folder: 'dev', names: /^(?:nvidia\d+|nvidiactl|nvidia-uvm|kfd|dxg)$/ },
  { folder: 'dev/dri', names: /^(?:card|renderD)\d+$/ },
];

/** Device nodes that cards are used through, with who may open them. */
export async function readNodes(root: string): Promise<readonly DeviceNode[]> {
  const found = await Promise.all(
    NODES.map(async ({ folder, names }) => {
      const present = (await list(join(root, folder))).filter((name) => names.test(name)).sort();
      return Promise.all(
        present.map(async (name) => {
          const facts = await stat(join(root, folder, name)).catch(() => undefined);
          if (facts === undefined) return undefined;
          const { uid, gid, mode } = facts;
          return { path: `/${folder}/${name}`, uid, gid, mode: mode & 0o777 };
        }),
      );
    }),
  );
  return found.flat().filter((node) => node !== undefined);
}
