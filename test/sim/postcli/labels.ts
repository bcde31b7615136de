import { createHash } from 'node:crypto';

/** Bytes of a label on disk; the label itself has 32, of which the rest only decides between equals. */
export const LABEL_BYTES = 16;

/** Labels of one identity: as cheap as a hash, and different for every node ID, commitment, N and index. */
export class LabelSource {
  readonly #input: Buffer;

  constructor(nodeId: Uint8Array, commitmentAtxId: Uint8Array, scryptN: number) {
    const commitment = createHash('sha256').update(nodeId).update(commitmentAtxId).digest();
    this.#input = Buffer.concat([commitment, Buffer.alloc(16)]);
    this.#input.writeBigUInt64LE(BigInt(scryptN), 32);
  }

  /** What the labels of an identity are made from, beside N and the index. */
  get commitment(): Buffer {
    return this.#input.subarray(0, 32);
  }

  label(index: number): Buffer {
    this.#input.writeBigUInt64LE(BigInt(index), 40);
    return createHash('sha256').update(this.#input).digest().subarray(0, LABEL_BYTES);
  }

  /** Labels `first`, `first + 1`, … one after the other. */
  labels(first: number, count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count * LABEL_BYTES);
    for (let at = 0; at < count; at += 1) this.label(first + at).copy(bytes, at * LABEL_BYTES);
    return bytes;
  }
}

/** A label below this may be the VRF nonce: 8 * 2^256 / labels (spacemesh.md §8.3), 32 bytes. */
export function vrfDifficulty(numLabels: number): Buffer {
  const largest = 2n ** 256n - 1n;
  const wanted = numLabels === 0 ? largest : (8n * 2n ** 256n) / BigInt(numLabels);
  return Buffer.from((wanted > largest ? largest : wanted).toString(16).padStart(64, '0'), 'hex');
}

/** The offset in labels and the value of the smallest label below `below`, if there is one. */
export function smallestBelow(
  labels: Buffer,
  below: Uint8Array,
): { readonly at: number; readonly value: Buffer } | undefined {
  let best: { at: number; value: Buffer } | undefined;
  for (let at = 0; (at + 1) * LABEL_BYTES <= labels.length; at += 1) {
    const value = labels.subarray(at * LABEL_BYTES, (at + 1) * LABEL_BYTES);
    if (Buffer.compare(value, best?.value ?? below) < 0) best = { at, value };
  }
  return best;
}
