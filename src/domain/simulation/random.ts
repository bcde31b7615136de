/** The next number of a seeded sequence, from 0 up to but not 1. */
export type Random = () => number;

/**
 * Numbers that look random and are the same for the same seed on every machine (mulberry32). Enough for simulations;
 * nothing that must not be guessed may come from it.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Exponentially distributed with that mean: how long one waits for what may happen at any moment. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/** Evenly between two numbers. */
export function between(random: Random, least: number, most: number): number {
  return least + random() * (most - least);
}
