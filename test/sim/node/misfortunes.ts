/** What tests let happen to single identities while the node runs; the real node has nothing of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Smesher IDs in hex by what happens to them. */
export interface Misfortunes {
  /** The network has proof that they were active twice: an event in the next layer, no rewards any more. */
  readonly cancelled: readonly string[];
  /** Their share of the network's weight is too small for a slot in the next epoch. */
  readonly ineligible: readonly string[];
  /** Their proposals reach no block. */
  readonly unpaid: readonly string[];
  /** No PoET takes their challenge. */
  readonly unregistered: readonly string[];
  /** The node has lost their connection without a word to the service, which believes in it. */
  readonly halfOpen: readonly string[];
  /** Rounds that are over and whose proof no PoET hands out yet. */
  readonly lateRounds: readonly number[];
}

const none: Misfortunes = {
  cancelled: [],
  ineligible: [],
  unpaid: [],
  unregistered: [],
  halfOpen: [],
  lateRounds: [],
};

/** As `misfortunes.json` in the data folder says at this moment; without the file nothing happens to anybody. */
export function readMisfortunes(dataFolder: string): Misfortunes {
  try {
    return { ...none, ...JSON.parse(readFileSync(join(dataFolder, 'misfortunes.json'), 'utf8')) };
  } catch (error) {
    // Half written counts as not yet written.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    throw error;
  }
}
