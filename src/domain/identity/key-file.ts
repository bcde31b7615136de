import { Secret } from '../secret.ts';
import { type SmesherId, smesherIdFromBytes } from './smesher-id.ts';

/** Both halves, 64 bytes, as 128 hex characters without newline: what a key file holds (spacemesh.md §2.1). */
export const KEY_FILE_LENGTH = 128;
const KEY_BYTES = KEY_FILE_LENGTH / 2;
const SEED_BYTES = 32;

/**
 * The content of a key file. It prints as `[private key]` whichever way it is printed; the one writer that installs
 * keys asks for the content by name.
 */
export class PrivateKey extends Secret {
  constructor(content: string) {
    super(content, 'private key');
  }

  /** The 128 characters of a key file. Only for writing the installed copy and comparing what was read back. */
  revealForKeyFile(): string {
    return this.text();
  }
}

export type KeyFileReading =
  | { readonly kind: 'valid'; readonly smesherId: SmesherId; readonly privateKey: PrivateKey }
  /** The node refuses the file, but what was meant is beyond doubt; `privateKey` is the mended content. */
  | {
      readonly kind: 'repairable';
      readonly fault: string;
      readonly smesherId: SmesherId;
      readonly privateKey: PrivateKey;
    }
  | { readonly kind: 'malformed'; readonly fault: string };

type PublicKeyOfSeed = (seed: Uint8Array) => Uint8Array;

function judgeContent(text: string, publicKeyOfSeed: PublicKeyOfSeed): KeyFileReading {
  // The node checks the length before the characters, halves rounded down (spacemesh.md §2.1).
  const length = Math.floor(text.length / 2);
  if (length !== KEY_BYTES) {
    return { kind: 'malformed', fault: `the node refuses it: invalid key size ${length}/${KEY_BYTES}` };
  }
  const stray = text.search(/[^0-9a-fA-F]/);
  if (stray >= 0 || text.length !== KEY_FILE_LENGTH) {
    const place = stray < 0 ? KEY_FILE_LENGTH : stray;
    return {
      kind: 'malformed',
      fault: `the node refuses it: encoding/hex: invalid byte (character ${place + 1} is no hex digit)`,
    };
  }
  const bytes = Buffer.from(text, 'hex');
  const derived = publicKeyOfSeed(bytes.subarray(0, SEED_BYTES));
  const stored = bytes.subarray(SEED_BYTES);
  const smesherId = smesherIdFromBytes(stored);
  const matches = Buffer.compare(stored, derived) === 0;
  bytes.fill(0);
  if (!matches || smesherId === undefined) {
    return { kind: 'malformed', fault: 'the node refuses it: private and public do not match' };
  }
  return { kind: 'valid', smesherId, privateKey: new PrivateKey(text) };
}

/**
 * Judges a key file as go-spacemesh does at its start (spacemesh.md §2.1). One line break at the end is the only fault
 * that can be mended without guessing. No fault quotes what is in the file.
 */
export function readKeyFile(content: Uint8Array, publicKeyOfSeed: PublicKeyOfSeed): KeyFileReading {
  const text = Buffer.from(content).toString('latin1');
  const line = /\r?\n$/.exec(text);
  if (line === null) return judgeContent(text, publicKeyOfSeed);
  const mended = judgeContent(text.slice(0, line.index), publicKeyOfSeed);
  if (mended.kind !== 'valid') return judgeContent(text, publicKeyOfSeed);
  const fault =
    line[0] === '\n'
      ? 'the node refuses it: a line break after the 128 hex characters (encoding/hex: invalid byte: U+000A)'
      : 'the node refuses it: a Windows line break after the 128 hex characters (invalid key size 65/64)';
  return { ...mended, kind: 'repairable', fault };
}
