/** The PoET that runs inside a node of network `standalone` (spacemesh.md §10), as far as anybody can see it. */

import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { digest } from './atx-store.ts';
import type { NodeConfig } from './config.ts';
import { formatDuration, splitHostPort } from './go-text.ts';
import { log } from './logger.ts';
import type { NetworkClock } from './network-clock.ts';

export interface PoetProof {
  /** Challenge of the proofs of space that follow. */
  readonly ref: Buffer;
  readonly ticks: number;
}

/** The proof of a round: the same whenever it is asked for, also by a node that was started anew. */
export function poetProofOf(clock: NetworkClock, round: number): PoetProof {
  const ref = digest('poet proof', String(clock.genesis), String(round));
  return { ref, ticks: 45_000 + (ref.readUInt16LE(0) % 2000) };
}

/** The server's public key from POET_PRIVATE_KEY, base64 of the 64 bytes seed||pub; a random one without it. */
export function poetPublicKey(privateKey: string | undefined): Buffer {
  if (privateKey === undefined || privateKey === '') return digest('poet key', String(Math.random()));
  const bytes = Buffer.from(privateKey, 'base64');
  if (bytes.length !== 64) throw new Error(`poet server: invalid private key length: ${bytes.length}`);
  return bytes.subarray(32);
}

/** Starts the REST server under the address in the config. @throws Error when it cannot listen */
export async function startPoet(config: NodeConfig, clock: NetworkClock, publicKey: Buffer): Promise<Server> {
  mkdirSync(join(config.dataFolder, 'poet'), { recursive: true, mode: 0o700 });
  const address = config.poetServers[0]?.address ?? '';
  const { host, port } = splitHostPort(address.replace(/^[a-z]+:\/\//, ''));
  const info = JSON.stringify({
    servicePubkey: publicKey.toString('base64'),
    phaseShift: `${config.poet.phaseShift / 1000}s`,
    cycleGap: `${config.poet.cycleGap / 1000}s`,
    certifier: { url: '', pubkey: '' },
  });
  const server = createServer((request, response) => {
    const known = request.method === 'GET' && request.url === '/v1/info';
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(known ? info : JSON.stringify({ code: 5, message: 'Not Found', details: [] }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const round = Math.max(0, Math.floor((Date.now() - clock.roundStart(0)) / clock.epochDuration) + 1);
  const wait = formatDuration(Math.max(0, clock.roundStart(round) - Date.now()));
  log('INFO', 'registration', 'waiting for execution to start', { 'wait time': wait, epoch: round });
  log('INFO', '', `GRPC server listening on 127.0.0.1:${40_000 + (process.pid % 5000)}`);
  log('INFO', '', `REST proxy starts listening on ${host}:${port}`);
  return server;
}
