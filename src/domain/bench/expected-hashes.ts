/**
 * RandomX hashes that one nonce group of one unit takes on the average: 2^256 / difficulty (operators.md d.4; mainnet
 * 4687.5). At least one.
 *
 * @param powDifficulty 64 hex digits
 */
export function hashesPerUnitGroup(powDifficulty: string): number {
  const difficulty = BigInt(`0x${powDifficulty}`);
  if (difficulty === 0n) return Number.POSITIVE_INFINITY;
  // Scaled, because whole numbers would make 4687.5 to 4687.
  return Math.max(Number((2n ** 256n * 1000n) / difficulty) / 1000, 1);
}
