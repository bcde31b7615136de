import type { CardVendor } from './report.ts';

/** By PCI vendor ID. Others make no cards that can compute labels (boards for a screen in a server: Matrox, ASPEED). */
const BY_PCI_ID: Readonly<Record<string, CardVendor>> = { '10de': 'nvidia', '1002': 'amd', '8086': 'intel' };

export function vendorOfPci(vendorId: string): CardVendor | undefined {
  return BY_PCI_ID[vendorId];
}

const WORDS: readonly (readonly [CardVendor, RegExp])[] = [
  ['nvidia', /nvidia|geforce|tesla|quadro/i],
  ['amd', /\bamd\b|advanced micro devices|radeon|rocm|\bgfx\d/i],
  ['intel', /intel/i],
];

/** Whose card a provider is; the device says it better than the platform, which may be of all (Mesa). */
export function vendorOfProvider(platform: string, device: string): CardVendor | undefined {
  for (const text of [device, platform]) {
    const found = WORDS.find(([, words]) => words.test(text));
    if (found !== undefined) return found[0];
  }
  return undefined;
}

export const VENDOR_WORDS: Readonly<Record<CardVendor, string>> = {
  nvidia: 'NVIDIA',
  amd: 'AMD',
  intel: 'Intel',
};
