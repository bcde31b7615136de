import { StringDecoder } from 'node:string_decoder';

export interface OutputFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly payload: Buffer;
}

const HEADER_BYTES = 8;

/**
 * Takes apart the engine's multiplexed output: frames of an 8-byte header (stream, three zeros, length) and a payload,
 * cut anywhere by the transport. Throws when the bytes are no such frames: output of a TTY, for one.
 */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly OutputFrame[] {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: OutputFrame[] = [];
    let offset = 0;
    while (buffer.length - offset >= HEADER_BYTES) {
      const kind = buffer[offset];
      if (kind === undefined || kind > 2 || buffer.readUIntBE(offset + 1, 3) !== 0) {
        throw new Error('the output of the container is not in frames');
      }
      const end = offset + HEADER_BYTES + buffer.readUInt32BE(offset + 4);
      if (buffer.length < end) break;
      frames.push({
        stream: kind === 2 ? 'stderr' : 'stdout',
        payload: buffer.subarray(offset + HEADER_BYTES, end),
      });
      offset = end;
    }
    this.#rest = buffer.subarray(offset);
    return frames;
  }
}

/** Collects text up to a number of bytes and counts what is beyond. */
export class BoundedText {
  readonly #limit: number;
  readonly #decoder = new StringDecoder('utf8');
  #bytes = 0;
  #text = '';
  truncated = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const room = this.#limit - this.#bytes;
    if (chunk.length > room) this.truncated = true;
    const taken = chunk.subarray(0, Math.max(0, room));
    this.#bytes += taken.length;
    this.#text += this.#decoder.write(taken);
  }

  get text(): string {
    return this.#text;
  }
}

/** Cuts NDJSON and logs into lines; a character or a line may lie across chunks. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  push(chunk: Buffer): readonly string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => line.replace(/\r$/, ''));
  }

  /** What came after the last newline. */
  end(): string {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    return rest;
  }
}
