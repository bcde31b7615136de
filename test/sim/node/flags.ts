/** The node's command line, by the rules of its flag parser (spacemesh.md §1.1). */

import { isTree, type Tree } from './config-decode.ts';
import { configShape, type Kind, type Shape } from './config-shape.ts';
import { parseDuration } from './go-text.ts';

/** Flags that are named as the last part of their config key. */
const sameNamed =
  'preset data-folder filelock recovery-uri recovery-layer log-encoder metrics metrics-port genesis-time ' +
  'metrics-push-period genesis-extra-data layer-duration layer-average-size pprof-server pprof-mutex-profile ' +
  'pprof-block-profile pprof-listener tick-size profiler-url profiler-name txs-per-proposal block-gas-limit ' +
  'optimistic-filtering-threshold db-connections db-latency-metering db-prune-interval no-main-override listen ' +
  'flood disable-natport disable-reuseport p2p-metrics p2p-accept-queue low-peers high-peers min-peers bootnodes ' +
  'ping-peers ping-interval static-relays advertise-address p2p-bootnode p2p-private-network force-dht-server ' +
  'enable-tcp-transport enable-quic-transport enable-routing-discovery routing-discovery-advertise ' +
  'grpc-public-listener grpc-private-listener grpc-post-listener grpc-tls-services grpc-tls-listener ' +
  'grpc-tls-cert grpc-tls-key grpc-recv-msg-size grpc-send-msg-size grpc-json-listener ' +
  'eligibility-confidence-param beacon-kappa beacon-q beacon-rounds-number beacon-grace-period-duration ' +
  'beacon-proposal-duration beacon-first-voting-round-duration beacon-voting-round-duration ' +
  'beacon-weak-coin-round-duration beacon-theta beacon-votes-limit beacon-sync-weight-units tortoise-hdist ' +
  'tortoise-zdist tortoise-window-size tortoise-max-exceptions tortoise-delay-layers tortoise-enable-tracer ' +
  'post-labels-per-unit post-min-numunits post-max-numunits post-k1 post-k2 post-k3 post-pow-difficulty ' +
  'smeshing-start smeshing-coinbase smeshing-opts-datadir smeshing-opts-numunits smeshing-opts-maxfilesize ' +
  'smeshing-opts-provider smeshing-opts-throttle smeshing-opts-proving-threads smeshing-opts-proving-nonces ' +
  'smeshing-opts-proving-randomx-mode smeshing-opts-verifying-disable smeshing-opts-verifying-min-workers ' +
  'smeshing-opts-verifying-workers smeshing-opts-verifying-powflags layers-per-epoch phase-shift cycle-gap ' +
  'grace-period poet-request-timeout bootstrap-url bootstrap-version poet-servers';

const differentlyNamed: Readonly<Record<string, readonly string[]>> = {
  'metrics-push': ['public-metrics', 'metrics-url'],
  'gprc-tls-ca-cert': ['api', 'grpc-tls-ca-cert'],
  'grpc-cors-allowed-origin': ['api', 'grpc-cors-allowed-origins'],
  accounts: ['genesis', 'accounts'],
  'peersync-disable': ['time', 'peersync', 'disable'],
  'peersync-round-retry-interval': ['time', 'peersync', 'round-retry-interval'],
  'peersync-round-interval': ['time', 'peersync', 'round-interval'],
  'peersync-round-timeout': ['time', 'peersync', 'round-timeout'],
  'peersync-max-clock-offset': ['time', 'peersync', 'max-clock-offset'],
  'peersync-max-offset-errors': ['time', 'peersync', 'max-offset-errors'],
  'peersync-required-responses': ['time', 'peersync', 'required-responses'],
};

const shorthands: Readonly<Record<string, string>> = {
  c: 'config',
  p: 'preset',
  d: 'data-folder',
  a: 'accounts',
  h: 'help',
};

export interface CommandLine {
  readonly command: 'run' | 'version' | 'help';
  readonly configFile: string;
  readonly preset: string | undefined;
  /** In the order given; applied over the config file. */
  readonly flags: readonly { readonly name: string; readonly value: string }[];
}

function kindOf(name: string): Kind | undefined {
  if (name === 'config' || name === 'preset') return 'string';
  if (name === 'help') return 'bool';
  if (name === 'poet-server') return 'strings';
  const path = pathOf(name);
  if (path === undefined) return undefined;
  let shape: unknown = configShape;
  for (const part of path) shape = (shape as Record<string, Shape>)[part];
  return typeof shape === 'string' ? (shape as Kind) : 'string';
}

