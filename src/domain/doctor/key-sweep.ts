/** Shorter pieces could be chance; longer ones would let half a key pass. */
const HEX_PIECE = 16;
const BASE64_PIECE = 14;
const BYTES_PIECE = 8;

const LEFT_OUT = '[left out: it held a piece of a private key]';

/**
 * The last look before anything is packed: whatever the rules let through, no piece of a key that is known here leaves.
 * It holds pieces of private keys, in memory only, and prints as nothing else than its name.
 */
export class KeySweep {
  readonly #hex = new Set<string>();
  readonly #base64 = new Set<string>();
  readonly #bytes = new Set<string>();

  /** @param seeds private halves, 32 bytes each */
  constructor(seeds: Iterable<Uint8Array>) {
    for (const seed of seeds) this.#add(seed);
  }

  #add(seed: Uint8Array): void {
    const bytes = Buffer.from(seed);
    for (const piece of windows(bytes.toString('hex'), HEX_PIECE)) this.#hex.add(piece);
    // Base64 takes three bytes at a time: where the key begins in a longer value changes its spelling.
    for (const lead of [0, 1, 2]) {
      const text = Buffer.concat([Buffer.alloc(lead), bytes])
        .toString('base64')
        .replace(/=+$/, '');
      // The first and last letters depend on what stands around the key.
      for (const piece of windows(text.slice(lead === 0 ? 0 : 4, -2), BASE64_PIECE)) this.#base64.add(piece);
    }
    for (const piece of windows([...bytes], BYTES_PIECE)) this.#bytes.add(piece.join(','));
  }

  /** The text without any line that holds a piece of a key, or without all of it when a piece runs over its lines. */
  clean(text: string): string {
    if (this.#hex.size === 0 || !this.#leaks(text)) return text;
    const lines = text
      .split('\n')
      .map((line) => (this.#leaks(line) ? LEFT_OUT : line))
      .join('\n');
    return this.#leaks(lines) ? `${LEFT_OUT}\n` : lines;
  }

  #leaks(text: string): boolean {
    const hex = text
      .toLowerCase()
      .replace(/\\{1,8}[nrt]/g, '')
      .replace(/[^0-9a-f]/g, '');
    for (const piece of windows(hex, HEX_PIECE)) if (this.#hex.has(piece)) return true;
    const tight = text
      .replace(/\\{1,8}[nrt]/g, '')
      .replace(/[^A-Za-z0-9+/_-]/g, '')
      .replaceAll('-', '+')
      .replaceAll('_', '/');
    for (const piece of windows(tight, BASE64_PIECE)) if (this.#base64.has(piece)) return true;
    for (const [run] of text.matchAll(/\d{1,3}(?:[^\da-z]+\d{1,3}){7,}/gi)) {
      for (const piece of windows(run.split(/\D+/), BYTES_PIECE)) {
        if (this.#bytes.has(piece.map(Number).join(','))) return true;
      }
    }
    return false;
  }

  toString(): string {
    return '[private keys]';
  }

  toJSON(): string {
    return '[private keys]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[private keys]';
  }
}

function* windows<T extends string | readonly unknown[]>(whole: T, length: number): Generator<T> {
  for (let at = 0; at + length <= whole.length; at += 1) yield whole.slice(at, at + length) as T;
}
