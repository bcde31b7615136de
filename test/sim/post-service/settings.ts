import { isIPv4, isIPv6 } from 'node:net';
import process from 'node:process';
import { type CommandSpec, fault, type Parsed, parseCommandLine } from './clap.ts';

export interface TlsSettings {
  readonly caCert: string;
  readonly cert: string;
  readonly key: string;
  readonly domain: string | undefined;
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  /** As Rust prints it: IPv6 in brackets. */
  readonly text: string;
}

/** The command line of post-service v0.8.5 (spacemesh.md §3.1). */
export interface Settings {
  readonly dir: string;
  readonly address: string;
  readonly reconnectIntervalSeconds: number;
  readonly maxRetries: number | undefined;
  readonly watchPid: number | undefined;
  readonly operatorAddress: SocketAddress | undefined;
  readonly minNumUnits: number;
  readonly maxNumUnits: number;
  readonly k1: number;
  readonly k2: number;
  /** 64 hex characters. */
  readonly powDifficulty: string;
  readonly scrypt: { readonly n: number; readonly r: number; readonly p: number };
  readonly threads: number;
  readonly pinnedCores: readonly number[] | undefined;
  readonly nonces: number;
  readonly randomxMode: 'fast' | 'light';
  readonly tls: TlsSettings | undefined;
  readonly remoteK2pow: string | undefined;
  readonly remoteK2powParallelism: number;
  readonly remoteK2powBackoffSeconds: number;
}

export const DEFAULT_POW_DIFFICULTY = `000dfb23b0979b4b${'0'.repeat(48)}`;

const option = (id: string, parse: (text: string) => unknown, more: object = {}) => ({
  id,
  long: id,
  valueName: id.toUpperCase().replaceAll('-', '_'),
  parse,
  ...more,
});
const scrypt = (letter: string) => ({
  id: letter,
  short: letter,
  valueName: letter.toUpperCase(),
  parse: unsigned,
});

const COMMAND: CommandSpec = {
  name: 'post-service',
  version: `service ${process.env['SIM_VERSION'] || '0.8.5'}`,
  about: 'Post Service',
  group: ['threads', 'pinned-cores'],
  options: [
    option('dir', anyText, { short: 'd', required: true }),
    option('address', anyText, { short: 'a', required: true }),
    option('reconnect-interval-s', unsigned),
    option('max-retries', unsigned),
    option('watch-pid', unsigned),
    option('operator-address', socketAddress),
    option('min-num-units', unsigned32),
    option('max-num-units', unsigned32),
    option('k1', unsigned32),
    option('k2', unsigned32),
    option('pow-difficulty', difficulty),
    scrypt('n'),
    scrypt('r'),
    scrypt('p'),
    option('threads', unsigned),
    option('pinned-cores', unsigned, { list: true }),
    option('nonces', nonces),
    option('randomx-mode', anyText, { choices: ['fast', 'light'] }),
    option('remote-k2pow', anyText),
    option('remote-k2pow-parallelism', unsigned),
    option('remote-k2pow-backoff', unsigned),
    option('ca-cert', anyText),
    option('cert', anyText),
    option('key', anyText),
    option('domain', anyText),
  ],
};

