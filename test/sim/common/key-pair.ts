import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';

/** DER head of an ed25519 private key, before the 32 bytes of its seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * A new ed25519 pair, 32 bytes each. From a random seed: exporting what generateKeyPairSync made can hang for ever on
 * Node 20, when the garbage collector comes at that moment.
 */
export function makeKeyPair(): { readonly seed: Buffer; readonly publicKey: Buffer } {
  const seed = randomBytes(32);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { seed, publicKey: Buffer.from(spki.subarray(-32)) };
}
