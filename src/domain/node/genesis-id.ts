import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Network } from '../project/types.ts';

/** What tells networks apart: 20 bytes, as hex (spacemesh.md §2.2). */
export function genesisIdOf(network: Pick<Network, 'genesisTime' | 'genesisExtraData'>): string {
  const seconds = Math.floor(Date.parse(network.genesisTime) / 1000);
  return bytesToHex(blake3(utf8ToBytes(`${seconds}${network.genesisExtraData}`))).slice(0, 40);
}
