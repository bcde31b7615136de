import { isMapping } from '../is-mapping.ts';
import { type FlagSpec, parseFlags } from './words.ts';

export type Tree = { readonly [key: string]: unknown };

/** Flags of go-spacemesh and where each stands in its configuration (spacemesh.md §1.1). */
const PLACES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    main:
      'data-folder filelock poet-servers layer-duration layers-per-epoch layer-average-size tick-size metrics metrics-port ' +
      'pprof-server pprof-listener txs-per-proposal block-gas-limit optimistic-filtering-threshold db-connections ' +
      'db-latency-metering db-prune-interval',
    genesis: 'genesis-time genesis-extra-data',
    smeshing: 'smeshing-start smeshing-coinbase',
    'smeshing.smeshing-opts':
      'smeshing-opts-datadir smeshing-opts-numunits smeshing-opts-maxfilesize smeshing-opts-provider smeshing-opts-throttle',
    'smeshing.smeshing-proving-opts':
      'smeshing-opts-proving-threads smeshing-opts-proving-nonces smeshing-opts-proving-randomx-mode',
    'smeshing.smeshing-verifying-opts':
      'smeshing-opts-verifying-disable smeshing-opts-verifying-min-workers smeshing-opts-verifying-workers ' +
      'smeshing-opts-verifying-powflags',
    poet: 'phase-shift cycle-gap grace-period poet-request-timeout',
    api:
      'grpc-public-listener grpc-private-listener grpc-post-listener grpc-json-listener grpc-tls-listener grpc-tls-services ' +
      'grpc-tls-cert grpc-tls-key grpc-recv-msg-size grpc-send-msg-size',
    p2p:
      'listen flood disable-natport disable-reuseport p2p-metrics low-peers high-peers min-peers bootnodes ping-peers ' +
      'static-relays advertise-address p2p-bootnode p2p-private-network enable-quic-transport enable-tcp-transport',
    logging: 'log-encoder',
    recovery: 'recovery-uri recovery-layer',
    bootstrap: 'bootstrap-url bootstrap-version',
    post: 'post-labels-per-unit post-min-numunits post-max-numunits post-k1 post-k2 post-k3 post-pow-difficulty',
  }).flatMap(([section, names]) => names.split(' ').map((name) => [name, `${section}.${name}`])),
);

const SPECIAL: Readonly<Record<string, string>> = {
  preset: 'preset',
  'gprc-tls-ca-cert': 'api.grpc-tls-ca-cert',
  'peersync-disable': 'time.peersync.disable',
};

const SWITCHES = new Set([
  ...[
    'smeshing-start',
    'metrics',
    'pprof-server',
    'flood',
    'disable-natport',
    'disable-reuseport',
    'p2p-metrics',
  ],
  ...[
    'p2p-bootnode',
    'p2p-private-network',
    'enable-quic-transport',
    'enable-tcp-transport',
    'peersync-disable',
  ],
  ...['smeshing-opts-verifying-disable', 'db-latency-metering', 'help'],
]);

const LISTS = new Set(['listen', 'bootnodes', 'ping-peers', 'static-relays', 'advertise-address']);

const FLAGS: FlagSpec = {
  known: new Set(
    ['config', ...Object.keys(PLACES), ...Object.keys(SPECIAL)].filter((name) => !SWITCHES.has(name)),
  ),
  switches: SWITCHES,
  short: { c: 'config', p: 'preset', d: 'data-folder', h: 'help' },
};

export interface NodeFlags {
  readonly config: string | undefined;
  /** What the flags say, as a configuration: it goes before the file (spacemesh.md §1.1). */
  readonly tree: Tree;
  readonly unknown: readonly { readonly flag: string; readonly value: string }[];
}

export function readNodeFlags(words: readonly string[]): NodeFlags {
  const { values, unknown } = parseFlags(words, FLAGS);
  let tree: Tree = {};
  for (const [name, value] of values) {
    const place = SPECIAL[name] ?? PLACES[name];
    if (place !== undefined) tree = put(tree, place.split('.'), flagContent(name, value));
  }
  return { config: values.get('config'), tree, unknown };
}

function flagContent(name: string, text: string): unknown {
  if (SWITCHES.has(name)) return text !== 'false';
  if (LISTS.has(name)) return text.split(',');
  if (name === 'poet-servers') return parseJson(text) ?? text;
  return /^\d{1,15}$/.test(text) && !/extra-data|difficulty/.test(name) ? Number(text) : text;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The node reads keys in any case (spacemesh.md §1.1). */
export function lowerKeys(value: unknown): unknown {
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key.toLowerCase(), lowerKeys(entry)]),
  );
}

export function at(tree: Tree, path: string): unknown {
  let value: unknown = tree;
  for (const part of path.split('.')) value = isMapping(value) ? value[part] : undefined;
  return value;
}

function put(tree: Tree, [key = '', ...rest]: readonly string[], value: unknown): Tree {
  if (rest.length === 0) return { ...tree, [key]: value };
  const below = tree[key];
  return { ...tree, [key]: put(isMapping(below) ? below : {}, rest, value) };
}

/** Without the value at a path, and without sections that are empty then. */
export function without(tree: Tree, path: string): Tree {
  const [key = '', ...rest] = path.split('.');
  const { [key]: present, ...others } = tree;
  if (rest.length === 0 || !isMapping(present)) return rest.length === 0 ? others : tree;
  const below = without(present, rest.join('.'));
  return Object.keys(below).length === 0 ? others : { ...tree, [key]: below };
}
