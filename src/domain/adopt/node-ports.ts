import { DEFAULT_PORTS } from '../project/defaults.ts';
import type { Network, NodePorts } from '../project/types.ts';
import type { FoundProgram, NotExpressible } from './found.ts';
import { at, type Tree } from './node-flags.ts';

export interface PortsReading {
  /** Only what differs from the defaults. */
  readonly ports: { -readonly [K in keyof NodePorts]?: number };
  readonly left: readonly NotExpressible[];
  /** `p2p.listen` says no more than the port. */
  readonly listenIsSaid: boolean;
}

/** What go-spacemesh listens on unless told otherwise (spacemesh.md §1.2, §1.3). */
const LISTENERS = {
  mainnet: { p2p: 7513, publicApi: 9092, privateApi: 9093 },
  testnet: { p2p: 7513, publicApi: 9092, privateApi: 9093 },
  standalone: { p2p: 17_513, publicApi: 10_092, privateApi: 10_093 },
} as const;

/** Ports on the host of the two APIs and of the node itself; all others are left. */
export function readPorts(program: FoundProgram, config: Tree, network: Network): PortsReading {
  const usual = LISTENERS[network.name];
  const listen = at(config, 'p2p.listen');
  const addresses: readonly unknown[] = Array.isArray(listen) ? listen : listen === undefined ? [] : [listen];
  const plain = addresses.map((one) => /^\/ip4\/0\.0\.0\.0\/tcp\/(\d+)$/.exec(String(one))?.[1]);
  const listenIsSaid = addresses.length <= 1 && plain.every((port) => port !== undefined);
  const inside = {
    p2p: Number(plain[0] ?? usual.p2p),
    publicApi: portOf(at(config, 'api.grpc-public-listener')) ?? usual.publicApi,
    privateApi: portOf(at(config, 'api.grpc-private-listener')) ?? usual.privateApi,
  };
  const left: NotExpressible[] = [];
  const leave = (value: string, meaning: string) =>
    left.push({ service: program.name, key: 'port', value, meaning });
  const isProcess = program.hostNetwork || program.image === undefined;
  const published = (port: number) =>
    isProcess ? port : program.ports.find(({ containerPort }) => containerPort === port)?.hostPort;
  const ports: PortsReading['ports'] = {};
  const p2p = published(inside.p2p);
  // The node tells others the port it listens on: in this project both are the same.
  if (p2p !== undefined && p2p !== inside.p2p)
    leave(`${p2p}:${inside.p2p}`, `becomes ${p2p}:${p2p}: the node tells others the port that it listens on`);
  if (p2p === undefined)
    leave('(none for other nodes)', `${inside.p2p} is published here, so that others can reach the node`);
  const chosen = {
    p2p: p2p ?? inside.p2p,
    publicApi: published(inside.publicApi),
    privateApi: published(inside.privateApi),
  };
  for (const key of ['p2p', 'publicApi', 'privateApi'] as const) {
    const port = chosen[key];
    if (port !== undefined && port !== DEFAULT_PORTS[key]) ports[key] = port;
  }
  const known = new Set<number>(Object.values(inside));
  for (const { containerPort, hostPort, hostAddress } of program.ports) {
    if (!known.has(containerPort)) leave(`${hostPort}:${containerPort}`, meaningOf(config, containerPort));
    else if (containerPort !== inside.p2p && !['127.0.0.1', '::1'].includes(hostAddress))
      leave(
        `${hostAddress}:${hostPort}:${containerPort}`,
        'becomes 127.0.0.1 only: whoever reaches it commands the node',
      );
  }
  // `docker inspect` has one entry per address family.
  const seen = new Set<string>();
  return {
    ports,
    listenIsSaid,
    left: left.filter(({ value, meaning }) => {
      const text = `${value.replace(/^(::|0\.0\.0\.0):/, '')} ${meaning}`;
      return !seen.has(text) && seen.add(text) !== undefined;
    }),
  };
}

function portOf(listener: unknown): number | undefined {
  const port = /:(\d+)$/.exec(String(listener ?? ''))?.[1];
  return port === undefined || port === '0' ? undefined : Number(port);
}

function meaningOf(config: Tree, port: number): string {
  if (portOf(at(config, 'api.grpc-post-listener')) === port)
    return 'not published: provers reach it inside the project. One on another host needs TLS and compose.override.yaml';
  return 'not published; compose.override.yaml can say it';
}
