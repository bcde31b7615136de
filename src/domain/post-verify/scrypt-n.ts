import { MAINNET, TESTNET } from '../node/networks.ts';
import { networkOf } from '../post/network.ts';
import type { PostMetadata } from '../post/types.ts';
import type { Network } from '../project/types.ts';

export type ScryptN =
  | { readonly kind: 'known'; readonly n: number }
  | { readonly kind: 'unknown'; readonly why: string };

const PUBLIC = { mainnet: MAINNET, testnet: TESTNET } as const;

/**
 * The N that labels were made with. It is not in the metadata, and with another one every label looks invalid
 * (spacemesh.md §14.4): where it is not known nothing may be checked.
 *
 * @param network of the project that is worked in
 * @param given by hand
 */
export function scryptNOf(metadata: PostMetadata, network: Network | undefined, given?: number): ScryptN {
  if (given !== undefined) return { kind: 'known', n: given };
  if (network?.post.labelsPerUnit === metadata.labelsPerUnit) {
    return { kind: 'known', n: network.post.scrypt.n };
  }
  const name = networkOf(metadata).network;
  if (name === 'mainnet' || name === 'testnet') return { kind: 'known', n: PUBLIC[name].post.scrypt.n };
  return {
    kind: 'unknown',
    why: `${metadata.labelsPerUnit} labels per unit are of a network that is not known here, and with a wrong scrypt N every label would look invalid`,
  };
}
