import type { PostMetadata, ScannedDirectory } from './types.ts';

type KnownNetwork = NonNullable<ScannedDirectory['network']>;

/** Labels per unit and the fewest units, per network (spacemesh.md §1.3). */
const NETWORKS = [
  { network: 'mainnet', labelsPerUnit: 4_294_967_296, minUnits: 4 },
  { network: 'testnet', labelsPerUnit: 1024, minUnits: 2 },
  { network: 'standalone', labelsPerUnit: 64, minUnits: 1 },
] as const satisfies readonly { network: KnownNetwork; labelsPerUnit: number; minUnits: number }[];

export interface NetworkReading {
  readonly network: KnownNetwork;
  /** Why the data fits none, when its label count looks like one. */
  readonly note?: string;
}

/**
 * Which network the data was made for, as far as its shape tells. A private network may have any label count: such
 * data is `unknown` here and is compared with the project's own network when it is added.
 */
export function networkOf(metadata: PostMetadata): NetworkReading {
  const match = NETWORKS.find(({ labelsPerUnit }) => labelsPerUnit === metadata.labelsPerUnit);
  if (match === undefined) {
    return {
      network: 'unknown',
      note: `${metadata.labelsPerUnit} labels per unit is the number of no public network: data of a private one`,
    };
  }
  if (metadata.units < match.minUnits) {
    return {
      network: 'unknown',
      note: `${metadata.units} of ${match.network}'s units; the node accepts no fewer than ${match.minUnits}`,
    };
  }
  return { network: match.network };
}
