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
}

/** A real HTTP server that answers `GET /v1/info` as a PoET does (spacemesh.md §7.3, §14.5), or badly. */
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
      certifier: { url: '', pubkey: '' },
    });
  const server = createServer((request, response) => {
    if (options.hangs === true) return;
    const known = request.method === 'GET' && request.url === '/v1/info';
    if (options.skewMs !== undefined)
      response.setHeader('date', new Date(Date.now() + options.skewMs).toUTCString());
    response
      .writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
      .end(known ? body : '{"code":5}');
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
