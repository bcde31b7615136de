import { blake3 } from '@noble/hashes/blake3.js';
import type { Network, NetworkName, NetworkPost, PoetServer, PoetSettings } from '../project/types.ts';

const MAINNET_POST: NetworkPost = {
  labelsPerUnit: 4_294_967_296,
  minUnits: 4,
  maxUnits: 4_294_967_295,
  k1: 26,
  k2: 37,
  k3: 1,
  powDifficulty: '000dfb23b0979b4b000000000000000000000000000000000000000000000000',
  scrypt: { n: 8192, r: 1, p: 1 },
};

/** The public network. It is what go-spacemesh runs when no preset is named (spacemesh.md §1.1, §1.3). */
export const MAINNET: Network = {
  name: 'mainnet',
  hrp: 'sm',
  genesisTime: '2023-07-14T08:00:00Z',
  genesisExtraData: '00000000000000000001a6bc150307b5c1998045752b3c87eccf3c013036f3cc',
  layerSeconds: 300,
  layersPerEpoch: 4032,
  post: MAINNET_POST,
};

/** spacemesh.md §1.3, preset `testnet`. */
export const TESTNET: Network = {
  name: 'testnet',
  hrp: 'stest',
  genesisTime: '2023-09-13T18:00:00Z',
  genesisExtraData: '0000000000000000000000c76c58ebac180989673fd6d237b40e66ed5c976ec3',
  layerSeconds: 300,
  layersPerEpoch: 288,
  post: { ...MAINNET_POST, labelsPerUnit: 1024, minUnits: 2, powDifficulty: 'f'.repeat(64) },
};

/** What a private network may set apart from the preset `standalone`. */
export interface StandaloneSettings {
  /** RFC 3339, whole seconds; a little in the future at the node's first start. */
  readonly genesisTime: string;
  /** base64 of the 64 bytes seed||public key of the in-process PoET (spacemesh.md §10). */
  readonly poetPrivateKey: string;
  /** The node runs no PoET of its own: `main.standalone: false` (spacemesh.md §10). */
  readonly externalPoets?: true;
  readonly layerSeconds?: number;
  readonly layersPerEpoch?: number;
  readonly post?: Partial<NetworkPost>;
}

/** The preset's own values (spacemesh.md §1.3); `standaloneNetwork` adds what every private network has to choose. */
export const STANDALONE_PRESET = {
  name: 'standalone',
  hrp: 'standalone',
  genesisExtraData: 'standalone',
  layerSeconds: 6,
  layersPerEpoch: 10,
  post: {
    labelsPerUnit: 64,
    minUnits: 1,
    maxUnits: 2,
    k1: 12,
    k2: 4,
    k3: 1,
    powDifficulty: 'f'.repeat(64),
    scrypt: { n: 8192, r: 1, p: 1 },
  },
} as const satisfies Omit<Network, 'genesisTime' | 'poetPrivateKey'>;

/** A private one-node network with its own genesis (spacemesh.md §10). */
export function standaloneNetwork(settings: StandaloneSettings): Network {
  return {
    ...STANDALONE_PRESET,
    genesisTime: settings.genesisTime,
    layerSeconds: settings.layerSeconds ?? STANDALONE_PRESET.layerSeconds,
    layersPerEpoch: settings.layersPerEpoch ?? STANDALONE_PRESET.layersPerEpoch,
    post: { ...STANDALONE_PRESET.post, ...settings.post },
    poetPrivateKey: settings.poetPrivateKey,
    ...(settings.externalPoets === true ? { externalPoets: true } : {}),
  };
}

/** The five of go-spacemesh's mainnet configuration (spacemesh.md §1.4). */
export const MAINNET_POETS: readonly PoetServer[] = [
  {
    address: 'https://mainnet-poet-0.spacemesh.network',
    pubkey: 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=',
  },
  {
    address: 'https://mainnet-poet-1.spacemesh.network',
    pubkey: 'Qh1efxY4YhoYBEXKPTiHJ/a7n1GsllRSyweQKO3j7m0=',
  },
  { address: 'https://poet-110.spacemesh.network', pubkey: '8Qqgid+37eyY7ik+EA47Nd5TrQjXolbv2Mdgir243No=' },
  { address: 'https://poet-111.spacemesh.network', pubkey: 'caIV0Ym59L3RqbVAL6UrCPwr+z+lwe2TBj57QWnAgtM=' },
  { address: 'https://poet-112.spacemesh.network', pubkey: '5p/mPvmqhwdvf8U0GVrNq/9IN/HmZj5hCkFLAN04g1E=' },
];

