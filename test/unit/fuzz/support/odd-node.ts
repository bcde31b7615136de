import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import fc from 'fast-check';
import { serviceDefinition } from '../../../../src/adapters/node-api/services.ts';

/* A pretended node that answers with bytes that nobody has checked. */

const SERVICES = [
  'spacemesh.v1.NodeService',
  'spacemesh.v1.MeshService',
  'spacemesh.v1.PostInfoService',
  'spacemesh.v1.SmesherService',
  'spacemesh.v1.AdminService',
  'spacemesh.v2alpha1.NetworkService',
  'spacemesh.v2alpha1.ActivationService',
  'spacemesh.v2alpha1.RewardService',
  'spacemesh.v2alpha1.MalfeasanceService',
] as const;

/** What one method does when it is called. */
export type Reaction =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  | { readonly kind: 'error'; readonly code: number; readonly details: string }
  | { readonly kind: 'hang' }
  /** Streams send them one by one; unary methods the first. */
  | { readonly kind: 'many'; readonly messages: readonly Buffer[]; readonly after: 'end' | 'hang' | 'error' };

export interface OddNode {
  readonly address: string;
  close(): void;
}

/** A real gRPC server on which each method (`PostStates`) reacts as told; the others are not served. */
export async function oddNode(reactions: Readonly<Record<string, Reaction | undefined>>): Promise<OddNode> {
  const server = new Server();
  for (const name of SERVICES) {
    const methods = Object.entries(serviceDefinition(name)).filter(([method]) =>
      Object.hasOwn(reactions, method),
    );
    const raw = methods.map(([method, definition]) => [
      method,
      {
        ...definition,
        responseSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
      },
    ]);
    const handlers = methods.map(([method, { responseStream }]) => {
      const reaction = reactions[method] as Reaction;
      return [method, responseStream ? streaming(reaction) : unary(reaction)];
    });
    if (methods.length > 0) server.addService(Object.fromEntries(raw), Object.fromEntries(handlers));
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

function unary(reaction: Reaction) {
  return (_: ServerUnaryCall<Buffer, Buffer>, reply: (error: unknown, bytes?: Buffer) => void): void => {
    if (reaction.kind === 'answer') reply(null, reaction.bytes);
    else if (reaction.kind === 'many') reply(null, reaction.messages[0] ?? Buffer.alloc(0));
    else if (reaction.kind === 'error')
      reply({ code: reaction.code, details: reaction.details, metadata: new Metadata() });
  };
}

function streaming(reaction: Reaction) {
  return (call: ServerWritableStream<Buffer, Buffer>): void => {
    call.on('error', () => undefined);
    if (reaction.kind === 'hang') {
      call.sendMetadata(new Metadata());
      return;
    }
    if (reaction.kind === 'error') {
      call.emit('error', { code: reaction.code, details: reaction.details, metadata: new Metadata() });
      return;
    }
    const messages = reaction.kind === 'answer' ? [reaction.bytes] : reaction.messages;
    for (const message of messages) call.write(message);
    const after = reaction.kind === 'answer' ? 'end' : reaction.after;
    if (after === 'end') call.end();
    else if (after === 'error')
      call.emit('error', { code: status.DATA_LOSS, details: 'odd', metadata: new Metadata() });
  };
}

/** Bytes on the wire, written by hand: the library under test is not asked what it expects. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

export function bytesField(number: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload as string);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function numberField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

/** A message with wire types and field numbers of any kind. */
export const anyMessage: fc.Arbitrary<Buffer> = fc.letrec<{ message: Buffer }>((tie) => ({
  message: fc
    .array(
      fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        fc
          .tuple(fc.integer({ min: 1, max: 20 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
          .map(([n, v]) => numberField(n, v)),
        fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat(3)).map(([n, v]) => numberField(n, v)),
        fc.tuple(fc.integer({ min: 1, max: 20 }), idLike()).map(([n, v]) => bytesField(n, v)),
        fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
        fc.tuple(fc.integer({ min: 1, max: 20 }), tie('message')).map(([n, v]) => bytesField(n, v)),
      ),
      { maxLength: 5 },
    )
    .map((parts) => Buffer.concat(parts)),
})).message;

function idLike(): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(0, 1, 20, 31, 32, 32, 32, 33, 64), fc.nat(255))
    .map(([length, byte]) => Buffer.alloc(length, byte));
}
