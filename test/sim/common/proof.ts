/**
 * The proof that the stand-ins agree on in place of a real proof of space: cheap to make, and wrong for every
 * other challenge and every other identity, so that a node stand-in can refuse what a real node would refuse.
 */
import { createHash } from 'node:crypto';

const DOMAIN = 'smesh-sim-proof';

/** Nonces that share one proof of work (post-service computes k2pow once for each 16 nonces). */
export const NONCES_PER_GROUP = 16;

/** What `PostService.Register` carries as `Proof`. */
export interface SimProof {
  readonly nonce: number;
  readonly indices: Buffer;
  readonly pow: bigint;
}

function indicesFor(challenge: Uint8Array, nodeId: Uint8Array): Buffer {
  return createHash('sha256').update(challenge).update(nodeId).update(DOMAIN).digest().subarray(0, 16);
}

/** The stand-in proof of `nodeId` for `challenge`, found at `nonce`. Both inputs are 32 bytes. */
export function makeProof(challenge: Uint8Array, nodeId: Uint8Array, nonce = 0): SimProof {
  return { nonce, indices: indicesFor(challenge, nodeId), pow: BigInt(Math.floor(nonce / NONCES_PER_GROUP)) };
}

/** True when `proof` is what {@link makeProof} makes for the same challenge and identity at its own nonce. */
export function isProofValid(challenge: Uint8Array, nodeId: Uint8Array, proof: SimProof): boolean {
  return (
    indicesFor(challenge, nodeId).equals(proof.indices) &&
    proof.pow === BigInt(Math.floor(proof.nonce / NONCES_PER_GROUP))
  );
}
