export interface CryptoPort {
  /** ed25519: the 32-byte public key of a 32-byte seed (spacemesh.md §2.1). */
  publicKeyOfSeed(seed: Uint8Array): Uint8Array;
  randomBytes(length: number): Uint8Array;
}
