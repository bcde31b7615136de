/**
 * The messages of `spacemesh.v1.PostService.Register` (spacemesh.md §5.2), encoded by hand: fifty of these
 * programs start at once on two cores in a benchmark, and a protobuf library costs each of them more than all
 * the rest together.
 */
import type { SimProof } from '../common/proof.ts';
import type { PostMetadata } from './metadata.ts';

export type NodeRequest =
  | { readonly kind: 'metadata' }
  | { readonly kind: 'gen-proof'; readonly challenge: Buffer }
  | { readonly kind: 'unknown' };

const VARINT = 0;
const BYTES = 2;
export const STATUS_OK = 1;
export const STATUS_ERROR = 2;

/** `ServiceResponse.metadata`. */
export function encodeMetadataResponse(metadata: PostMetadata): Buffer {
  return bytesField(1, bytesField(1, encodeMetadata(metadata)));
}

/** `ServiceResponse.gen_proof` with a status and, once there is one, the proof. */
export function encodeProofResponse(
  status: typeof STATUS_OK | typeof STATUS_ERROR,
  done?: { readonly proof: SimProof; readonly challenge: Uint8Array; readonly metadata: PostMetadata },
): Buffer {
  const parts = [varintField(1, BigInt(status))];
  if (done !== undefined) {
    const proof = Buffer.concat([
      varintField(1, BigInt(done.proof.nonce)),
      bytesField(2, done.proof.indices),
      varintField(3, done.proof.pow),
    ]);
    const meta = Buffer.concat([bytesField(1, done.challenge), bytesField(2, encodeMetadata(done.metadata))]);
    parts.push(bytesField(2, proof), bytesField(3, meta));
  }
  return bytesField(2, Buffer.concat(parts));
}

/** `NodeRequest`; fields that are not known are skipped. Throws on bytes that are no message. */
export function decodeNodeRequest(message: Buffer): NodeRequest {
  let request: NodeRequest = { kind: 'unknown' };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) request = { kind: 'metadata' };
    if (field.number === 2) {
      const challenge = [...fieldsOf(field.bytes)].find((inner) => inner.number === 1)?.bytes;
      request = { kind: 'gen-proof', challenge: challenge ?? Buffer.alloc(0) };
    }
  }
  return request;
}

function encodeMetadata(metadata: PostMetadata): Buffer {
  return Buffer.concat([
    bytesField(1, metadata.nodeId),
    bytesField(2, metadata.commitmentAtxId),
    // `optional`: a nonce of 0 is present, no nonce is not.
    metadata.nonce === undefined ? Buffer.alloc(0) : Buffer.concat([tag(3, VARINT), varint(metadata.nonce)]),
    varintField(4, BigInt(metadata.numUnits)),
    varintField(5, metadata.labelsPerUnit),
  ]);
}

function tag(number: number, wireType: number): Buffer {
  return varint(BigInt((number << 3) | wireType));
}

function varintField(number: number, value: bigint): Buffer {
  return value === 0n ? Buffer.alloc(0) : Buffer.concat([tag(number, VARINT), varint(value)]);
}

function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([tag(number, BYTES), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

function* fieldsOf(message: Buffer): Generator<{ readonly number: number; readonly bytes: Buffer }> {
  let at = 0;
  const readVarint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at];
      at += 1;
      if (byte === undefined) throw new Error('message ends inside a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < message.length) {
    const key = readVarint();
    const wireType = key & 7;
    if (wireType === VARINT) readVarint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === BYTES) {
      const length = readVarint();
      if (at + length > message.length) throw new Error('message ends inside a field');
      yield { number: key >>> 3, bytes: message.subarray(at, at + length) };
      at += length;
    } else throw new Error(`wire type ${wireType} is not known`);
  }
}
