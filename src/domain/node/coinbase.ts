import { bech32 } from 'bech32';
import type { Network, NetworkName } from '../project/types.ts';

export type CoinbaseCheck = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Whose address it is, by its prefix (spacemesh.md §1.3). */
const NETWORK_OF_PREFIX: Readonly<Record<string, NetworkName>> = {
  sm: 'mainnet',
  stest: 'testnet',
  standalone: 'standalone',
};

const ADDRESS_BYTES = 24;

function refuse(reason: string): CoinbaseCheck {
  return { ok: false, reason };
}

/**
 * Checks the account that earns the rewards as the node does: bech32 (not bech32m), the network's prefix, 24 bytes of
 * which the first four are zero (spacemesh.md §1.2). The reason is a clause without the address in front.
 */
export function checkCoinbase(address: string, network: Pick<Network, 'name' | 'hrp'>): CoinbaseCheck {
  if (address === '') return refuse('is empty; without it the node serves but never smeshes');
  const separator = address.lastIndexOf('1');
  const prefix = separator < 1 ? '' : address.slice(0, separator).toLowerCase();
  const owner = Object.hasOwn(NETWORK_OF_PREFIX, prefix) ? NETWORK_OF_PREFIX[prefix] : undefined;
  if (owner === undefined) {
    return refuse(
      `is no Spacemesh address; one on ${network.name} begins with "${network.hrp}1"${hexHint(address)}`,
    );
  }
  if (prefix !== network.hrp) {
    return refuse(
      `belongs to ${owner}, but the network is ${network.name}, whose addresses begin with "${network.hrp}1"`,
    );
  }
  if (address !== address.toLowerCase()) return refuse('has capital letters; write it in small ones');
  const decoded = bech32.decodeUnsafe(address);
  if (decoded === undefined) {
    return refuse('has a wrong check sum: a letter is missing, wrong or in the wrong place');
  }
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  if (bytes === undefined || bytes.length !== ADDRESS_BYTES) {
    return refuse(`has ${bytes?.length ?? 'a broken number of'} bytes where an address has ${ADDRESS_BYTES}`);
  }
  if (bytes.slice(0, 4).some((byte) => byte !== 0)) {
    return refuse('is well formed, but no account has it: its first four bytes are not zero');
  }
  return { ok: true };
}

function hexHint(address: string): string {
  return /^(0x)?[0-9a-f]{40,64}$/i.test(address) ? '; this looks like a key or an Ethereum address' : '';
}

/** The address of 24 bytes on a network. */
export function encodeCoinbase(bytes: Uint8Array, network: Pick<Network, 'hrp'>): string {
  return bech32.encode(network.hrp, bech32.toWords(bytes));
}
