import { createServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { OddNode } from './odd-node.ts';

/* Below gRPC: what a broken proxy, another program or a node that is killed does. */

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** On the bare connection. */
const CONNECTIONS: Readonly<Record<string, (socket: Socket) => void>> = {
  garbage: (socket) => socket.write(Buffer.alloc(5000, 0x5a)),
  silent: () => undefined,
  closes: (socket) => socket.destroy(),
  http1: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
};

/** On one call; `framed` is what a sound node would answer. */
const CALLS: Readonly<Record<string, (stream: ServerHttp2Stream, framed: Buffer) => void>> = {
  'no trailers': (stream, framed) => {
    stream.respond(GRPC);
    stream.end(framed);
  },
  'odd status': (stream, framed) => withStatus(stream, 'eleven', [framed]),
  'half a message': (stream, framed) => withStatus(stream, '0', [framed.subarray(0, framed.length - 2)]),
  'huge length': (stream, framed) => withStatus(stream, '0', [frame(framed, 0, 0xffff_fff0)]),
  'odd compression': (stream, framed) =>
    withStatus(stream, '0', [frame(framed.subarray(5), 1)], { 'grpc-encoding': 'gzip' }),
  'HTTP 500': (stream) => {
    stream.respond({ ':status': 500 });
    stream.end('oops');
  },
  'connection given up': (stream) => {
    stream.session?.goaway(0, 0);
    stream.session?.destroy();
  },
  reset: (stream) => stream.close(0x8),
  'two messages': (stream, framed) => withStatus(stream, '0', [framed, framed]),
  endless: (stream, framed) => {
    stream.respond(GRPC);
    const more = (): void => {
      while (!stream.destroyed && stream.write(framed)) {}
    };
    stream.on('drain', more);
    more();
  },
};

export const WIRE_FAULTS: readonly string[] = [...Object.keys(CONNECTIONS), ...Object.keys(CALLS)];

/** A node whose way to us has a fault. `message` is what it would answer to every question. */
export async function faultyWire(fault: string, message: Buffer): Promise<OddNode> {
  const sockets: Socket[] = [];
  const onConnection = CONNECTIONS[fault];
  const server =
    onConnection === undefined
      ? createServer().on('stream', (stream) => {
          stream.on('error', () => undefined);
          stream.resume();
          CALLS[fault]?.(stream, frame(message));
        })
      : createTcpServer(onConnection);
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, () => resolve()));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function frame(message: Buffer, flags = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

function withStatus(
  stream: ServerHttp2Stream,
  status: string,
  bodies: readonly Buffer[],
  headers = {},
): void {
  stream.respond({ ...GRPC, ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  for (const body of bodies) stream.write(body);
  stream.end();
}
