import type { SmesherId } from '../identity/smesher-id.ts';
import type { NodeEvent } from '../node/events.ts';

/** A node that restarts is away for so long: it makes no proposal in layers that begin meanwhile. */
const LEAST_AWAY_MS = 20_000;
const LONGEST_AWAY_MS = 3 * 60_000;

/** Further ahead nobody waits: with hundreds of identities every layer is somebody's. */
const LAYERS_AHEAD = 24;

export interface LayerClock {
  /** Milliseconds since 1970. */
  readonly genesis: number;
  readonly layerMs: number;
}

export type NodeMoment =
  /** No identity of ours is eligible while the node is away, as far as its events tell. */
  | { readonly kind: 'free' }
  /** A better moment comes soon. */
  | {
      readonly kind: 'waits';
      readonly until: number;
      readonly layer: number;
      readonly smeshers: readonly SmesherId[];
    }
  /** Every moment within the next hours costs a proposal. */
  | { readonly kind: 'crowded'; readonly layer: number; readonly smeshers: readonly SmesherId[] };

/** How long a restart keeps the node away, milliseconds. */
export function nodeAwayMs({ layerMs }: LayerClock): number {
  return Math.min(Math.max(layerMs, LEAST_AWAY_MS), LONGEST_AWAY_MS);
}

/**
 * Whether now is a moment without an eligible layer (S41): a proposal that is not made is a reward that is not paid
 * (spacemesh.md §5.4, `eligibilities`). Events are all that tells; what they do not tell is taken for not eligible.
 */
export function judgeMoment(events: readonly NodeEvent[], clock: LayerClock, now: number): NodeMoment {
  const eligible = eligibleLayers(events);
  const current = layerAt(clock, now);
  const hit = hitFrom(eligible, clock, now);
  if (hit === undefined) return { kind: 'free' };
  for (let layer = current + 1; layer <= current + LAYERS_AHEAD; layer += 1) {
    const start = clock.genesis + layer * clock.layerMs;
    if (hitFrom(eligible, clock, start) === undefined) return { kind: 'waits', until: start, ...hit };
  }
  return { kind: 'crowded', ...hit };
}

function layerAt({ genesis, layerMs }: LayerClock, at: number): number {
  return Math.floor((at - genesis) / layerMs);
}

function eligibleLayers(events: readonly NodeEvent[]): ReadonlyMap<number, readonly SmesherId[]> {
  const layers = new Map<number, SmesherId[]>();
  for (const event of events) {
    if (event.kind !== 'eligibilities') continue;
    for (const { layer } of event.layers) {
      const smeshers = layers.get(layer) ?? [];
      if (!smeshers.includes(event.smesher)) layers.set(layer, [...smeshers, event.smesher]);
    }
  }
  return layers;
}

/** The first eligible layer that a restart at that time would miss. */
function hitFrom(
  eligible: ReadonlyMap<number, readonly SmesherId[]>,
  clock: LayerClock,
  from: number,
): { layer: number; smeshers: readonly SmesherId[] } | undefined {
  for (let layer = layerAt(clock, from); layer <= layerAt(clock, from + nodeAwayMs(clock)); layer += 1) {
    const smeshers = eligible.get(layer);
    if (smeshers !== undefined) return { layer, smeshers };
  }
  return undefined;
}
