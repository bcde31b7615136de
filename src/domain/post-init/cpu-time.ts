import type { NetworkPost } from '../project/types.ts';

/**
 * Labels per second of one core at N = 8192, r = 1, p = 1: a batch of 2^20 takes about an hour (spacemesh.md §14.4). The
 * work per label is in proportion to N. postcli uses one core.
 */
const LABELS_PER_SECOND = 300;
const RATED_N = 8192;

/** Milliseconds that so many units take without a graphics card: an order of magnitude, for whoever has to consent. */
export function cpuMilliseconds(units: number, post: Pick<NetworkPost, 'labelsPerUnit' | 'scrypt'>): number {
  const { n, r, p } = post.scrypt;
  const labelsPerSecond = (LABELS_PER_SECOND * RATED_N) / (n * r * p);
  return ((units * post.labelsPerUnit) / labelsPerSecond) * 1000;
}
