import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { DEFAULT_SCHEDULE } from '../../../src/domain/project/defaults.ts';
import type { Identity, Project } from '../../../src/domain/project/types.ts';
import { readProofLog } from '../../../src/domain/proving/proof-log.ts';
import type { NodeSnapshot } from '../../../src/ports/node-api.ts';
import type { Observation, ObservedIdentity } from '../../../src/usecases/observe.ts';

/** Sun 22 Nov 2026, 3 h 12 m into the gap of epoch 87. */
export const NOW = Date.parse('2026-11-22T23:12:00Z');
export const HOUR = 3_600_000;
export const GIB = 2 ** 30;

export function smesher(index: number): SmesherId {
  return parseSmesherId(`${(index + 16).toString(16).padStart(8, '0')}${'ab'.repeat(28)}`) as SmesherId;
}

export function identity(index: number): Identity {
  return {
    id: smesher(index),
    name: `post-${String(index).padStart(4, '0')}`,
    data: `/mnt/d${index}/post`,
    image: 'spacemeshos/post-service:v0.8.5',
    nonces: 128,
    threads: 1,
    randomx: 'fast',
    memory: '3g',
    log: 'info,post::prove=debug',
  };
}

export function project(count: number): Project {
  const identities = Array.from({ length: count }, (_, index) => identity(index + 1));
  const { id: _id, name: _name, data: _data, ...defaults } = identity(0);
  return {
    version: 1,
    name: 'smesh',
    network: MAINNET,
    coinbase: 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
    node: {
      image: 'spacemeshos/go-spacemesh:v1.7.6',
      data: '/srv/smesh/node-data',
      ports: { p2p: 7513, publicApi: 9092, privateApi: 9093 },
      config: {},
    },
    poet: defaultPoet(MAINNET),
    defaults,
    identities,
    retired: [],
    schedule: DEFAULT_SCHEDULE,
  };
}

export function container(service: string, changes: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: service.padEnd(64, '0'),
    name: `smesh-${service}-1`,
    project: 'smesh',
    service,
    oneOff: false,
    labels: {},
    image: 'x',
    imageId: 'sha256:x',
    command: [],
    user: '',
    state: 'running',
    health: 'healthy',
    healthLog: [],
    oomKilled: false,
    restartCount: 0,
    createdAt: NOW - 300 * HOUR,
    startedAt: NOW - 288 * HOUR,
    mounts: [],
    ports: [],
    addresses: [],
    host: { cpuQuota: 0, cpuPeriod: 0 } as ObservedContainer['host'],
    ...changes,
  };
}

export const no = { ok: false, error: { kind: 'timeout', message: 'no answer within 2 s' } } as const;

export function yes<T>(value: T) {
  return { ok: true, value } as const;
}

export function snapshot(
  states: Record<number, 'idle' | 'proving'>,
  published: readonly number[] = [],
): NodeSnapshot {
  return {
    version: yes('v1.7.6'),
    status: yes({ peers: 38, synced: true, syncedLayer: 1, topLayer: 1, verifiedLayer: 1 }),
    network: no,
    currentLayer: yes(353_558),
    currentEpoch: yes(87),
    postStates: yes(
      Object.entries(states).map(([index, state]) => ({
        smesher: smesher(Number(index)),
        state,
        keyFile: 'x.key',
      })),
    ),
    smesherIds: yes([]),
    coinbase: yes('sm1'),
    events: yes([]),
    activations: yes(
      published.map((index) => ({
        atx: '00'.repeat(32),
        smesher: smesher(index),
        publishEpoch: 87,
        coinbase: 'sm1',
        units: 36,
      })),
    ),
  };
}

export function observed(index: number, changes: Partial<ObservedIdentity> = {}): ObservedIdentity {
  return {
    identity: identity(index),
    container: container(identity(index).name),
    data: 'present',
    disk: 'sda',
    units: 36,
    dataBytes: 36 * 64 * GIB,
    service: { kind: 'idle' },
    ...changes,
  };
}

export function observation(identities: readonly ObservedIdentity[], answers?: NodeSnapshot): Observation {
  return {
    at: NOW,
    node: { container: container('node'), ...(answers === undefined ? {} : { answers }) },
    identities,
    strays: [],
    localDatabase: { kind: 'unknown', reason: 'no SQLite' },
  };
}

export const view = { columns: 100, color: false, all: false, localOffsetMinutes: () => 60 };

export const begun = new Date(NOW - 2 * HOUR).toISOString().replace('.000Z', 'Z');
export const readingLog = readProofLog([
  `[${begun} INFO  post::prove] calculating proof of work for nonces 0..128`,
  `[${begun} INFO  post::prove] started reading POST data`,
]);
export const k2powLog = readProofLog([
  `[${begun} INFO  post::prove] calculating proof of work for nonces 0..128`,
  ...[0, 1, 2, 3, 4].map((group) => `[${begun} DEBUG post::prove] proof of work for nonce group ${group}: 7`),
]);
