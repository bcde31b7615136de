/** Places on a disk that are tried: begin, middle and end of what lies on it, and between them. */
export const SPOTS = 12;

/** Below this a figure says more about the cache of the disk than about its surface. */
export const LEAST_BYTES = 32 * 2 ** 20;

/**
 * Evenly spread ones of a long list, the first and the last among them, in their order. Files lie on a disk about in the
 * order in which they were written, and its inner tracks are slower than its outer ones (operators.md d.3).
 */
export function spread<T>(all: readonly T[], most: number = SPOTS): readonly T[] {
  if (all.length <= most || most < 2) return all.slice(0, most < 2 ? 1 : most);
  return Array.from(
    { length: most },
    (_, index) => all[Math.round((index * (all.length - 1)) / (most - 1))] as T,
  );
}

/** What the places of a disk say together; bytes per second. */
export interface DiskRate {
  /** For reading all of it: the time of each place counts the same, so slow ones weigh more. */
  readonly bytesPerSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  readonly bytes: number;
}

/** `undefined`: nothing was read. */
export function diskRate(
  spots: readonly { readonly bytes: number; readonly ms: number }[],
): DiskRate | undefined {
  const rates = spots
    .filter(({ bytes, ms }) => bytes > 0 && ms > 0)
    .map(({ bytes, ms }) => (bytes / ms) * 1000);
  if (rates.length === 0) return undefined;
  const secondsPerByte = rates.reduce((sum, rate) => sum + 1 / rate, 0) / rates.length;
  return {
    bytesPerSecond: 1 / secondsPerByte,
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
    bytes: spots.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
