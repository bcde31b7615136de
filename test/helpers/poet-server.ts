import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

export interface PoetServer {
  readonly address: string;
  /** base64, as it answers. */
  readonly pubkey: string;
  close(): Promise<void>;
}

export interface PoetOptions {
  /** Seconds. */
  readonly phaseShift?: number;
  readonly cycleGap?: number;
  /** Answers another key than `pubkey` says. */
  readonly liesAboutKey?: boolean;
  /** Takes the question and never answers. */
  readonly hangs?: boolean;
  /** Instead of what a PoET says. */
  readonly body?: string;
  /** How far its `Date` header is off. */
  readonly skewMs?: number;
  /** Where its certificates are given out. */
  readonly certifier?: string;
  /** Leaves of each round that it has proved; any other is 404, as before a round's end. A text is answered as it is. */
  readonly proofs?: Readonly<Record<number, number | string>>;
  /** Members of each round: 32 bytes each stand in its proof. */
  readonly members?: number;
}

/** A round's proof as the gateway writes it (spacemesh.md §7.3): the members stand before the number of leaves. */
export function proofBody(leaves: number, pubkey: string, members = 3): string {
  const bytes = (seed: number) => Buffer.alloc(32, seed % 256).toString('base64');
  const list = Array.from({ length: members }, (_, index) => bytes(index));
  const proof = { root: bytes(7), provenLeaves: [bytes(8), bytes(9)], proofNodes: [bytes(10)] };
  return JSON.stringify({ proof: { proof, members: list, leaves: `${leaves}` }, pubkey });
}

/** A real HTTP server that answers `GET /v1/info` and `/v1/proofs/{round}` as a PoET does (spacemesh.md §7.3, §14.5), or badly. */
export function startPoet(options: PoetOptions = {}): Promise<PoetServer> {
  const pubkey = randomBytes(32).toString('base64');
  const answered = options.liesAboutKey === true ? randomBytes(32).toString('base64') : pubkey;
  const { phaseShift = 12 * 3600, cycleGap = 2 * 3600 } = options;
  const body =
    options.body ??
    JSON.stringify({
      servicePubkey: answered,
      phaseShift: `${phaseShift}s`,
      cycleGap: `${cycleGap}s`,
      certifier: { url: options.certifier ?? '', pubkey: '' },
    });
  const server = createServer((request, response) => {
    if (options.hangs === true) return;
    const round = Number(/^\/v1\/proofs\/(\d+)$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
    const proof = options.proofs?.[round];
    const info = request.method === 'GET' && request.url === '/v1/info' ? body : undefined;
    const answer = typeof proof === 'number' ? proofBody(proof, pubkey, options.members) : (proof ?? info);
    if (options.skewMs !== undefined)
      response.setHeader('date', new Date(Date.now() + options.skewMs).toUTCString());
    response
      .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(answer ?? '{"code":5,"message":"Not Found","details":[]}');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({
        address: `http://127.0.0.1:${port}`,
        pubkey,
        close: () =>
          new Promise((done) => {
            server.closeAllConnections();
            server.close(() => done());
          }),
      });
    });
  });
}