/** Reads the command line; an exit is what clap would print, with code 2 (0 for help and version). */
export function readSettings(argv: readonly string[]): Settings | Extract<Parsed, { kind: 'exit' }> {
  const parsed = parseCommandLine(COMMAND, argv);
  if (parsed.kind === 'exit') return parsed;
  const { values } = parsed;
  const text = (id: string) => values.get(id) as string | undefined;
  const number = (id: string) => values.get(id) as number | undefined;
  const tls = tlsSettings(text);
  if (tls !== undefined && 'kind' in tls) return tls;
  return {
    dir: text('dir') ?? '',
    address: text('address') ?? '',
    reconnectIntervalSeconds: number('reconnect-interval-s') ?? 5,
    maxRetries: number('max-retries'),
    watchPid: number('watch-pid'),
    operatorAddress: values.get('operator-address') as SocketAddress | undefined,
    minNumUnits: number('min-num-units') ?? 4,
    maxNumUnits: number('max-num-units') ?? 0xffff_ffff,
    k1: number('k1') ?? 26,
    k2: number('k2') ?? 37,
    powDifficulty: text('pow-difficulty') ?? DEFAULT_POW_DIFFICULTY,
    scrypt: { n: number('n') ?? 8192, r: number('r') ?? 1, p: number('p') ?? 1 },
    threads: number('threads') ?? 1,
    pinnedCores: values.get('pinned-cores') as readonly number[] | undefined,
    nonces: number('nonces') ?? 128,
    randomxMode: text('randomx-mode') === 'light' ? 'light' : 'fast',
    tls,
    remoteK2pow: text('remote-k2pow'),
    remoteK2powParallelism: number('remote-k2pow-parallelism') ?? 5,
    remoteK2powBackoffSeconds: number('remote-k2pow-backoff') ?? 5,
  };
}

/** All three files or none; checked after everything else, under the program's other name. */
function tlsSettings(
  text: (id: string) => string | undefined,
): TlsSettings | Extract<Parsed, { kind: 'exit' }> | undefined {
  const [caCert, cert, key, domain] = [text('ca-cert'), text('cert'), text('key'), text('domain')];
  if (caCert === undefined && cert === undefined && key === undefined && domain === undefined)
    return undefined;
  if (caCert !== undefined && cert !== undefined && key !== undefined) return { caCert, cert, key, domain };
  const missing = caCert === undefined ? 'ca_cert' : cert === undefined ? 'cert' : 'key';
  return {
    kind: 'exit',
    code: 2,
    stdout: '',
    stderr: tlsFaultText(missing),
  };
}

function tlsFaultText(missing: string): string {
  const line =
    'Usage: service [OPTIONS] --dir <DIR> --address <ADDRESS> <--threads <THREADS>|--pinned-cores <PINNED_CORES>...>';
  const printed = fault(`The following required argument was not provided: ${missing}`, line);
  return printed.kind === 'exit' ? printed.stderr : '';
}

function anyText(text: string): string {
  return text;
}

function unsigned(text: string): number {
  if (text === '') throw new Error('cannot parse integer from empty string');
  if (!/^\+?\d+$/.test(text)) throw new Error('invalid digit found in string');
  if (BigInt(text) > 0xffff_ffff_ffff_ffffn) throw new Error('number too large to fit in target type');
  return Number(text);
}

function unsigned32(text: string): number {
  const value = unsigned(text);
  if (value > 0xffff_ffff) throw new Error(`${text} is not in 0..=4294967295`);
  return value;
}

/** 0 passes this check in the real program, too. */
function nonces(text: string): number {
  const value = unsigned(text);
  if (value % 16 !== 0) throw new Error('nonces must be multiple of 16');
  if (value > 4096) throw new Error('max nonces is 4096');
  return value;
}

function difficulty(text: string): string {
  if (text.length % 2 !== 0) throw new Error('Odd number of digits');
  const bad = text.search(/[^0-9a-fA-F]/);
  if (bad >= 0) throw new Error(`Invalid character '${text[bad]}' at position ${bad}`);
  if (text.length !== 64) throw new Error('invalid difficulty length');
  return text.toLowerCase();
}

/** Rust's SocketAddr: a numeric address and a port, never a name. */
function socketAddress(text: string): SocketAddress {
  const v4 = /^([\d.]+):(\d{1,5})$/.exec(text);
  const v6 = /^\[([0-9a-fA-F:.]+)\]:(\d{1,5})$/.exec(text);
  const [, host = '', port = ''] = v4 ?? v6 ?? [];
  const known = v4 === null ? isIPv6(host) : isIPv4(host);
  if (!known || Number(port) > 65535) throw new Error('invalid socket address syntax');
  return { host, port: Number(port), text };
}
