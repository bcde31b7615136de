import { unitBytes } from '../node/networks.ts';
import type { NetworkPost } from '../project/types.ts';

const GIB = 2 ** 30;

/** From this many units on the guides advise several identities instead of one (scenario S10): planning, no fault. */
export const MANY_UNITS = 64;

/** What is there, and what is promised to others, on one file system; bytes. */
export interface Room {
  readonly freeBytes: number;
  /** What jobs that are planned or under way have yet to write there. */
  readonly plannedBytes: number;
}

/**
 * Bytes that are left free: a thousandth, and never less than 1 GiB. A full disk stops the initialisation in its last
 * hours, and a file system without room for its own records slows down.
 */
export function reserveBytes(freeBytes: number): number {
  return Math.max(GIB, Math.ceil(freeBytes / 1000));
}

/** Bytes that new data may take. Never negative. */
export function roomForData({ freeBytes, plannedBytes }: Room): number {
  return Math.max(0, freeBytes - plannedBytes - reserveBytes(freeBytes));
}

type Limits = Pick<NetworkPost, 'labelsPerUnit' | 'minUnits' | 'maxUnits'>;

/** Units that each of so many identities can have in this room; 0 where not even the network's least fits. */
export function unitsThatFit(room: Room, identities: number, post: Limits): number {
  const units = Math.floor(roomForData(room) / identities / unitBytes(post));
  return units < post.minUnits ? 0 : Math.min(units, post.maxUnits);
}

const FACTORS: Readonly<Record<string, number>> = {
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: GIB, TiB: 2 ** 40, PiB: 2 ** 50 },
  ...{ kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 },
};

/** `2TiB`, `500 GiB`, `1.5TB` or bare bytes; `undefined` for anything else, `2T` too: it means both. */
export function readSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = unit === '' || unit === 'B' ? 1 : FACTORS[unit];
  const bytes = digits === '' || factor === undefined ? Number.NaN : Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Units that a size is enough for, rounded down. */
export function unitsOfSize(bytes: number, post: Pick<NetworkPost, 'labelsPerUnit'>): number {
  return Math.floor(bytes / unitBytes(post));
}
