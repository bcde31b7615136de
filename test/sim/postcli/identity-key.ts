import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKeyPair } from '../common/key-pair.ts';
import { errorCode, Fatal, osErrorText } from './exits.ts';
import { createFolder } from './metadata.ts';

export const KEY_NAME = 'identity.key';
const KEY_BYTES = 64;
const SEED_BYTES = 32;
/** DER head of an ed25519 private key, before the 32 bytes of its seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The public key of `identity.key`; undefined when there is none. Throws Fatal when it is malformed. */
export function loadPublicKey(datadir: string): Buffer | undefined {
  const path = join(datadir, KEY_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    const why = osErrorText(error, 'open', path);
    throw new Fatal(`failed to load key: could not read private key from ${path}: ${why}`);
  }
  const bad = /[^0-9a-fA-F]/.exec(text);
  if (bad !== null) throw new Fatal(`failed to decode private key from ${path}: ${invalidByteText(bad[0])}`);
  const key = Buffer.from(text, 'hex');
  if (key.length !== KEY_BYTES) {
    throw new Fatal(`size of key (${key.length}) not expected size ${KEY_BYTES}`);
  }
  return publicKeyOf(key.subarray(0, SEED_BYTES));
}

/** Makes a new identity and writes its key, 0600, without a newline. Returns the public key. */
export function createIdentity(datadir: string): Buffer {
  createFolder(datadir);
  const path = join(datadir, KEY_NAME);
  if (existsSync(path)) throw new Fatal('failed to save identity: key file already exists');
  const { seed, publicKey } = makeKeyPair();
  writeFileSync(path, seed.toString('hex') + publicKey.toString('hex'), { mode: 0o600, flag: 'wx' });
  return publicKey;
}

/** Go's words for a character that is no hex digit. */
export function invalidByteText(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const shown = /[\x20-\x7e]/.test(char) ? ` '${char}'` : '';
  return `encoding/hex: invalid byte: U+${code}${shown}`;
}

function publicKeyOf(seed: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
}
