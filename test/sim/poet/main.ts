/**
 * A stand-in for poet v0.10.8: its flags, REST API, state and rounds (spacemesh.md §7, §14.5); a proof costs a hash
 * instead of an epoch of hashing.
 */
import { createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import process from 'node:process';
import { note } from '../common/ledger.ts';
import { splitHostPort } from '../node/go-text.ts';
import { HelpWanted } from './flags.ts';
import { readKnobs } from './knobs.ts';
import { log } from './log.ts';
import { serveRest } from './rest.ts';
import { Rounds } from './rounds.ts';
import { readSettings } from './settings.ts';
import { State } from './state.ts';

/** Takes the port and speaks to nobody: what poet has there is gRPC, which neither node nor tool uses. */
function occupy(address: string): Promise<Server> {
  const { host, port } = splitHostPort(address);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'bind: address already in use' : error.message;
      reject(new Error(`failed to listen: listen tcp ${address}: ${reason}`));
    });
    server.listen(port, host === '' ? '0.0.0.0' : host, () => resolve(server));
  });
}

/** The one signal that poet handles: SIGTERM ends it as the kernel likes, and as PID 1 not at all. */
function stopOnInterrupt(): void {
  process.once('SIGINT', () => {
    note('terminated');
    // Nothing of a round is lost by it: what was begun is on disk.
    log('INFO', '', 'shutdown complete');
    process.exit(0);
  });
}

async function main(): Promise<void> {
  // First of all: as PID 1 it would be deaf until then.
  stopOnInterrupt();
  const settings = readSettings(process.argv.slice(2), homedir(), Date.now());
  const state = new State(settings.dataDir, settings.dbDir);
  const pubkey = state.publicKey(process.env['POET_PRIVATE_KEY']);
  const knobs = () => readKnobs(process.env, settings.dataDir);
  knobs();
  const rounds = new Rounds(settings, state, pubkey, knobs);
  const [rpc = '', configRpc = ''] = settings.grpc;
  await occupy(rpc);
  await occupy(configRpc);
  log('INFO', '', `GRPC server listening on ${rpc}`);
  const { host, port } = splitHostPort(settings.rest);
  await serveRest({ host, port }, { settings, state, rounds, pubkey, knobs });
  log('INFO', '', `REST proxy starts listening on ${settings.rest}`);
  note('started');
  rounds.run();
}

main().catch((error: unknown) => {
  if (error instanceof HelpWanted) process.stdout.write(`${error.message}\n`);
  else process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
});
