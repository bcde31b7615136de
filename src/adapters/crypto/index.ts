import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import type { CryptoPort } from '../../ports/crypto.ts';

const SEED_LENGTH = 32;
/** DER of a PKCS #8 ed25519 private key up to the 32 bytes of the seed (spacemesh.md §2.1). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const NO_PUBLIC_HALF = Buffer.alloc(32).toString('base64url');

function fromDer(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/**
 * A seed as JWK is read ten times as fast as DER, which a scan of a thousand keys feels. OpenSSL computes the public
 * half from the seed; should a later Node compare it with the `x` given here, DER does the work.
 */
function fromSeed(seed: Uint8Array): KeyObject {
  const d = Buffer.from(seed).toString('base64url');
  try {
    return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: NO_PUBLIC_HALF }, format: 'jwk' });
  } catch {
    return fromDer(seed);
  }
}

export const nodeCrypto: CryptoPort = {
  publicKeyOfSeed(seed) {
    if (seed.length !== SEED_LENGTH) throw new Error('an ed25519 seed has 32 bytes');
    const { x } = createPublicKey(fromSeed(seed)).export({ format: 'jwk' });
    if (x === undefined) throw new Error('an ed25519 public key exports its x');
    return Uint8Array.from(Buffer.from(x, 'base64url'));
  },
  randomBytes: (length) => Uint8Array.from(randomBytes(length)),
};
