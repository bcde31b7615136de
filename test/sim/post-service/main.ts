/**
 * A stand-in for post-service v0.8.5: the real command line, log, operator API and protocol, and pretended
 * proofs. It has no signal handler on purpose: as PID 1 it is deaf to SIGTERM, like the real one.
 */
import { note, noteEnd } from '../common/ledger.ts';
import { Panic, ServiceFailure } from './failure.ts';
import { readKnobs } from './knobs.ts';
import { createLog, type Log } from './log.ts';
import { resolveTarget, serveNode } from './node-client.ts';
import { startOperator } from './operator.ts';
import { PostService } from './service.ts';
import { readSettings, type Settings } from './settings.ts';

const WATCH_INTERVAL_MS = 1000;

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2));
  if ('kind' in settings) {
    process.stdout.write(settings.stdout);
    process.stderr.write(settings.stderr);
    process.exit(settings.code);
  }
  const log = createLog(process.env['RUST_LOG'], (line) => process.stderr.write(line));
  try {
    await run(settings, log);
  } catch (error) {
    stop(error);
  }
}

async function run(settings: Settings, log: Log): Promise<void> {
  noteEnd();
  note('started', { nonces: settings.nonces });
  logSettings(settings, log);
  const service = new PostService(settings, readKnobs(process.env), log, stop);
  try {
    const { numUnits } = service.metadata;
    if (numUnits < settings.minNumUnits || numUnits > settings.maxNumUnits) {
      const range = `${settings.minNumUnits}..=${settings.maxNumUnits}`;
      const message = `number of units in the POST data is out of range: ${numUnits} not in ${range}`;
      throw new ServiceFailure(message, 'service/src/main.rs:371:20');
    }
    log('info', 'post_service', tlsText(settings));
    const target = resolveTarget(settings);
    if (settings.operatorAddress !== undefined) startOperator(settings.operatorAddress, service, log);
    if (settings.watchPid !== undefined) watchPid(settings.watchPid, log);
    await serveNode(settings, target, service, log);
  } catch (error) {
    log('info', 'post_service::service', 'shutting down post service');
    throw error;
  }
}

function logSettings(settings: Settings, log: Log): void {
  const network = {
    min_num_units: settings.minNumUnits,
    max_num_units: settings.maxNumUnits,
    k1: settings.k1,
    k2: settings.k2,
    pow_difficulty: settings.powDifficulty.toUpperCase(),
    scrypt: settings.scrypt,
  };
  const proving = {
    cores: { threads: settings.threads, pinned_cores: settings.pinnedCores ?? null },
    nonces: settings.nonces,
    randomx_mode: settings.randomxMode === 'fast' ? 'Fast' : 'Light',
  };
  log('info', 'post_service', `POST network parameters: ${JSON.stringify(network)}`);
  log('info', 'post_service', `POST proving settings: ${JSON.stringify(proving)}`);
  checkScrypt(settings);
  if (settings.remoteK2pow !== undefined) {
    log('info', 'post_service', `remote k2pow uri: ${settings.remoteK2pow}`);
  }
  log('info', 'post_service', coresText(settings));
}

function checkScrypt(settings: Settings): void {
  for (const [name, value] of Object.entries(settings.scrypt)) {
    const isPower = value > 0 && Number.isInteger(Math.log2(value));
    if (!isPower) throw new Panic(`assertion failed: ${name}.is_power_of_two()`, 'src/config.rs:43:9');
  }
}

function coresText(settings: Settings): string {
  if (settings.pinnedCores !== undefined) {
    const cores = settings.pinnedCores;
    return `using ${cores.length} threads, pinned to cores: [${cores.join(', ')}]`;
  }
  return settings.threads === 0 ? 'using all available cores' : `using ${settings.threads} cores`;
}

function tlsText(settings: Settings): string {
  const { tls } = settings;
  if (tls === undefined) return 'not configuring TLS';
  const domain = tls.domain === undefined ? 'None' : `Some("${tls.domain}")`;
  return `configuring TLS: server: (CA cert: ${tls.caCert}, domain: ${domain}), client: (cert: ${tls.cert}, key: ${tls.key})`;
}

/** Ends with 0 when the watched process is gone. */
function watchPid(pid: number, log: Log): void {
  log('info', 'post_service', `watching PID ${pid}`);
  setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch {
      log('info', 'post_service', `PID ${pid} died`);
      process.exit(0);
    }
  }, WATCH_INTERVAL_MS);
}

function stop(error: unknown): never {
  if (error instanceof ServiceFailure) process.stderr.write(error.report());
  else if (error instanceof Panic) process.stderr.write(error.report());
  else process.stderr.write(`stand-in fault: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(error instanceof Panic ? 101 : error instanceof ServiceFailure ? 1 : 70);
}

void main();
