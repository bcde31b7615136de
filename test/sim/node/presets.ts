/** The values that the node starts from, by network (spacemesh.md §1.2 and §1.3). Durations in milliseconds. */
import { join } from 'node:path';
import type { Tree } from './config-decode.ts';
import { parseDuration as d } from './go-text.ts';

const anyWork = 'ff'.repeat(32);

function mainnet(home: string): Tree {
  return {
    preset: '',
    main: {
      'data-folder': join(home, 'spacemesh'),
      filelock: '/tmp/spacemesh.lock',
      'layer-duration': d('5m'),
      'layers-per-epoch': 4032,
      'tick-size': 9331200,
      'network-hrp': 'sm',
      standalone: false,
      metrics: false,
      'metrics-port': 1010,
      'db-allow-schema-drift': false,
      'poet-servers': [
        {
          address: 'https://mainnet-poet-0.spacemesh.network',
          pubkey: 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=',
        },
        {
          address: 'https://mainnet-poet-1.spacemesh.network',
          pubkey: 'Qh1efxY4YhoYBEXKPTiHJ/a7n1GsllRSyweQKO3j7m0=',
        },
        {
          address: 'https://poet-110.spacemesh.network',
          pubkey: '8Qqgid+37eyY7ik+EA47Nd5TrQjXolbv2Mdgir243No=',
        },
        {
          address: 'https://poet-111.spacemesh.network',
          pubkey: 'caIV0Ym59L3RqbVAL6UrCPwr+z+lwe2TBj57QWnAgtM=',
        },
        {
          address: 'https://poet-112.spacemesh.network',
          pubkey: '5p/mPvmqhwdvf8U0GVrNq/9IN/HmZj5hCkFLAN04g1E=',
        },
      ],
    },
    genesis: {
      'genesis-time': '2023-07-14T08:00:00Z',
      'genesis-extra-data': '00000000000000000001a6bc150307b5c1998045752b3c87eccf3c013036f3cc',
    },
    api: {
      'grpc-public-listener': '0.0.0.0:9092',
      'grpc-private-listener': '127.0.0.1:9093',
      'grpc-post-listener': '127.0.0.1:0',
      'grpc-tls-listener': '',
      'grpc-json-listener': '',
      'grpc-tls-services': ['post', 'postInfo'],
      publicservices: [
        ...['global', 'mesh', 'transaction', 'node', 'activation', 'activation_v2alpha1', 'reward_v2alpha1'],
        ...[
          'network_v2alpha1',
          'node_v2alpha1',
          'layer_v2alpha1',
          'transaction_v2alpha1',
          'account_v2alpha1',
        ],
        'malfeasance_v2alpha1',
      ],
      privateservices: [
        ...['admin', 'smesher', 'debug', 'activation_stream_v2alpha1', 'reward_stream_v2alpha1'],
        ...['layer_stream_v2alpha1', 'transaction_stream_v2alpha1', 'malfeasance_stream_v2alpha1'],
      ],
      postservices: ['post', 'postInfo'],
    },
    smeshing: { 'smeshing-start': false, 'smeshing-coinbase': '' },
    post: {
      'post-min-numunits': 4,
      'post-max-numunits': 4294967295,
      'post-labels-per-unit': 4294967296,
      'post-k1': 26,
      'post-k2': 37,
      'post-k3': 1,
      'post-pow-difficulty': `000dfb23b0979b4b${'0'.repeat(48)}`,
    },
    poet: {
      'phase-shift': d('240h'),
      'cycle-gap': d('12h'),
      'grace-period': d('1h'),
      'positioning-atx-selection-timeout': d('50m'),
      'retry-delay': d('10s'),
      'retry-max': 10,
      'poet-request-timeout': d('1100s'),
    },
  };
}

const changes: Readonly<Record<string, (home: string) => Tree>> = {
  testnet: (home) => ({
    main: {
      'data-folder': join(home, 'spacemesh-testnet'),
      'layers-per-epoch': 288,
      'network-hrp': 'stest',
      'poet-servers': [],
    },
    genesis: {
      'genesis-time': '2023-09-13T18:00:00Z',
      'genesis-extra-data': '0000000000000000000000c76c58ebac180989673fd6d237b40e66ed5c976ec3',
    },
    post: { 'post-labels-per-unit': 1024, 'post-min-numunits': 2, 'post-pow-difficulty': anyWork },
    poet: {
      'phase-shift': d('12h'),
      'cycle-gap': d('2h'),
      'grace-period': d('10m'),
      'positioning-atx-selection-timeout': 0,
      'retry-delay': d('5s'),
      'retry-max': 10,
      'poet-request-timeout': d('550s'),
    },
  }),
  standalone: () => ({
    main: {
      'data-folder': '/tmp/spacemesh',
      filelock: '/tmp/spacemesh/LOCK',
      'layer-duration': d('6s'),
      'layers-per-epoch': 10,
      'network-hrp': 'standalone',
      standalone: true,
      'poet-servers': [{ address: 'http://127.0.0.1:10010', pubkey: '' }],
    },
    genesis: { 'genesis-time': '', 'genesis-extra-data': 'standalone' },
    api: { 'grpc-public-listener': '0.0.0.0:10092', 'grpc-private-listener': '127.0.0.1:10093' },
    smeshing: {
      'smeshing-start': true,
      'smeshing-coinbase': 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
    },
    post: {
      'post-labels-per-unit': 64,
      'post-min-numunits': 1,
      'post-max-numunits': 2,
      'post-k1': 12,
      'post-k2': 4,
      'post-pow-difficulty': anyWork,
    },
    poet: {
      'phase-shift': d('30s'),
      'cycle-gap': d('30s'),
      'grace-period': d('12s'),
      'positioning-atx-selection-timeout': d('8s'),
      'retry-delay': d('1s'),
      'retry-max': 3,
      'poet-request-timeout': d('12s'),
    },
  }),
  fastnet: () => ({
    main: { 'layer-duration': d('15s'), 'layers-per-epoch': 4, 'network-hrp': 'stest', 'poet-servers': [] },
    genesis: { 'genesis-time': '', 'genesis-extra-data': 'fastnet' },
    smeshing: { 'smeshing-coinbase': 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa' },
    post: {
      'post-labels-per-unit': 128,
      'post-min-numunits': 2,
      'post-max-numunits': 4,
      'post-k1': 12,
      'post-k2': 4,
      'post-pow-difficulty': anyWork,
    },
    poet: {
      'phase-shift': d('30s'),
      'cycle-gap': d('30s'),
      'grace-period': d('10s'),
      'positioning-atx-selection-timeout': d('8s'),
      'retry-delay': d('1s'),
      'retry-max': 3,
      'poet-request-timeout': d('12s'),
    },
  }),
};

/** The starting values; without a name those of mainnet, which is no preset. @throws Error as the node words it */
export function presetValues(name: string, home: string): Tree {
  const base = mainnet(home);
  if (name === '') return base;
  const change = changes[name];
  if (change === undefined) {
    const options = Object.keys(changes).sort().join(' ');
    throw new Error(`preset ${name} is not registered. select one from the options [${options}]`);
  }
  for (const [section, values] of Object.entries(change(home))) {
    base[section] = { ...(base[section] as Tree), ...(values as Tree) };
  }
  base['preset'] = name;
  return base;
}
