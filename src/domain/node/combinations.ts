import { parseImageReference } from '../upgrade/image-reference.ts';
import { judgePair } from '../upgrade/pairing.ts';
import { formatRelease, parseRelease, type Release } from '../upgrade/release.ts';

export interface ImageCombination {
  readonly node: string;
  /** One for each identity; equal ones may repeat. */
  readonly provers: readonly { readonly image: string; readonly remoteK2pow: boolean }[];
  readonly initialisation?: string;
}

export interface CombinationFault {
  readonly severity: 'error' | 'warning';
  readonly images: readonly string[];
  readonly message: string;
  readonly next: string;
}

/**
 * Releases of node, post-service and postcli that do not fit together, or of which it is not known (spacemesh.md §0,
 * "Release pairing"; S24). Images without a release as tag say nothing and are passed over.
 */
export function judgeCombination({
  node,
  provers,
  initialisation,
}: ImageCombination): readonly CombinationFault[] {
  const faults: CombinationFault[] = [];
  const used = new Map<string, boolean>();
  for (const { image, remoteK2pow } of provers) used.set(image, used.get(image) === true || remoteK2pow);
  const nodeRelease = releaseOf(node);
  for (const [image, remoteK2pow] of used) {
    const prover = releaseOf(image);
    if (nodeRelease === undefined || prover === undefined) continue;
    for (const { severity, message, next } of judgePair({ node: nodeRelease, prover, remoteK2pow })) {
      faults.push({ severity, images: [node, image], message, next });
    }
  }
  if (used.size > 1) {
    const images = [...used.keys()].sort();
    faults.push({
      severity: 'warning',
      images,
      message: `Post-services of ${used.size} versions`,
      next: 'One version for all is what is tested: image under defaults in smesh.yaml',
    });
  }
  const postcli = initialisation === undefined ? undefined : releaseOf(initialisation);
  // Every node from 1.4.0 on is built with a 0.12.x of the library that postcli is made of; others were not read.
  if (
    initialisation !== undefined &&
    postcli !== undefined &&
    !(postcli.major === 0 && postcli.minor === 12)
  ) {
    faults.push({
      severity: 'warning',
      images: [initialisation],
      message: `Whether data made by postcli ${formatRelease(postcli)} suits this node is not known to this version of the tool`,
      next: 'v0.12.9 is tested: init.image in smesh.yaml',
    });
  }
  return faults;
}

function releaseOf(image: string): Release | undefined {
  const tag = parseImageReference(image)?.tag;
  return tag === undefined ? undefined : parseRelease(tag);
}
