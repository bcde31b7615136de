import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/clock/index.ts';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { DEFAULT_SCHEDULE } from '../../../src/domain/project/defaults.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import type { ObservePorts } from '../../../src/usecases/observe/question.ts';
import { observeProject } from '../../../src/usecases/observe.ts';

const TIMEOUT = 150;
const never = () => new Promise<never>(() => {});

const ids = [1, 2, 3].map((index) => parseSmesherId(String(index).repeat(64)) as SmesherId);

const settings = {
  image: 'x',
  nonces: 128,
  threads: 1,
  randomx: 'fast',
  memory: '3g',
  log: 'info',
} as const;

const project: Project = {
  version: 1,
  name: 'smesh',
  network: MAINNET,
  coinbase: 'sm1',
  node: { image: 'x', data: '/nd', ports: { p2p: 1, publicApi: 2, privateApi: 3 }, config: {} },
  poet: defaultPoet(MAINNET),
  defaults: settings,
  identities: ids.map((id, index) => ({ ...settings, id, name: `post-${index}`, data: `/d${index}` })),
  retired: [],
  schedule: DEFAULT_SCHEDULE,
};

function containerOf(service: string) {
  return {
    id: service,
    name: service,
    service,
    oneOff: false,
    labels: {},
    command: [],
    state: 'running',
    addresses: [{ network: 'n', networkId: 'n', ip: '172.18.0.9' }],
    ports: [],
  };
}

interface Faults {
  containers?: () => Promise<unknown>;
  status?: (container: string) => Promise<unknown>;
  snapshot?: () => Promise<unknown>;
  readText?: (path: string) => Promise<string>;
  database?: () => Promise<unknown>;
  logs?: () => AsyncIterable<unknown>;
}

/** Ports that answer at once, but for what a test breaks. Only error paths are tested so: see test/engine for the rest. */
function ports(faults: Faults): ObservePorts {
  const docker = {
    endpoint: 'unix:///x',
    containers:
      faults.containers ??
      (async () => [containerOf('node'), ...project.identities.map(({ name }) => containerOf(name))]),
    logs: faults.logs ?? async function* () {},
  };
  return {
    files: {
      freeBytes: async () => 2 ** 40,
      realPath: async (path: string) => path,
      readText: faults.readText ?? (async () => '{}'),
    },
    scanner: async () => ({ diskNames: () => new Map() }),
    docker: async () => docker,
    nodeApi: async () => ({ snapshot: faults.snapshot ?? (async () => ({ postStates: { ok: false } })) }),
    postApi: async () => ({
      status: ({ containerId }: { containerId: string }) =>
        faults.status?.(containerId) ?? Promise.resolve({ kind: 'idle' }),
    }),
    localDatabase: async () => ({ read: faults.database ?? (async () => ({ kind: 'absent' })) }),
  } as unknown as ObservePorts;
}

async function timed(faults: Faults) {
  const started = performance.now();
  const observation = await observeProject(ports(faults), project, systemClock, { timeoutMs: TIMEOUT });
  return { observation, took: performance.now() - started };
}

describe('one look at a project', () => {
  it('is not held up by a dead share, and calls its data unknown', async () => {
    const { observation, took } = await timed({
      readText: (path) => (path.startsWith('/d1') ? never() : Promise.resolve('{}')),
    });
    expect(observation.identities.map(({ data }) => data)).toEqual(['present', 'unknown', 'present']);
    expect(took).toBeLessThan(4 * TIMEOUT);
  });

  it('looks at the container that runs where a service has two, and calls neither a stray', async () => {
    const labels = { 'io.smesh-compose.role': 'prover' };
    const stopped = { ...containerOf('post-0'), id: 'old', labels, state: 'exited' };
    const running = { ...containerOf('post-0'), id: 'new', labels };
    const gone = { ...containerOf('post-9'), labels };
    const { observation } = await timed({ containers: async () => [stopped, running, gone] });
    expect(observation.identities[0]?.container?.id).toBe('new');
    expect(observation.strays.map(({ service }) => service)).toEqual(['post-9']);
  });

  it('is not held up by a hanging database or engine', async () => {
    const hanging = await timed({ database: never, containers: never });
    expect(hanging.observation.localDatabase.kind).toBe('unknown');
    expect(hanging.observation.engineFault?.code).toBe('engine-silent');
    expect(hanging.observation.identities.map(({ service }) => service)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(hanging.took).toBeLessThan(10 * TIMEOUT);
  });

  it('takes a log that ends in the middle for none', async () => {
    const { observation } = await timed({
      status: async () => ({ kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 }),
      logs: async function* () {
        yield { text: '[2026-11-22T20:00:00Z INFO  post::prove] started reading POST data' };
        await never();
      },
    });
    expect(observation.identities.map(({ log }) => log)).toEqual([undefined, undefined, undefined]);
  });

  it('tells missing from unreadable data', async () => {
    const { observation } = await timed({
      readText: (path) => {
        const code = path.startsWith('/d0') ? 'ENOENT' : path.startsWith('/d1') ? 'EACCES' : 'EIO';
        return Promise.reject(Object.assign(new Error(code), { code }));
      },
    });
    expect(observation.identities.map(({ data }) => data)).toEqual(['absent', 'unreadable', 'unknown']);
  });

  it('asks the node, but no container, when the engine is away; a bug is no fault of the engine', async () => {
    const down = new SmeshError('engine-down', ExitCode.environment, 'down');
    const { observation } = await timed({ containers: () => Promise.reject(down) });
    expect(observation.engineFault).toBe(down);
    expect(observation.node.answers).toBeDefined();
    await expect(timed({ containers: () => Promise.reject(new TypeError('bug')) })).rejects.toThrow('bug');
  });

  it('does not ask a node whose container is down: whoever answers there is somebody else', async () => {
    const { observation } = await timed({
      containers: async () => [{ ...containerOf('node'), state: 'exited' }],
    });
    expect(observation.node.answers).toBeUndefined();
  });
});
