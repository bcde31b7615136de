import { LABEL } from '../compose/labels.ts';
import type { ObservedContainer } from '../compose/observed.ts';
import type { DesiredService } from './decide-up.ts';

/** Compose's label with the image that the container was made from; a difference recreates it (engineering.md §4.2). */
const IMAGE_LABEL = 'com.docker.compose.image';
const VERSION_LABEL = 'com.docker.compose.version';

/** What changed labels of our own mean, in words: design §5. */
const MEANINGS = [
  { label: LABEL.identities, words: 'its set of keys has changed' },
  { label: LABEL.config, words: 'node/config.json has changed' },
] as const;

/**
 * Why Compose would recreate this container, in words, or `undefined` when it would leave it alone. Compose decides by
 * config hash and image ID (engineering.md §4.2); labels and image names only serve to explain it.
 */
export function describeChange(
  service: DesiredService,
  container: ObservedContainer,
  composeVersion: string,
): string | undefined {
  const reasons = [
    ...describeImage(service, container),
    ...(container.configHash === service.configHash
      ? []
      : describeDefinition(service, container, composeVersion)),
  ];
  return reasons.length === 0 ? undefined : reasons.join(', ');
}

function describeImage(service: DesiredService, container: ObservedContainer): string[] {
  if (container.image !== service.image) return [`image ${container.image} → ${service.image}`];
  // An image that is not here any more cannot be compared; it is no reason to stop what runs from it.
  if (service.imageId === undefined) return [];
  const madeFrom = container.labels[IMAGE_LABEL] ?? container.imageId;
  return madeFrom === service.imageId ? [] : [`${service.image} has been built or pulled anew`];
}

function describeDefinition(
  service: DesiredService,
  container: ObservedContainer,
  composeVersion: string,
): string[] {
  const meanings = MEANINGS.filter(({ label }) => service.labels[label] !== container.labels[label]).map(
    ({ words }) => words,
  );
  if (meanings.length > 0) return meanings;
  if (container.image !== service.image) return [];
  const madeBy = container.labels[VERSION_LABEL];
  if (madeBy !== undefined && release(madeBy) !== release(composeVersion)) {
    return [`its definition has changed, or Compose ${composeVersion} reads it otherwise than ${madeBy} did`];
  }
  return ['its definition in compose.yaml has changed'];
}

/** Distributions put their own build number behind it, and the label lacks that: 2.26.1-4 is 2.26.1. */
function release(version: string): string {
  return /^v?(\d+\.\d+\.\d+)/.exec(version)?.[1] ?? version;
}