function pathOf(name: string): readonly string[] | undefined {
  const special = differentlyNamed[name];
  if (special !== undefined) return special;
  return sameNamed.split(' ').includes(name) ? findKey(configShape, name) : undefined;
}

function findKey(shape: Readonly<Record<string, unknown>>, name: string): string[] | undefined {
  if (typeof shape[name] === 'string' || (isTree(shape[name]) && 'list' in shape[name])) return [name];
  for (const [key, field] of Object.entries(shape)) {
    const below = isTree(field) ? findKey(field, name) : undefined;
    if (below !== undefined) return [key, ...below];
  }
  return undefined;
}

/** @throws Error as the flag parser words it */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const flags: { name: string; value: string }[] = [];
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? '';
    if (argument === '--') {
      words.push(...args.slice(index + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument);
      continue;
    }
    const long = argument.startsWith('--');
    const [rawName, ...valueParts] = argument.slice(long ? 2 : 1).split('=');
    const attached = argument.includes('=') ? valueParts.join('=') : undefined;
    const letter = (rawName ?? '')[0] ?? '';
    const name = long ? (rawName ?? '') : shorthands[letter];
    const kind = name === undefined ? undefined : kindOf(name);
    if (name === undefined || kind === undefined) {
      throw new Error(
        long ? `unknown flag: --${name}` : `unknown shorthand flag: '${letter}' in ${argument}`,
      );
    }
    let value = attached;
    if (!long && (rawName ?? '').length > 1) value = argument.slice(2).replace(/^=/, '');
    if (value === undefined && kind === 'bool') value = 'true';
    if (value === undefined) {
      index += 1;
      value = args[index];
      if (value === undefined) {
        throw new Error(
          long ? `flag needs an argument: --${name}` : `flag needs an argument: '${letter}' in ${argument}`,
        );
      }
    }
    checkValue(name, kind, value);
    flags.push({ name, value });
  }
  const last = (name: string) => flags.findLast((flag) => flag.name === name)?.value;
  const [command] = words;
  if (command !== undefined && command !== 'version')
    throw new Error(`unknown command "${command}" for "node"`);
  return {
    command: last('help') === 'true' ? 'help' : command === 'version' ? 'version' : 'run',
    configFile: last('config') ?? '',
    preset: last('preset'),
    flags: flags.filter((flag) => !['config', 'preset', 'help'].includes(flag.name)),
  };
}

function checkValue(name: string, kind: Kind, value: string): void {
  const invalid = (reason: string) =>
    new Error(`invalid argument "${value}" for "--${name}" flag: ${reason}`);
  if (name === 'poet-server') throw invalid('use of deprecated flag');
  if ((kind === 'int' || kind === 'uint') && !/^-?\d+$/.test(value)) {
    throw invalid(`strconv.Parse${kind === 'int' ? 'Int' : 'Uint'}: parsing "${value}": invalid syntax`);
  }
  if (kind === 'duration') {
    try {
      parseDuration(value);
    } catch (error) {
      throw invalid((error as Error).message);
    }
  }
}

/**
 * The flags as a config tree to be laid over `config`. Lists are appended, twice, because the flags are parsed
 * a second time over what the first pass left (spacemesh.md §1.1); `poet-servers` replaces.
 */
export function flagsAsTree(flags: CommandLine['flags'], config: Tree): Tree {
  const tree: Tree = {};
  for (const { name, value } of flags) {
    const path = pathOf(name);
    const key = path?.at(-1);
    if (path === undefined || key === undefined) continue;
    let target = tree;
    let present: unknown = config;
    for (const part of path.slice(0, -1)) {
      const next = (target[part] ?? {}) as Tree;
      target[part] = next;
      target = next;
      present = isTree(present) ? present[part] : undefined;
    }
    const before = target[key] ?? (isTree(present) ? present[key] : undefined);
    if (name === 'poet-servers') target[key] = JSON.parse(value);
    else if (name === 'accounts')
      target[key] = { ...(isTree(before) ? before : {}), ...parseAccounts(value) };
    else if (kindOf(name) === 'strings') {
      const items = value.split(',');
      const fromFile = Array.isArray(before) ? before : [];
      target[key] = fromFile.length > 0 ? [...fromFile, ...items] : [...items, ...items];
    } else target[key] = value;
  }
  return tree;
}

function parseAccounts(text: string): Tree {
  return Object.fromEntries(text.split(',').map((pair) => pair.split('=') as [string, string]));
}
