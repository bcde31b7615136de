import type { Network } from '../project/types.ts';
import type { PostMetadata } from './types.ts';

/**
 * Why a network's node would not take this PoST data, in words; `undefined` when it would. A post-service with foreign
 * parameters connects and its proofs are refused (spacemesh.md §9.1.17, scenario S11).
 */
export function unsuitability(metadata: PostMetadata, network: Network): string | undefined {
  const { labelsPerUnit, minUnits, maxUnits } = network.post;
  if (metadata.labelsPerUnit !== labelsPerUnit) {
    return `made for another network: ${metadata.labelsPerUnit} labels per unit, ${network.name} has ${labelsPerUnit}`;
  }
  if (metadata.units < minUnits) return `${metadata.units} units; ${network.name} takes ${minUnits} at least`;
  if (metadata.units > maxUnits) return `${metadata.units} units; ${network.name} takes ${maxUnits} at most`;
  return undefined;
}
