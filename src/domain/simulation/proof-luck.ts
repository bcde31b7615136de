import { exponential, type Random } from './random.ts';

/*
 * A proof is luck. A nonce finds K1 = 26 labels on average in all the data and needs K2 = 37; the pass ends with the
 * first nonce that has them (spacemesh.md §3.3, operators.md d.3).
 */

const K1 = 26;
const K2 = 37;
const NONCES_PER_GROUP = 16;

/** What one pass over the data takes. */
export interface PassDraw {
  /** RandomX hashes until the k2pow of each nonce group is found. */
  readonly groupHashes: readonly number[];
  /** Of the data, that is read until the proof is found; 1 where it is not found. */
  readonly fraction: number;
}

/** What one proof takes, as luck has it; the last pass finds it. */
export interface ProofDraw {
  readonly passes: readonly PassDraw[];
}

export interface ProofSize {
  readonly units: number;
  /** Multiple of 16. */
  readonly nonces: number;
  /** Expected hashes of one nonce group for one unit. */
  readonly hashesPerUnitGroup: number;
}

/** Chance that a nonce has its labels in that part of the data: that a Poisson process has come so far. */
export function nonceSucceedsWithin(fraction: number): number {
  const mean = K1 * fraction;
  let term = Math.exp(-mean);
  let below = term;
  for (let count = 1; count < K2; count += 1) {
    term *= mean / count;
    below += term;
  }
  return Math.max(0, 1 - below);
}

const STEPS = 2000;

/** The chance by the part of the data that was read, for looking up which part belongs to a chance. */
const CHANCES = Float64Array.from({ length: STEPS + 1 }, (_, step) => nonceSucceedsWithin(step / STEPS));

/** Of the data, that a pass reads until the first of its nonces succeeds; `undefined`: none does. */
export function drawFraction(random: Random, nonces: number): number | undefined {
  // The first of n succeeds within f with 1 - (1 - p(f))^n: drawn at once for all of them.
  const chance = 1 - (1 - random()) ** (1 / nonces);
  if (chance > (CHANCES[STEPS] ?? 0)) return undefined;
  let low = 0;
  let high = STEPS;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((CHANCES[middle] ?? 0) < chance) low = middle;
    else high = middle;
  }
  const [from = 0, to = 0] = [CHANCES[low], CHANCES[high]];
  return (low + (to > from ? (chance - from) / (to - from) : 1)) / STEPS;
}

/** No proof takes so many passes; ends the loop for a number of nonces that never succeeds. */
const MOST_PASSES = 200;

/** Passes, place of the proof and k2pow of one proof. */
export function drawProof(random: Random, size: ProofSize): ProofDraw {
  const passes: PassDraw[] = [];
  const groups = Math.ceil(size.nonces / NONCES_PER_GROUP);
  const mean = size.hashesPerUnitGroup * size.units;
  while (passes.length < MOST_PASSES) {
    const groupHashes = Array.from({ length: groups }, () => exponential(random, mean));
    const fraction = drawFraction(random, size.nonces);
    passes.push({ groupHashes, fraction: fraction ?? 1 });
    if (fraction !== undefined) break;
  }
  return { passes };
}

/** Of the data, summed over all passes. */
export function readOf(draw: ProofDraw): number {
  return draw.passes.reduce((sum, pass) => sum + pass.fraction, 0);
}

/** RandomX hashes over all passes. */
export function hashesOf(draw: ProofDraw): number {
  let sum = 0;
  for (const pass of draw.passes) for (const hashes of pass.groupHashes) sum += hashes;
  return sum;
}
