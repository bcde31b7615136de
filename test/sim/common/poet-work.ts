/** The proof of work that lets a challenge into a PoET's round, the same for stand-in node and stand-in poet. */
import { createHash } from 'node:crypto';

/** The real hash is another one. */
export function powHash(powChallenge: Buffer, smesher: Buffer, challenge: Buffer, nonce: bigint): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(nonce);
  return createHash('sha256').update(powChallenge).update(smesher).update(challenge).update(number).digest();
}

export function leadingZeroBits(hash: Buffer): number {
  const first = hash.findIndex((byte) => byte !== 0);
  return first < 0 ? hash.length * 8 : first * 8 + Math.clz32(hash[first] ?? 0) - 24;
}
