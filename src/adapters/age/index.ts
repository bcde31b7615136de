import { ReadableStream } from 'node:stream/web';
import { Decrypter, Encrypter } from 'age-encryption';
import { AgeFault, type AgeKey, type AgeLock, type AgePort } from '../../ports/age.ts';

export interface AgeOptions {
  /** Base-2 logarithm of scrypt's work; default: the library's, about a second. Less is for tests. */
  readonly scryptWorkFactor?: number;
}

/** How much may stand before the first line break: no header of age has lines longer than 64 characters. */
const MAGIC = 'age-encryption.org/v1\n';

/** AgePort on the library of age's author. */
export function createAge(options: AgeOptions = {}): AgePort {
  return {
    async *encrypt(source, lock) {
      const encrypter = lockedBy(lock);
      if (options.scryptWorkFactor !== undefined) encrypter.setScryptWorkFactor(options.scryptWorkFactor);
      yield* pieces(await encrypter.encrypt(asStream(source)));
    },

    async *decrypt(source, key) {
      const decrypter = openedBy(key);
      const faults = new SourceFaults(source);
      try {
        yield* pieces(await decrypter.decrypt(asStream(faults)));
      } catch (error) {
        if (faults.thrown !== undefined) throw faults.thrown;
        throw explain(error, key);
      }
    },
  };
}

function lockedBy(lock: AgeLock): Encrypter {
  const encrypter = new Encrypter();
  if (lock.kind === 'passphrase') encrypter.setPassphrase(lock.passphrase.reveal());
  else for (const recipient of lock.recipients) encrypter.addRecipient(recipient);
  return encrypter;
}

function openedBy(key: AgeKey): Decrypter {
  const decrypter = new Decrypter();
  if (key.kind === 'passphrase') {
    decrypter.addPassphrase(key.passphrase.reveal());
    return decrypter;
  }
  const lines = key.content
    .reveal()
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw new AgeFault('bad-key', 'there is no key in it');
  for (const line of lines) {
    try {
      decrypter.addIdentity(line);
    } catch {
      // The library's message might quote the line.
      throw new AgeFault('bad-key', 'it has a line that is no AGE-SECRET-KEY-…');
    }
  }
  return decrypter;
}

/** Remembers what the source itself threw, and stops a file without line breaks from being read whole into memory. */
class SourceFaults implements AsyncIterable<Uint8Array> {
  thrown: unknown;
  readonly #source: AsyncIterable<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let head = '';
    try {
      for await (const piece of this.#source) {
        if (head.length < MAGIC.length) {
          head += Buffer.from(piece.subarray(0, MAGIC.length - head.length)).toString('latin1');
          if (!MAGIC.startsWith(head))
            throw new AgeFault('damaged', 'it does not begin as a file encrypted with age does');
        }
        yield piece;
      }
    } catch (error) {
      this.thrown = error;
      throw error;
    }
  }
}

function explain(error: unknown, key: AgeKey): AgeFault {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('no identity matched'))
    return new AgeFault(
      'wrong-key',
      key.kind === 'passphrase'
        ? 'the passphrase does not open it: another one was used, or its first lines are damaged'
        : 'none of these keys opens it: it was made for others, or its first lines are damaged',
    );
  return new AgeFault('damaged', 'it is damaged or not complete: it is not as it was encrypted');
}

type AgeStream = globalThis.ReadableStream<Uint8Array>;

function asStream(source: AsyncIterable<Uint8Array>): AgeStream {
  return ReadableStream.from(source) as unknown as AgeStream;
}

function pieces(stream: AgeStream): AsyncIterable<Uint8Array> {
  return stream as unknown as AsyncIterable<Uint8Array>;
}
