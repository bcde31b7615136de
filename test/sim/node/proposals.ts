/** Beacons, eligibilities, proposals and rewards of the epochs that published ATXs aim at. */
import { type Atx, type AtxStore, digest } from './atx-store.ts';
import type { EventLog } from './events.ts';
import { readMisfortunes } from './misfortunes.ts';
import { type NetworkClock, sleepUntil } from './network-clock.ts';

/** The beacon of the next epoch is agreed on in this layer of the one before. */
const beaconLayer = 4;
/** A layer is applied, and rewarded, some layers after it was proposed. */
export const applyDelay = 2;
/** What a layer pays, in smidge. */
const layerReward = 477_618_397_592;

function beaconOf(clock: NetworkClock, epoch: number): Buffer {
  return digest('beacon', String(clock.genesis), String(epoch)).subarray(0, 4);
}

/** How often the ATX may propose in the layer. */
function eligibilityCount(atx: Atx, layer: number): number {
  return 15 + (digest('eligibility', atx.id, String(layer)).readUInt8(0) % 20);
}

/** Runs along with the layers until the node stops. */
export async function propose(
  clock: NetworkClock,
  store: AtxStore,
  events: EventLog,
  dataFolder: string,
  signal: AbortSignal,
): Promise<void> {
  /** Whoever has no slot in this epoch, by the hex of its ID. */
  let ineligible: readonly string[] = [];
  try {
    const first = Date.now() < clock.genesis ? 0 : clock.currentLayer() + 1;
    // The beacon of the first epoch with ATXs is given with the genesis.
    if (clock.currentEpoch() < 2) events.beacon(2, beaconOf(clock, 2));
    let announced: number | undefined;
    for (let layer = first; ; layer++) {
      await sleepUntil(clock.layerStart(layer), signal);
      const epoch = Math.floor(layer / clock.layersPerEpoch);
      const fates = readMisfortunes(dataFolder);
      cancel(store, events, fates.cancelled, layer);
      if (epoch < 2) continue;
      const active = store.atxs('WHERE epoch = ? ORDER BY received', epoch - 1);
      if (announced !== epoch) {
        ineligible = fates.ineligible;
        for (const atx of active) {
          const until = isOneOf(ineligible, atx) ? layer : (epoch + 1) * clock.layersPerEpoch;
          announce(clock, events, atx, { epoch, from: layer, until }, active.length);
        }
      }
      announced = epoch;
      if (layer % clock.layersPerEpoch === beaconLayer) events.beacon(epoch + 1, beaconOf(clock, epoch + 1));
      for (const atx of active) {
        if (isOneOf(ineligible, atx)) continue;
        events.proposal(atx.smesher, layer, digest('proposal', atx.id, String(layer)).subarray(0, 20));
      }
      // The node itself goes on with an identity that the network has cancelled; only the others leave it out.
      const unpaid = [...ineligible, ...fates.unpaid, ...store.cancelled().map((id) => id.toString('hex'))];
      reward(clock, store, layer - applyDelay, unpaid);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function isOneOf(ids: readonly string[], { smesher }: Atx): boolean {
  return ids.includes(smesher.toString('hex'));
}

function cancel(store: AtxStore, events: EventLog, ids: readonly string[], layer: number): void {
  const known = store.cancelled();
  for (const id of ids.map((hex) => Buffer.from(hex, 'hex'))) {
    if (known.some((one) => one.equals(id))) continue;
    store.cancel(id);
    events.malfeasance(id, layer);
  }
}

/** Tells the slots of the rest of the epoch; none when `until` is not after `from`. */
function announce(
  clock: NetworkClock,
  events: EventLog,
  atx: Atx,
  { epoch, from, until }: { readonly epoch: number; readonly from: number; readonly until: number },
  activeSetSize: number,
): void {
  const eligibilities = Array.from({ length: until - from }, (_, index) => ({
    layer: from + index,
    count: eligibilityCount(atx, from + index),
  }));
  const beacon = beaconOf(clock, epoch);
  events.eligibilities({ epoch, beacon, atx: atx.id, activeSetSize, eligibilities, smesher: atx.smesher });
}

function reward(clock: NetworkClock, store: AtxStore, layer: number, unpaid: readonly string[]): void {
  const epoch = Math.floor(layer / clock.layersPerEpoch);
  if (epoch < 2) return;
  const active = store.atxs('WHERE epoch = ?', epoch - 1).filter((atx) => !isOneOf(unpaid, atx));
  const total = active.reduce((sum, atx) => sum + atx.weight * eligibilityCount(atx, layer), 0);
  for (const atx of active) {
    const share = Math.floor((layerReward * atx.weight * eligibilityCount(atx, layer)) / total);
    store.addReward(atx.smesher, atx.coinbase, layer, share, share);
  }
}
