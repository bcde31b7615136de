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
  readonly layersPerEpoch: number;
}

/** By layer, who of ours may propose in it, as the node's events tell. */
export type EligibleLayers = ReadonlyMap<number, readonly SmesherId[]>;

export interface EligibleLayer {
  readonly layer: number;
  readonly smeshers: readonly SmesherId[];
}

/** Whether the node can be away now without a proposal being missed. */
export type NodeMoment =
  /** No identity of ours is eligible while the node is away, as far as its events tell. */
  | { readonly kind: 'free' }
  /** A better moment comes soon: from `until`, when `freeLayer` begins. */
  | {
      readonly kind: 'waits';
      readonly until: number;
      readonly freeLayer: number;
      /** What would be missed, never empty. */
      readonly missed: readonly EligibleLayer[];
    }
  /** Every moment within the next hours costs a proposal, or the epochs after this one would have to tell. */
  | { readonly kind: 'crowded'; readonly missed: readonly EligibleLayer[] };

/** How long a restart keeps the node away, milliseconds. */
export function nodeAwayMs({ layerMs }: Pick<LayerClock, 'layerMs'>): number {
  return Math.min(Math.max(layerMs, LEAST_AWAY_MS), LONGEST_AWAY_MS);
}

/** What the events tell; layers that none names are taken for not eligible. */
export function eligibleLayers(events: readonly NodeEvent[]): EligibleLayers {
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

/**
 * Whether now is a moment without an eligible layer (S17, S41): a proposal that is not made is a reward that is not paid
 * (spacemesh.md §5.4, `eligibilities`). Each epoch's layers are told when it begins, so none behind the last one that is
 * told is offered as free.
 *
 * @param awayMs how long the node will be away; who restarts more than the node may take longer
 */
export function judgeMoment(
  eligible: EligibleLayers,
  clock: LayerClock,
  now: number,
  awayMs = nodeAwayMs(clock),
): NodeMoment {
  const missed = missedFrom(eligible, clock, now, awayMs);
  if (missed.length === 0) return { kind: 'free' };
  const current = layerAt(clock, now);
  const told = (Math.floor(Math.max(...eligible.keys()) / clock.layersPerEpoch) + 1) * clock.layersPerEpoch;
  for (let layer = current + 1; layer <= current + LAYERS_AHEAD; layer += 1) {
    const start = clock.genesis + layer * clock.layerMs;
    if (layerAt(clock, start + awayMs) >= told) break;
    if (missedFrom(eligible, clock, start, awayMs).length > 0) continue;
    return { kind: 'waits', until: start, freeLayer: layer, missed };
  }
  return { kind: 'crowded', missed };
}

function layerAt({ genesis, layerMs }: LayerClock, at: number): number {
  return Math.floor((at - genesis) / layerMs);
}

/** The eligible layers that a node would miss that goes away at that time. */
function missedFrom(
  eligible: EligibleLayers,
  clock: LayerClock,
  from: number,
  awayMs: number,
): readonly EligibleLayer[] {
  const missed: EligibleLayer[] = [];
  for (let layer = layerAt(clock, from); layer <= layerAt(clock, from + awayMs); layer += 1) {
    const smeshers = eligible.get(layer);
    if (smeshers !== undefined) missed.push({ layer, smeshers });
  }
  return missed;
}
