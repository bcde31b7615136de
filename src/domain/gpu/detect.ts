import type { GpuFacts, PciCard } from './facts.ts';
import { nvidiaModuleVersion, parseNvidiaSmi, type SmiCard } from './nvidia-smi.ts';
import type { CardVendor, HostGpu } from './report.ts';
import { VENDOR_WORDS, vendorOfPci } from './vendor.ts';

/** Kernel drivers through which a card can compute; any other one keeps it from that. */
export const COMPUTING_DRIVERS: Readonly<Record<CardVendor, readonly string[]>> = {
  nvidia: ['nvidia'],
  amd: ['amdgpu'],
  intel: ['i915', 'xe'],
};

/** A card with what findings need beside what is shown. */
export interface DetectedGpu extends HostGpu {
  /** Absent where only the vendor's tool knows it (WSL). */
  readonly pci?: PciCard;
  /** What OpenCL calls it where that is not its name: `gfx1030`. */
  readonly target?: string;
}

function ofNvidiaSmi(card: SmiCard, pci: PciCard | undefined): DetectedGpu {
  return {
    vendor: 'nvidia',
    name: card.name,
    device: card.index,
    uuid: card.uuid,
    driver: `nvidia ${card.driver}`,
    ...(card.memoryBytes === undefined ? {} : { memoryBytes: card.memoryBytes }),
    ...(pci === undefined ? {} : { pci }),
  };
}

/** `Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]`: what stands in brackets is what people call it. */
function nameOf(vendor: CardVendor, pci: PciCard): string {
  const listed = pci.productName ?? pci.listedName;
  const called = /\[(.+)\]$/.exec(listed ?? '')?.[1] ?? listed;
  const words = VENDOR_WORDS[vendor];
  if (called === undefined || called === '') return `${words} card ${pci.vendorId}:${pci.deviceId}`;
  return called.toLowerCase().startsWith(words.toLowerCase()) ? called : `${words} ${called}`;
}

function ofSysfs(vendor: CardVendor, pci: PciCard, facts: GpuFacts): DetectedGpu {
  const render = pci.drm.find((name) => /^renderD\d+$/.test(name));
  const kfd = facts.kfd.find(({ renderMinor }) => `renderD${renderMinor}` === render);
  const nvidia = facts.nvidiaCards.find(({ address }) => address === pci.address);
  const release = vendor === 'nvidia' ? nvidiaModuleVersion(facts.nvidiaModule) : undefined;
  // NVIDIA's cards are named by index or UUID, which only its own driver tells.
  const device = vendor === 'nvidia' ? nvidia?.uuid : render === undefined ? undefined : `/dev/dri/${render}`;
  const driver = [pci.kernelDriver, pci.kernelDriver === 'nvidia' ? release : undefined];
  return {
    vendor,
    name: nvidia?.model ?? nameOf(vendor, pci),
    ...(device === undefined ? {} : { device }),
    ...(nvidia?.uuid === undefined ? {} : { uuid: nvidia.uuid }),
    ...(pci.kernelDriver === undefined
      ? {}
      : { driver: driver.filter((part) => part !== undefined).join(' ') }),
    ...(pci.memoryBytes === undefined ? {} : { memoryBytes: pci.memoryBytes }),
    ...(kfd === undefined ? {} : { target: kfd.target }),
    pci,
  };
}

/**
 * The cards of NVIDIA, AMD and Intel in this host: on the PCI bus, and what nvidia-smi lists beyond it. In the order of
 * vendors, then of what they are called in `init.devices`.
 */
export function detectCards(facts: GpuFacts): readonly DetectedGpu[] {
  const smi = facts.nvidiaSmi.kind === 'said' ? parseNvidiaSmi(facts.nvidiaSmi.stdout) : [];
  const byAddress = new Map(smi.map((card) => [card.address ?? '', card]));
  const onBus = facts.cards.flatMap((pci): DetectedGpu[] => {
    const vendor = vendorOfPci(pci.vendorId);
    if (vendor === undefined) return [];
    const known = vendor === 'nvidia' ? byAddress.get(pci.address) : undefined;
    return [known === undefined ? ofSysfs(vendor, pci, facts) : ofNvidiaSmi(known, pci)];
  });
  const seen = new Set(facts.cards.map(({ address }) => address));
  const others = smi.filter(({ address }) => address === undefined || !seen.has(address));
  const cards = [...onBus, ...others.map((card) => ofNvidiaSmi(card, undefined))];
  const order: readonly CardVendor[] = ['nvidia', 'amd', 'intel'];
  const rank = ({ vendor, device }: DetectedGpu) =>
    order.indexOf(vendor) * 1e6 + (Number(/\d+$/.exec(device ?? '')?.[0] ?? 999_999) % 1e6);
  return cards.toSorted((a, b) => rank(a) - rank(b));
}

/** What is shown and handed on of a card. */
export function shownCard({ pci: _pci, target: _target, ...card }: DetectedGpu): HostGpu {
  return card;
}
