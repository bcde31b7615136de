import { setImmediate as immediately } from 'node:timers/promises';
import { LABEL } from '../../../../src/domain/compose/labels.ts';
import { parseSmesherId, type SmesherId } from '../../../../src/domain/identity/smesher-id.ts';
import type { Context } from '../../../../src/usecases/context.ts';

export const IDS = [1, 2, 3].map((index) => parseSmesherId(String(index).repeat(64)) as SmesherId);

export const SMESH_YAML = `version: 1
name: smesh
network: mainnet
coinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y
identities:
${IDS.map((id, index) => `  - {id: '${id}', name: post-${index}, data: /d${index}}\n`).join('')}`;

export interface FakeContainer {
  readonly id: string;
  state: string;
  exitCode?: number;
  finishedAt?: number;
  startedAt?: number;
  host: { cpuQuota: number; cpuPeriod: number };
}

/** A project of three whose engine, node and services answer at once; only for error paths and long runs of the loop. */
export class FakeProject {
  now = Date.parse('2026-11-22T23:12:00Z');
  readonly files = new Map<string, string>([['/srv/smesh/smesh.yaml', SMESH_YAML]]);
  readonly containers = new Map<string, FakeContainer>();
  readonly status = new Map<string, unknown>();
  readonly calls: string[] = [];
  readonly said = { results: [] as string[], notes: [] as string[], warnings: [] as string[] };
  readonly ended = new AbortController();
  /** What a call rejects with, by its name. */
  readonly faults = new Map<string, Error>();
  /** Who holds a lock, by directory. */
  readonly locks = new Map<string, string>();
  wanted: 'proving' | 'idle' = 'proving';
  json = false;
  /** Keeps nothing of what is said and done. */
  quiet = false;

  constructor() {
    for (const name of ['node', 'post-0', 'post-1', 'post-2']) {
      this.containers.set(name, {
        ...{ id: name, state: 'running', startedAt: 1 },
        host: { cpuQuota: 0, cpuPeriod: 0 },
      });
    }
  }

  #do(call: string, ...words: readonly string[]): void {
    if (!this.quiet) this.calls.push([call, ...words].join(' '));
    const fault = this.faults.get(call);
    if (fault !== undefined) throw fault;
  }

  #observed(name: string) {
    const index = Number(name.split('-')[1]);
    const container = this.containers.get(name);
    const labels: Record<string, string> =
      name === 'node'
        ? { [LABEL.role]: 'node' }
        : { [LABEL.role]: 'prover', [LABEL.smesherId]: IDS[index] ?? '' };
    return {
      ...{ name, service: name, oneOff: false, labels, image: 'x', command: [], oomKilled: false },
      ...{ addresses: [{ network: 'n', networkId: 'n', ip: '172.18.0.9' }], ports: [], mounts: [] },
      ...structuredClone(container),
    };
  }

  context(): Context {
    const { files, faults, said } = this;
    const writes = () => {
      const fault = faults.get('write');
      if (fault !== undefined) throw fault;
    };
    const docker = {
      endpoint: 'unix:///x',
      engine: async () => ({ cpus: 4, memoryBytes: 2 ** 35, cpuQuotas: true }),
      containers: async () => {
        this.#do('containers');
        return [...this.containers.keys()].map((name) => this.#observed(name));
      },
      inspect: async (id: string) => (this.containers.has(id) ? this.#observed(id) : undefined),
      start: async (id: string) => {
        this.#do('start', id);
        this.containers.set(id, { ...this.#of(id), state: 'running', startedAt: this.now });
        return 'started';
      },
      stop: async (id: string) => {
        this.#do('stop', id);
        this.containers.set(id, { ...this.#of(id), state: 'exited', exitCode: 143, finishedAt: this.now });
        return 'stopped';
      },
      restart: async (id: string) => this.#do('restart', id),
      setCpuQuota: async (id: string, quota: 'none' | { quotaUs: number; periodUs: number }) => {
        this.#do('quota', id, quota === 'none' ? quota : `${quota.quotaUs}/${quota.periodUs}`);
        this.#of(id).host =
          quota === 'none'
            ? { cpuQuota: -1, cpuPeriod: 0 }
            : { cpuQuota: quota.quotaUs, cpuPeriod: quota.periodUs };
      },
      // As quiet as can be: ends with its signal.
      events: async function* (_filter: unknown, signal: AbortSignal) {
        yield { kind: 'connected' };
        await aborted(signal);
      },
      logs: async function* (_id: string, { signal, follow }: { signal?: AbortSignal; follow?: boolean }) {
        if (follow === true && signal !== undefined) await aborted(signal);
        yield* [];
      },
    };
    const ports = {
      files: {
        freeBytes: async () => 2 ** 40,
        realPath: async (path: string) => path,
        readText: async () => '{}',
        facts: async () => ({ uid: 0, gid: 0 }),
        exists: async (path: string) => files.has(path),
        list: async () => [],
        removeLeftovers: async () => undefined,
        readTextIfPresent: async (path: string) => files.get(path),
        makeDirectory: async () => writes(),
        writeAtomic: async (path: string, content: string) => {
          writes();
          files.set(path, content);
        },
        lock: async (directory: string) => {
          const heldBy = this.locks.get(directory);
          return heldBy === undefined ? { release: async () => undefined } : { heldBy };
        },
        lockHolder: async (directory: string) => this.locks.get(directory),
      },
      system: { pid: 1, user: { uid: 0, gid: 0 }, cpus: 4, totalMemoryBytes: 2 ** 35 },
      scanner: async () => ({
        diskNames: (paths: string[]) => new Map(paths.map((path) => [path, path.slice(1)])),
      }),
      docker: async () => docker,
      nodeApi: async () => ({ snapshot: async () => this.#snapshot() }),
      postApi: async () => ({
        status: async ({ containerId }: { containerId: string }) =>
          this.status.get(containerId) ?? { kind: 'idle' },
      }),
      localDatabase: async () => ({ read: async () => ({ kind: 'absent' }) }),
    };
    return {
      directory: '/srv/smesh',
      env: {},
      json: this.json,
      yes: false,
      signal: this.ended.signal,
      out: {
        ...{ columns: 100, color: false, interactive: false },
        result: (text: string) => this.#say(said.results, text),
        verbatim: (text: string) => this.#say(said.results, text),
        json: () => undefined,
        note: (text: string) => this.#say(said.notes, text),
        warn: (text: string) => this.#say(said.warnings, text),
        live: () => ({ update: () => undefined, done: () => undefined }),
      },
      clock: {
        now: () => this.now,
        localOffsetMinutes: () => 0,
        // Long waits pass at once; questions are answered before theirs are over.
        sleep: async (ms: number, signal?: AbortSignal) => {
          if (ms <= 3000 * 5) {
            await immediately();
            if (signal?.aborted === true) return;
          }
          this.now += ms;
        },
      },
      ports,
    } as unknown as Context;
  }

  #of(id: string): FakeContainer {
    const found = this.containers.get(id);
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  }

  #say(where: string[], text: string): void {
    if (!this.quiet) where.push(text);
  }

  #snapshot() {
    const ok = <T>(value: T) => ({ ok: true as const, value });
    return {
      postStates: ok(IDS.map((smesher) => ({ smesher, state: this.wanted }))),
      smesherIds: ok(IDS),
      status: ok({ synced: true, peers: 5 }),
      ...{ events: ok([]), activations: ok([]), version: ok('v1.7.6') },
      ...{ currentLayer: ok(1), currentEpoch: ok(1) },
    };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
