import { createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';

/** What a pretended post-service does on its socket. */
export interface Conduct {
  /** Before or after the question; some do not wait for it. */
  readonly waits: boolean;
  /** Written one after the other. */
  readonly pieces: readonly Buffer[];
  /** `flood`: repeats the last piece for as long as it is taken. */
  readonly after: 'end' | 'reset' | 'hang' | 'flood';
}

/** An answer of which is known what it means. */
export interface KnownConduct extends Conduct {
  /** Exactly what a real service sends when it is idle, from the first byte to the last. */
  readonly isIdle: boolean;
}

const IDLE = '"Idle"';
const PROVING = '{"Proving":{"nonces":{"start":0,"end":128},"position":5242880}}';

const bodies = fc.oneof(
  { arbitrary: fc.constant(IDLE), weight: 6 },
  fc.constantFrom(
    '"DoneProving"',
    PROVING,
    '',
    'Idle',
    '"idle"',
    'null',
    '{"Idle":null}',
    '["Idle"]',
    '"Idle"\n',
    ' "Idle"',
  ),
  fc.constantFrom(
    '\uFEFF"Idle"',
    '"Id\0le"',
    '\0"Idle"',
    '"Idle"\0',
    '"\\u0049dle"',
    '"Idle""DoneProving"',
    '"Idle",',
  ),
  fc.tuple(fc.constantFrom(IDLE, PROVING), fc.nat(70)).map(([body, at]) => body.slice(0, at)),
  fc
    .tuple(fc.constantFrom(IDLE, PROVING), fc.nat(70), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([body, at, put]) => body.slice(0, at) + put + body.slice(at)),
  fc.nat(20_000).map((length) => `"Idle${'e'.repeat(length)}"`),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

type Framing =
  | 'length'
  | 'close'
  | 'chunked'
  | 'longer'
  | 'shorter'
  | 'two-lengths'
  | 'no-number'
  | 'half-chunk';

const framings: fc.Arbitrary<Framing> = fc.oneof(
  { arbitrary: fc.constant<Framing>('length'), weight: 5 },
  fc.constantFrom<Framing>('close', 'chunked', 'longer', 'shorter', 'two-lengths', 'no-number', 'half-chunk'),
);

const statusLines = fc.oneof(
  { arbitrary: fc.constant('HTTP/1.1 200 OK'), weight: 6 },
  fc.constantFrom(
    'HTTP/1.0 200 OK',
    'HTTP/1.1 404 Not Found',
    'HTTP/1.1 500 x',
    'HTTP/1.1 204 No Content',
    'HTTP/1.1 302 Found',
  ),
  fc.constantFrom(
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 101 Switching Protocols',
    'HTTP/2 200',
    'HTTP/1.1 2000 OK',
    '200 OK',
    '',
  ),
);

const pads = fc.oneof(
  { arbitrary: fc.constant(''), weight: 6 },
  fc.nat(30_000).map((length) => `x-pad: ${'p'.repeat(length)}\r\n`),
  fc.constantFrom(
    'x\r\n',
    ': y\r\n',
    'a: b\nc: d\r\n',
    'connection: keep-alive\r\n',
    '"Idle"\r\n\r\n',
    'set-cookie: \x80\r\n',
  ),
);

function framed(framing: Framing, body: Buffer): { readonly headers: string; readonly payload: Buffer } {
  const n = body.length;
  switch (framing) {
    case 'length':
      return { headers: `content-length: ${n}\r\n`, payload: body };
    case 'close':
      return { headers: '', payload: body };
    case 'longer':
      return { headers: `content-length: ${n + 3}\r\n`, payload: body };
    case 'shorter':
      return { headers: `content-length: ${Math.max(0, n - 1)}\r\n`, payload: body };
    case 'two-lengths':
      return { headers: `content-length: ${n}\r\ncontent-length: ${n + 1}\r\n`, payload: body };
    case 'no-number':
      return { headers: 'content-length: 0x6\r\n', payload: body };
    case 'chunked':
      return {
        headers: 'transfer-encoding: chunked\r\n',
        payload: Buffer.concat([Buffer.from(`${n.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]),
      };
    case 'half-chunk':
      return {
        headers: 'transfer-encoding: chunked\r\n',
        payload: Buffer.concat([Buffer.from(`${(n + 9).toString(16)}\r\n`), body]),
      };
  }
}

const known: fc.Arbitrary<KnownConduct> = fc
  .record({
    statusLine: statusLines,
    pad: pads,
    framing: framings,
    body: bodies,
    cut: fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, fc.nat(160)),
    breaks: fc.array(fc.nat(200), { maxLength: 3 }),
    waits: fc.oneof({ arbitrary: fc.constant(true), weight: 6 }, fc.constant(false)),
    after: fc.oneof(
      { arbitrary: fc.constant<Conduct['after']>('end'), weight: 6 },
      fc.constantFrom<Conduct['after']>('reset', 'hang'),
    ),
  })
  .map(({ statusLine, pad, framing, body, cut, breaks, waits, after }) => {
    const { headers, payload } = framed(framing, Buffer.from(body, 'utf8'));
    const whole = Buffer.concat([Buffer.from(`${statusLine}\r\n${pad}${headers}\r\n`, 'latin1'), payload]);
    const sent = cut === undefined ? whole : whole.subarray(0, cut);
    return {
      waits,
      after,
      pieces: split(sent, breaks),
      isIdle:
        /^HTTP\/1\.[01] 200 OK$/.test(statusLine) &&
        pad === '' &&
        framing === 'length' &&
        body === IDLE &&
        sent.length === whole.length &&
        after === 'end' &&
        waits,
    };
  });

/** No answer that HTTP knows. */
const noise: fc.Arbitrary<Conduct> = fc.record({
  waits: fc.boolean(),
  after: fc.constantFrom<Conduct['after']>('end', 'reset', 'hang', 'flood'),
  pieces: fc.oneof(
    fc.array(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 3 },
    ),
    fc
      .constantFrom(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"',
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n"\r\n',
        'HTTP/1.1 100 Continue\r\n\r\n',
        'HTTP/1.1 200 OK\r\nx: ',
        'SSH-2.0-OpenSSH_9.2\r\n',
      )
      .map((text) => [Buffer.from(text)]),
  ),
});

function split(bytes: Buffer, breaks: readonly number[]): readonly Buffer[] {
  const places = [0, ...breaks.map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

export const conducts: fc.Arbitrary<KnownConduct> = fc.oneof(
  { arbitrary: known, weight: 5 },
  noise.map((conduct) => ({ ...conduct, isIdle: false })),
);

export interface OddService {
  readonly port: number;
  /** Bytes that it could write. */
  readonly written: () => number;
  close(): void;
}

export async function listen(conduct: Conduct): Promise<OddService> {
  const sockets: Socket[] = [];
  let written = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    const write = async () => {
      for (const piece of conduct.pieces) {
        socket.write(piece);
        await turn();
      }
      if (conduct.after === 'end') socket.end();
      else if (conduct.after === 'reset') socket.resetAndDestroy();
      else if (conduct.after === 'flood') flood(socket, conduct.pieces.at(-1) ?? Buffer.from('x'));
    };
    if (conduct.waits) socket.once('data', () => void write());
    else void write();
    // Else a peer that closes its side is never noticed.
    socket.resume();
    socket.on('close', () => {
      written += socket.bytesWritten;
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  return {
    port: (server.address() as { port: number }).port,
    written: () => written,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function flood(socket: Socket, piece: Buffer): void {
  const block = Buffer.alloc(16_384, piece.length === 0 ? 'x' : piece);
  const more = () => {
    while (!socket.destroyed && socket.write(block)) {}
  };
  socket.on('drain', more);
  more();
}
