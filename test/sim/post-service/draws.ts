import { createHash } from 'node:crypto';

/** A number in [0, 1) that the same words always draw: runs of a test can be repeated. */
export function draw(...words: readonly (string | number | Uint8Array)[]): number {
  return digest(words).readUIntBE(0, 6) / 2 ** 48;
}

/** `count` different label indices below `total`, in rising order, for the log line of a found proof. */
export function drawIndices(
  count: number,
  total: bigint,
  ...words: readonly Uint8Array[]
): readonly bigint[] {
  const found = new Set<bigint>();
  const wanted = total < BigInt(count) ? Number(total) : count;
  for (let at = 0; found.size < wanted; at += 1) {
    found.add(digest([...words, at]).readBigUInt64BE(0) % total);
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1));
}

function digest(words: readonly (string | number | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const word of words) hash.update(typeof word === 'number' ? String(word) : word);
  return hash.digest();
}
