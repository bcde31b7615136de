import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { KEY_FILE_LENGTH, readKeyFile } from '../../domain/identity/key-file.ts';
import type { FoundKey } from '../../domain/post/types.ts';
import type { CryptoPort } from '../../ports/crypto.ts';
import { errorCode } from './access.ts';

/** Room for a key with a line break and enough more to see that a file is something else. */
const MOST_BYTES = KEY_FILE_LENGTH * 2;

export type KeyReading =
  | { readonly kind: 'read'; readonly key: FoundKey }
  | { readonly kind: 'unreadable'; readonly code: string };

export function isKeyFileName(name: string): boolean {
  return name.endsWith('.key') || name === 'key.bin';
}

/** Reads and judges one key file. Its private half is wiped before this returns; only the public half gets out. */
export function readKey(path: string, where: FoundKey['where'], crypto: CryptoPort): KeyReading {
  const buffer = Buffer.alloc(MOST_BYTES);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { mode } = fstatSync(file);
    const length = readSync(file, buffer, 0, MOST_BYTES, 0);
    const reading = readKeyFile(buffer.subarray(0, length), crypto.publicKeyOfSeed);
    const base = { path, where, mode: mode & 0o7777 };
    if (reading.kind === 'valid') return { kind: 'read', key: { ...base, smesherId: reading.smesherId } };
    if (reading.kind === 'malformed')
      return { kind: 'read', key: { ...base, fault: reading.fault, repairable: false } };
    const { smesherId, fault } = reading;
    return { kind: 'read', key: { ...base, smesherId, fault, repairable: true } };
  } catch (error) {
    return { kind: 'unreadable', code: errorCode(error) };
  } finally {
    buffer.fill(0);
    if (file !== undefined) closeSync(file);
  }
}
