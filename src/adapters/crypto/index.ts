import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import type { CryptoPort } from '../../ports/crypto.ts';

/** DER of a PKCS #8 ed25519 private key up to the 32 bytes of the seed (spacemesh.md §2.1). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_KEY_LENGTH = 32;

export const nodeCrypto: CryptoPort = {
  publicKeyOfSeed(seed) {
    if (seed.length !== 32) throw new Error('an ed25519 seed has 32 bytes');
    const der = Buffer.concat([PKCS8_PREFIX, seed]);
    try {
      const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
      return Uint8Array.from(spki.subarray(-PUBLIC_KEY_LENGTH));
    } finally {
      // The copy of the seed made here must not linger in memory longer than the caller's own.
      der.fill(0);
    }
  },
  randomBytes: (length) => Uint8Array.from(randomBytes(length)),
};
