import { MAINNET, STANDALONE_PRESET, standaloneNetwork, TESTNET } from '../node/networks.ts';
import { parseGoDuration } from '../project/duration.ts';
import type { NewProject } from '../project/new-project.ts';
import type { Network, NetworkPost } from '../project/types.ts';
import { at, type Tree } from './node-flags.ts';

export type NetworkReading =
  | { readonly ok: true; readonly network: Network; readonly written: NewProject['network'] }
  | { readonly ok: false; readonly why: string };

const POST = {
  labelsPerUnit: 'post.post-labels-per-unit',
  minUnits: 'post.post-min-numunits',
  maxUnits: 'post.post-max-numunits',
  k1: 'post.post-k1',
  k2: 'post.post-k2',
  k3: 'post.post-k3',
  powDifficulty: 'post.post-pow-difficulty',
} as const satisfies Partial<Record<keyof NetworkPost, string>>;

const SCRYPT = 'smeshing.smeshing-opts.smeshing-opts-scrypt';

/** Keys of a node's configuration that say which network it is; none of them may stand under `node.config`. */
export const NETWORK_KEYS: readonly string[] = [
  ...[
    'preset',
    'genesis.genesis-time',
    'genesis.genesis-extra-data',
    'main.layer-duration',
    'main.layers-per-epoch',
  ],
  ...['main.network-hrp', 'main.standalone', SCRYPT, 'post'],
];

/**
 * The network of a node by its whole configuration (spacemesh.md §1.3). Only those that smesh.yaml can name; one that
 * differs in a single value is another network, and its provers would make invalid proofs.
 */
export function readNetwork(config: Tree, environment: Readonly<Record<string, string>>): NetworkReading {
  const preset = String(at(config, 'preset') ?? '').toLowerCase();
  if (preset === '' || preset === 'testnet') {
    const network = preset === '' ? MAINNET : TESTNET;
    const differs = difference(config, network);
    if (differs !== undefined)
      return { ok: false, why: `${differs} is not what ${network.name} has: it is a network of its own` };
    return { ok: true, network, written: preset === '' ? 'mainnet' : 'testnet' };
  }
  if (preset === 'standalone') return readStandalone(config, environment);
  return {
    ok: false,
    why: `the preset ${preset} cannot be said in smesh.yaml (mainnet, testnet, standalone)`,
  };
}

function difference(config: Tree, network: Network): string | undefined {
  const time = at(config, 'genesis.genesis-time');
  if (time !== undefined && Date.parse(String(time)) !== Date.parse(network.genesisTime))
    return `genesis.genesis-time ${time}`;
  const layer = at(config, 'main.layer-duration');
  const own: readonly (readonly [string, unknown])[] = [
    ['genesis.genesis-extra-data', network.genesisExtraData],
    ['main.layers-per-epoch', network.layersPerEpoch],
    ...Object.entries(POST).map(([key, path]) => [path, network.post[key as keyof typeof POST]] as const),
  ];
  const found = own.find(([path, value]) => {
    const said = at(config, path);
    return said !== undefined && String(said).toLowerCase() !== String(value);
  });
  if (found !== undefined) return `${found[0]} ${JSON.stringify(at(config, found[0]))}`;
  if (layer !== undefined && parseGoDuration(String(layer)) !== network.layerSeconds)
    return `main.layer-duration ${layer}`;
  return undefined;
}

function readStandalone(config: Tree, environment: Readonly<Record<string, string>>): NetworkReading {
  const extra = at(config, 'genesis.genesis-extra-data');
  if (extra !== undefined && extra !== STANDALONE_PRESET.genesisExtraData)
    return { ok: false, why: `genesis.genesis-extra-data of a private network cannot be said in smesh.yaml` };
  const time = Date.parse(String(at(config, 'genesis.genesis-time') ?? ''));
  if (Number.isNaN(time)) return { ok: false, why: 'a private network without genesis.genesis-time' };
  const poetPrivateKey = environment['POET_PRIVATE_KEY'];
  if (poetPrivateKey === undefined || poetPrivateKey === '')
    return {
      ok: false,
      why: 'a private network whose node has no POET_PRIVATE_KEY: its PoET has another key after each start',
    };
  const layer = at(config, 'main.layer-duration');
  const layersPerEpoch = at(config, 'main.layers-per-epoch');
  const layerSeconds = layer === undefined ? undefined : parseGoDuration(String(layer));
  const post = readPost(config);
  const written = {
    genesisTime: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    poetPrivateKey,
    ...(layerSeconds === undefined || layerSeconds === STANDALONE_PRESET.layerSeconds
      ? {}
      : { layerSeconds }),
    ...(layersPerEpoch === undefined || Number(layersPerEpoch) === STANDALONE_PRESET.layersPerEpoch
      ? {}
      : { layersPerEpoch: Number(layersPerEpoch) }),
    ...(Object.keys(post).length === 0 ? {} : { post }),
  };
  return { ok: true, network: standaloneNetwork(written), written };
}

function readPost(config: Tree): Partial<NetworkPost> {
  const preset = STANDALONE_PRESET.post;
  const found = Object.entries(POST).flatMap(([key, path]) => {
    const said = at(config, path);
    if (said === undefined) return [];
    const value = key === 'powDifficulty' ? String(said).toLowerCase() : Number(said);
    return value === preset[key as keyof typeof POST] ? [] : [[key, value] as const];
  });
  const scrypt = at(config, SCRYPT) as { n?: number; r?: number; p?: number } | undefined;
  const whole = { ...preset.scrypt, ...scrypt };
  const same = whole.n === preset.scrypt.n && whole.r === preset.scrypt.r && whole.p === preset.scrypt.p;
  return { ...Object.fromEntries(found), ...(same ? {} : { scrypt: whole }) };
}
