import { isMapping } from '../is-mapping.ts';
import { formatGoDuration } from '../project/duration.ts';
import type { Network, NetworkPost, PoetSettings, Project } from '../project/types.ts';
import { defaultPoet, STANDALONE_PRESET } from './networks.ts';

type JsonObject = { readonly [key: string]: unknown };

/** Ports inside the node's container; provers reach the last one by the service's name. */
export const NODE_PORTS = { publicApi: 9092, privateApi: 9093, post: 9094 } as const;

/** Where the node's container finds its data folder and its configuration. */
export const NODE_DATA_FOLDER = '/data';

/** What go-spacemesh listens on for other nodes unless told otherwise (spacemesh.md §1.2, §1.3). */
const DEFAULT_P2P_PORT = { mainnet: 7513, testnet: 7513, standalone: 17_513 } as const;

/**
 * The node's own list for the private listener plus postInfo: PostStates can then be asked on 127.0.0.1:9093, and 9094,
 * where anybody could register as a post-service, need not be published (spacemesh.md §14.2). A list replaces the
 * default whole, so all of it stands here.
 */
const PRIVATE_SERVICES: readonly string[] = [
  'admin',
  'smesher',
  'debug',
  'activation_stream_v2alpha1',
  'reward_stream_v2alpha1',
  'layer_stream_v2alpha1',
  'transaction_stream_v2alpha1',
  'malfeasance_stream_v2alpha1',
  'postInfo',
];

/**
 * Overrides win: mappings key by key without regard to case (the node reads keys so, and two spellings of one key would
 * be decided by chance), lists and everything else whole (spacemesh.md §1.1).
 */
export function mergeConfig(base: JsonObject, overrides: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...base };
  const keys = new Map(Object.keys(base).map((key) => [key.toLowerCase(), key]));
  for (const [written, value] of Object.entries(overrides)) {
    const key = keys.get(written.toLowerCase()) ?? written;
    const present = merged[key];
    merged[key] = isMapping(present) && isMapping(value) ? mergeConfig(present, value) : value;
  }
  return merged;
}

/** Only what differs from the preset: a value written down twice could one day contradict it. */
function networkConfig(network: Network): JsonObject {
  switch (network.name) {
    case 'mainnet':
      return {};
    case 'testnet':
      return { preset: 'testnet' };
    case 'standalone':
      return standaloneConfig(network);
  }
}

const POST_KEYS = {
  labelsPerUnit: 'post-labels-per-unit',
  minUnits: 'post-min-numunits',
  maxUnits: 'post-max-numunits',
  k1: 'post-k1',
  k2: 'post-k2',
  k3: 'post-k3',
  powDifficulty: 'post-pow-difficulty',
} as const satisfies Partial<Record<keyof NetworkPost, string>>;

function standaloneConfig(network: Network): JsonObject {
  const { post: preset } = STANDALONE_PRESET;
  const { scrypt } = network.post;
  const sameScrypt = Object.entries(preset.scrypt).every(
    ([key, value]) => scrypt[key as keyof typeof scrypt] === value,
  );
  const post = Object.entries(POST_KEYS)
    .map(([field, key]) => ({ key, own: network.post[field as keyof typeof POST_KEYS], field }))
    .filter(({ own, field }) => own !== preset[field as keyof typeof POST_KEYS])
    .map(({ key, own }) => [key, own]);
  return {
    preset: 'standalone',
    genesis: { 'genesis-time': network.genesisTime },
    main: {
      'layer-duration': formatGoDuration(network.layerSeconds),
      'layers-per-epoch': network.layersPerEpoch,
      // With the preset's true the node starts a PoET of its own and wants no other in the list.
      ...(network.externalPoets === true ? { standalone: false } : {}),
    },
    ...(post.length === 0 ? {} : { post: Object.fromEntries(post) as JsonObject }),
    ...(sameScrypt ? {} : { smeshing: { 'smeshing-opts': { 'smeshing-opts-scrypt': { ...scrypt } } } }),
  };
}

const POET_KEYS = {
  phaseShift: 'phase-shift',
  cycleGap: 'cycle-gap',
  gracePeriod: 'grace-period',
  positioningAtxTimeout: 'positioning-atx-selection-timeout',
  retryDelay: 'retry-delay',
  requestTimeout: 'poet-request-timeout',
} as const satisfies Partial<Record<keyof PoetSettings, string>>;

function poetConfig(project: Project): JsonObject {
  const own = project.poet;
  const preset = defaultPoet(project.network);
  const config: Record<string, unknown> = {};
  for (const [field, key] of Object.entries(POET_KEYS) as [keyof typeof POET_KEYS, string][]) {
    if (own[field] !== preset[field]) config[key] = formatGoDuration(own[field]);
  }
  if (own.retryMax !== preset.retryMax) config['retry-max'] = own.retryMax;
  return config;
}

/** The configuration that go-spacemesh is started with, before it becomes text (design §5; spacemesh.md §1.2, §10, §14.2). */
export function buildNodeConfig(project: Project): JsonObject {
  const { network, poet, node, coinbase } = project;
  const poetSection = poetConfig(project);
  const required: JsonObject = {
    main: {
      'data-folder': NODE_DATA_FOLDER,
      // Inside the data folder, so that a second container on the same folder is refused: /tmp is each one's own.
      filelock: `${NODE_DATA_FOLDER}/LOCK`,
      'poet-servers': poet.servers.map(({ address, pubkey }) => ({ address, pubkey })),
    },
    smeshing: { 'smeshing-start': false, 'smeshing-coinbase': coinbase },
    ...(Object.keys(poetSection).length === 0 ? {} : { poet: poetSection }),
    api: {
      'grpc-public-listener': `0.0.0.0:${NODE_PORTS.publicApi}`,
      'grpc-private-listener': `0.0.0.0:${NODE_PORTS.privateApi}`,
      'grpc-post-listener': `0.0.0.0:${NODE_PORTS.post}`,
      privateservices: PRIVATE_SERVICES,
    },
    // The node tells others the port it listens on, so inside and outside must be the same.
    ...(node.ports.p2p === DEFAULT_P2P_PORT[network.name]
      ? {}
      : { p2p: { listen: `/ip4/0.0.0.0/tcp/${node.ports.p2p}` } }),
  };
  return mergeConfig(mergeConfig(networkConfig(network), required), node.config);
}

/** `node/config.json`: deterministic, keys in a fixed order, ends with a line break. */
export function nodeConfigText(project: Project): string {
  return `${JSON.stringify(buildNodeConfig(project), null, 2)}\n`;
}

/**
 * Flags that a post-service needs beside its own settings, because it knows only mainnet's parameters
 * (spacemesh.md §3.1, hazard 17). Empty on mainnet.
 */
export function proverNetworkFlags(network: Network): readonly string[] {
  if (network.name === 'mainnet') return [];
  const { minUnits, maxUnits, k1, k2, powDifficulty, scrypt } = network.post;
  return [
    ...['--min-num-units', `${minUnits}`, '--max-num-units', `${maxUnits}`],
    ...['--k1', `${k1}`, '--k2', `${k2}`, '--pow-difficulty', powDifficulty],
    ...['-n', `${scrypt.n}`, '-r', `${scrypt.r}`, '-p', `${scrypt.p}`],
  ];
}
