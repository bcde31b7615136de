import { isTarPath, TAR_BLOCK, tarHeader } from '../doctor/tar.ts';

/** An archive that is not as this tool writes it. Its message is a clause. */
export class BadArchive extends Error {}

export interface ArchivedFile {
  readonly path: string;
  readonly size: number;
  /** Its bytes; what of them is not read is passed over. */
  content(): AsyncIterable<Uint8Array>;
}

/**
 * Reads an archive as it comes, whatever its pieces are, and never has more of it in memory than one piece. Takes plain
 * files alone, and rejects with BadArchive where a byte is not as it was written, or something is missing at the end.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ArchivedFile> {
  const source = new Source(chunks[Symbol.asyncIterator]());
  try {
    for (;;) {
      const block = await source.take(TAR_BLOCK);
      if (block.every((byte) => byte === 0)) break;
      const { path, size } = parseHeader(block);
      const content = source.section(size);
      yield { path, size, content: () => content.pieces() };
      for await (const _ of content.pieces()) void _;
      const padding = await source.take((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
      if (padding.some((byte) => byte !== 0)) throw new BadArchive('something stands between two files');
    }
    const last = await source.take(TAR_BLOCK);
    if (last.some((byte) => byte !== 0) || (await source.more()))
      throw new BadArchive('something stands after its end');
  } finally {
    await source.close();
  }
}

class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array(0);

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  /** Whether anything is left. */
  async more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#rest = new Uint8Array(next.value);
    }
    return true;
  }

  /** Exactly so many bytes. */
  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    let at = 0;
    for await (const piece of this.section(length).pieces()) {
      taken.set(piece, at);
      at += piece.length;
    }
    return taken;
  }

  /** The next so many bytes. Who stops reading in the middle leaves the rest to whoever asks for the pieces again. */
  section(length: number): { pieces(): AsyncGenerator<Uint8Array> } {
    const source = this;
    let left = length;
    return {
      async *pieces() {
        while (left > 0) {
          if (!(await source.more())) throw new BadArchive('it ends too early');
          const piece = source.#rest.subarray(0, left);
          source.#rest = source.#rest.subarray(piece.length);
          left -= piece.length;
          yield piece;
        }
      },
    };
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

function parseHeader(block: Uint8Array): { readonly path: string; readonly size: number } {
  const text = (from: number, to: number) =>
    Buffer.from(block.subarray(from, to)).toString('latin1').split('\0', 1)[0] ?? '';
  const path = text(0, 100);
  if (text(257, 263) !== 'ustar' || text(156, 157) !== '0' || text(345, 500) !== '' || !isTarPath(path))
    throw new BadArchive('it has something else than plain files in it');
  const size = sizeIn(block.subarray(124, 136));
  // Made anew it is the same, byte by byte: the checksum alone does not cover its own field.
  const written = tarHeader(path, size, Number.parseInt(text(136, 148), 8));
  if (!Buffer.from(written).equals(block)) throw new BadArchive('the head of a file in it is damaged');
  return { path, size };
}

function sizeIn(field: Uint8Array): number {
  const size =
    field[0] === 0x80
      ? field.subarray(1).reduce((total, byte) => total * 256 + byte, 0)
      : Number.parseInt(Buffer.from(field).toString('latin1').split('\0', 1)[0] ?? '', 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new BadArchive('a file in it has no size');
  return size;
}
