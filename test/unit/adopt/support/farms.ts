import { requireProject } from '../../../../src/domain/project/parse.ts';
import { COINBASE, type Host, type Report } from './run-adopt.ts';

export const NODE = 'spacemeshos/go-spacemesh:v1.7.6';
export const PROVER = 'spacemeshos/post-service:v0.8.5';

export const mainnetConfig = {
  main: { 'poet-servers': [{ address: 'https://mainnet-poet-0.spacemesh.network' }], metrics: true },
  poet: { 'phase-shift': '288h', 'cycle-gap': '24h', 'grace-period': '2h' },
  smeshing: { 'smeshing-coinbase': COINBASE, 'smeshing-opts': { 'smeshing-opts-numunits': 4 } },
  api: { 'grpc-post-listener': '0.0.0.0:9094', 'grpc-private-listener': '0.0.0.0:9093' },
  p2p: { listen: '/ip4/0.0.0.0/tcp/7700' },
};

export const modelOf = (host: Host, report: Report, folder: string) =>
  requireProject(report.text, { directory: host.path(folder) }).project;

/** A node and two provers made by `docker run`, as the guide of a scheduler has them. */
export function dockerRunFarm(host: Host) {
  host.write('node-01/config.mainnet.json', mainnetConfig);
  host.container('smh-node-01', {
    image: NODE,
    command: ['/bin/go-spacemesh', '--config', '/root/config.mainnet.json', '-d', '/root/data'],
    mounts: [host.bind('node-01', '/root'), host.bind('node-01/data', '/root/data')],
    ports: [
      { containerPort: 7700, protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 7700 },
      { containerPort: 7700, protocol: 'tcp', hostAddress: '::', hostPort: 7700 },
    ],
  });
  return ['01', '02'].map((number) => {
    const identity = host.identity(`mnt/post-${number}`, 'node-01/data');
    host.container(
      `smh-post-${number}`,
      {
        image: 'spacemeshos/post-service:latest',
        imageId: 'sha256:prover',
        command: [
          ...['/usr/local/bin/post-service', '--dir', '/root/post', '--address', 'http://smh-node-01:9094'],
          ...[
            '--operator-address',
            '0.0.0.0:9100',
            '--threads',
            '0',
            '--nonces',
            '288',
            '--randomx-mode',
            'fast',
          ],
        ],
        mounts: [host.bind(`mnt/post-${number}`, '/root/post')],
        addresses: [{ network: 'spacemesh', networkId: 'n', ip: `172.20.0.1${number.slice(1)}` }],
      },
      { TZ: 'UTC', PATH: '/bin' },
    );
    return identity;
  });
}