/** Where the in-process PoET of a private network listens inside the node's container (spacemesh.md §10). */
export const IN_PROCESS_POET = 'http://127.0.0.1:10010';

/** Spellings under which it may stand in the list: the node takes each for a PoET of its own (spacemesh.md §14.7). */
export const IN_PROCESS_POETS: readonly string[] = [IN_PROCESS_POET, 'http://localhost:10010'];

/** Whether the node starts a PoET in its own process and takes exactly that one (spacemesh.md §10, §14.2). */
export function hasPoetInNode(network: Pick<Network, 'name' | 'externalPoets'>): boolean {
  return network.name === 'standalone' && network.externalPoets !== true;
}

/** The public half of a PoET key given as base64 of seed||public key; `undefined` when it is not 64 bytes. */
export function poetPublicKey(privateKey: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{86}==$/.test(privateKey)) return undefined;
  return Buffer.from(privateKey, 'base64').subarray(32).toString('base64');
}

const HOUR = 3600;

const POET_TIMES = {
  mainnet: {
    phaseShift: 240 * HOUR,
    cycleGap: 12 * HOUR,
    gracePeriod: HOUR,
    positioningAtxTimeout: 50 * 60,
    retryDelay: 10,
    retryMax: 10,
    requestTimeout: 1100,
  },
  testnet: {
    phaseShift: 12 * HOUR,
    cycleGap: 2 * HOUR,
    gracePeriod: 600,
    positioningAtxTimeout: 0,
    retryDelay: 5,
    retryMax: 10,
    requestTimeout: 550,
  },
  standalone: {
    phaseShift: 30,
    cycleGap: 30,
    gracePeriod: 12,
    positioningAtxTimeout: 8,
    retryDelay: 1,
    retryMax: 3,
    requestTimeout: 12,
  },
} as const satisfies Record<NetworkName, Omit<PoetSettings, 'servers'>>;

/** What the node uses when nothing else is configured (spacemesh.md §1.3, §1.4). Testnet names no PoET of its own. */
export function defaultPoet(network: Network): PoetSettings {
  const times = POET_TIMES[network.name];
  switch (network.name) {
    case 'mainnet':
      return { ...times, servers: MAINNET_POETS };
    case 'testnet':
      return { ...times, servers: [] };
    case 'standalone': {
      if (network.externalPoets === true) return { ...times, servers: [] };
      const pubkey = poetPublicKey(network.poetPrivateKey ?? '');
      return { ...times, servers: pubkey === undefined ? [] : [{ address: IN_PROCESS_POET, pubkey }] };
    }
  }
}

/** Seconds since 1970 of the network's genesis. */
export function genesisSeconds(network: Network): number {
  return Date.parse(network.genesisTime) / 1000;
}

function genesisHash(network: Network): Uint8Array {
  return blake3(new TextEncoder().encode(`${genesisSeconds(network)}${network.genesisExtraData}`));
}

/**
 * The ATX that every network accepts as commitment, 64 hex digits: blake3 of the genesis time in decimal Unix seconds
 * followed by the extra data (spacemesh.md §2.2).
 */
export function goldenAtx(network: Network): string {
  return Buffer.from(genesisHash(network)).toString('hex');
}

/** The first 20 bytes of the golden ATX, 40 hex digits (spacemesh.md §2.2). */
export function genesisId(network: Network): string {
  return goldenAtx(network).slice(0, 40);
}

/** Bytes of one space unit: 16 per label (spacemesh.md §1.2). 64 GiB on mainnet. */
export function unitBytes(post: Pick<NetworkPost, 'labelsPerUnit'>): number {
  return post.labelsPerUnit * 16;
}

/** Whether a text is a genesis time as the node and this tool take it: UTC, whole seconds, `2030-01-01T00:00:00Z`. */
export function isGenesisTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
}
