/** From a command line to the settings that the node stand-in runs by. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { decodeOver, isTree, lowerKeys, type Tree } from './config-decode.ts';
import { configShape } from './config-shape.ts';
import { type CommandLine, flagsAsTree } from './flags.ts';
import { log } from './logger.ts';
import { presetValues } from './presets.ts';

/** Durations and times in milliseconds. */
export interface NodeConfig {
  readonly dataFolder: string;
  readonly filelock: string;
  readonly standalone: boolean;
  readonly hrp: string;
  /** undefined: none was given. */
  readonly genesisTime: number | undefined;
  readonly genesisExtraData: string;
  readonly accounts: Readonly<Record<string, number>>;
  readonly layerDuration: number;
  readonly layersPerEpoch: number;
  readonly allowSchemaDrift: boolean;
  readonly poetServers: readonly { readonly address: string; readonly pubkey: string }[];
  readonly poet: {
    readonly phaseShift: number;
    readonly cycleGap: number;
    readonly gracePeriod: number;
    readonly requestTimeout: number;
    readonly retryDelay: number;
    /** Attempts after the first. */
    readonly retryMax: number;
  };
  readonly post: {
    readonly minNumUnits: number;
    readonly maxNumUnits: number;
    readonly labelsPerUnit: number;
    readonly k1: number;
    readonly k2: number;
  };
  readonly smeshingStart: boolean;
  readonly coinbase: string;
  readonly api: {
    readonly publicListener: string;
    readonly privateListener: string;
    readonly postListener: string;
    readonly jsonListener: string;
    readonly publicServices: readonly string[];
    readonly privateServices: readonly string[];
    readonly postServices: readonly string[];
    readonly tlsListener: string;
    readonly tlsServices: readonly string[];
    readonly tls: { readonly caCert: string; readonly cert: string; readonly key: string };
  };
}

/** @throws Error as the node words it, without the leading `loading config:` */
export function loadConfig(line: CommandLine, home: string): NodeConfig {
  const file = line.configFile === '' ? {} : readConfigFile(line.configFile);
  const preset = line.preset ?? (typeof file['preset'] === 'string' ? file['preset'] : '');
  const base = presetValues(preset, home);
  if (isTree(file['main']) && 'poet-server' in file['main']) {
    const module = '00000.defaultLogger.00000.defaultLogger';
    const migrate = "The 'poet-server' is deprecated. Please migrate to the 'poet-servers'.";
    log('ERROR', module, `${migrate} Check 'Upgrade Information' in CHANGELOG.md for details.`);
  }
  const fromFile = decodeOver(base, file, configShape);
  return toNodeConfig(decodeOver(fromFile, flagsAsTree(line.flags, fromFile), configShape));
}

function readConfigFile(path: string): Tree {
  const cannot = (reason: string) => new Error(`can't load config at ${path}: ${reason}`);
  const type = extname(path).slice(1);
  if (type !== 'json') throw cannot(`Unsupported Config Type "${type}"`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw cannot(`open ${path}: ${goErrno(error)}`);
  }
  try {
    const value: unknown = lowerKeys(JSON.parse(text));
    if (isTree(value)) return value;
    throw new Error('json: cannot unmarshal into Go value of type map[string]interface {}');
  } catch (error) {
    throw cannot(`While parsing config: ${goJsonFault(text, error as Error)}`);
  }
}

/** What Go says of a system call that failed. */
export function goErrno(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EROFS: 'read-only file system',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
    ENOSPC: 'no space left on device',
    EPERM: 'operation not permitted',
  };
  return words[code] ?? (error as Error).message;
}

function goJsonFault(text: string, error: Error): string {
  if (!(error instanceof SyntaxError)) return error.message;
  if (/Unexpected end/.test(error.message) || /Unterminated/.test(error.message))
    return 'unexpected end of JSON input';
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
  const character = text[position];
  if (character === undefined) return 'unexpected end of JSON input';
  return `invalid character '${character}' looking for beginning of value`;
}

function toNodeConfig(tree: Tree): NodeConfig {
  const section = (name: string): Tree => (tree[name] ?? {}) as Tree;
  const main = section('main');
  const genesis = section('genesis');
  const api = section('api');
  const post = section('post');
  const poet = section('poet');
  const smeshing = section('smeshing');
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const number = (value: unknown) => (typeof value === 'number' ? value : 0);
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(text) : []);
  const servers = (main['poet-servers'] ?? []) as readonly Tree[];
  const genesisTime = text(genesis['genesis-time']);
  return {
    dataFolder: text(main['data-folder']),
    filelock: text(main['filelock']),
    standalone: main['standalone'] === true,
    hrp: text(main['network-hrp']),
    genesisTime: genesisTime === '' ? undefined : Date.parse(genesisTime),
    genesisExtraData: text(genesis['genesis-extra-data']),
    accounts: (genesis['accounts'] ?? {}) as Record<string, number>,
    layerDuration: number(main['layer-duration']),
    layersPerEpoch: number(main['layers-per-epoch']),
    allowSchemaDrift: main['db-allow-schema-drift'] === true,
    poetServers: servers.map((server) => ({
      address: text(server['address']),
      pubkey: text(server['pubkey']),
    })),
    poet: {
      phaseShift: number(poet['phase-shift']),
      cycleGap: number(poet['cycle-gap']),
      gracePeriod: number(poet['grace-period']),
      requestTimeout: number(poet['poet-request-timeout']),
      retryDelay: number(poet['retry-delay']),
      retryMax: number(poet['retry-max']),
    },
    post: {
      minNumUnits: number(post['post-min-numunits']),
      maxNumUnits: number(post['post-max-numunits']),
      labelsPerUnit: number(post['post-labels-per-unit']),
      k1: number(post['post-k1']),
      k2: number(post['post-k2']),
    },
    smeshingStart: smeshing['smeshing-start'] === true,
    coinbase: text(smeshing['smeshing-coinbase']),
    api: {
      publicListener: text(api['grpc-public-listener']),
      privateListener: text(api['grpc-private-listener']),
      postListener: text(api['grpc-post-listener']),
      jsonListener: text(api['grpc-json-listener']),
      publicServices: texts(api['publicservices']),
      privateServices: texts(api['privateservices']),
      postServices: texts(api['postservices']),
      tlsListener: text(api['grpc-tls-listener']),
      tlsServices: texts(api['grpc-tls-services']),
      tls: {
        caCert: text(api['grpc-tls-ca-cert']),
        cert: text(api['grpc-tls-cert']),
        key: text(api['grpc-tls-key']),
      },
    },
  };
}
