import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type handleServerStreamingCall, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNodeApi } from '../../../src/adapters/node-api/index.ts';
import { serviceDefinition } from '../../../src/adapters/node-api/services.ts';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { NodeFaultError } from '../../../src/ports/node-api.ts';

const recordings = process.env.SMESH_RECORDINGS;
const api = createNodeApi();

type Unary = (request: Record<string, unknown>) => unknown;
type Call = { readonly request: Record<string, unknown> };
type Reply = (error: unknown, answer?: unknown) => void;

interface Services {
  readonly unary?: Readonly<Record<string, Unary>>;
  readonly events?: handleServerStreamingCall<unknown, unknown>;
}

/** A node of which only the given methods answer; `undefined` as an answer: it stays silent. */
async function node(services: Services): Promise<string> {
  const server = new Server();
  const byService = new Map<string, Record<string, unknown>>();
  for (const [name, answer] of Object.entries(services.unary ?? {})) {
    const [service = '', method = ''] = name.split('/');
    const handlers = byService.get(service) ?? {};
    handlers[method] = (call: Call, reply: Reply) => {
      try {
        const value = answer(call.request);
        if (value !== undefined) reply(null, value);
      } catch (error) {
        reply(error);
      }
    };
    byService.set(service, handlers);
  }
  if (services.events) byService.set('spacemesh.v1.AdminService', { EventsStream: services.events });
  for (const [service, handlers] of byService) {
    server.addService(serviceDefinition(service), handlers as never);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

async function snapshotOf(services: Services, activationsOf?: readonly SmesherId[]) {
  const address = await node(services);
  const endpoint = { publicApi: address, privateApi: address };
  return api.snapshot(endpoint, { timeoutMs: 1000, ...(activationsOf ? { activationsOf } : {}) });
}

const id = (byte: number) => Buffer.alloc(32, byte);
const hexId = (byte: number) => id(byte).toString('hex') as SmesherId;

describe('a snapshot of a node', () => {
  it('has every part that the node answers, in the terms of the domain', async () => {
    const snapshot = await snapshotOf({
      unary: {
        'spacemesh.v1.NodeService/Version': () => ({ versionString: { value: 'v1.7.6' } }),
        'spacemesh.v1.NodeService/Status': () => ({
          status: { connectedPeers: 38, isSynced: true, syncedLayer: { number: 7 }, topLayer: { number: 8 } },
        }),
        'spacemesh.v2alpha1.NetworkService/Info': () => ({
          genesisTime: { seconds: 1_689_321_600 },
          layerDuration: { seconds: 300 },
          layersPerEpoch: 4032,
          hrp: 'sm',
          labelsPerUnit: 4_294_967_296,
          genesisId: Buffer.from('abcd', 'hex'),
          effectiveGenesisLayer: 8063,
        }),
        'spacemesh.v1.MeshService/CurrentLayer': () => ({ layernum: { number: 353_558 } }),
        'spacemesh.v1.MeshService/CurrentEpoch': () => ({ epochnum: { number: 87 } }),
        'spacemesh.v1.PostInfoService/PostStates': () => ({
          states: [
            { id: id(1), state: 'PROVING', name: 'a.key' },
            { id: id(2), state: 'IDLE', name: 'b.key' },
          ],
        }),
        'spacemesh.v1.SmesherService/SmesherIDs': () => ({ publicKeys: [id(1), id(2)] }),
        'spacemesh.v1.SmesherService/Coinbase': () => ({ accountId: { address: 'sm1x' } }),
      },
    });
    expect(snapshot.version).toEqual({ ok: true, value: 'v1.7.6' });
    expect(snapshot.status).toEqual({
      ok: true,
      value: { peers: 38, synced: true, syncedLayer: 7, topLayer: 8, verifiedLayer: 0 },
    });
    expect(snapshot.network).toEqual({
      ok: true,
      value: {
        genesisTime: Date.UTC(2023, 6, 14, 8),
        layerSeconds: 300,
        layersPerEpoch: 4032,
        effectiveGenesisLayer: 8063,
        hrp: 'sm',
        genesisId: 'abcd',
        labelsPerUnit: 4_294_967_296,
      },
    });
    expect(snapshot.currentLayer).toEqual({ ok: true, value: 353_558 });
    expect(snapshot.currentEpoch).toEqual({ ok: true, value: 87 });
    expect(snapshot.postStates).toEqual({
      ok: true,
      value: [
        { smesher: hexId(1), state: 'proving', keyFile: 'a.key' },
        { smesher: hexId(2), state: 'idle', keyFile: 'b.key' },
      ],
    });
    expect(snapshot.smesherIds).toEqual({ ok: true, value: [hexId(1), hexId(2)] });
    expect(snapshot.coinbase).toEqual({ ok: true, value: 'sm1x' });
    // This node has no AdminService: that part fails alone.
    expect(snapshot.events).toMatchObject({ ok: false, error: { kind: 'not-served' } });
    expect(snapshot.activations).toEqual({ ok: true, value: [] });
  });

  it('says that nobody listens', async () => {
    const snapshot = await api.snapshot(
      { publicApi: '127.0.0.1:1', privateApi: '127.0.0.1:1' },
      { timeoutMs: 1000, activationsOf: [hexId(1)] },
    );
    for (const part of Object.values(snapshot)) {
      expect(part).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    }
  });

  it('waits for silent parts only as long as it was told', async () => {
    const start = performance.now();
    const snapshot = await snapshotOf({
      unary: {
        'spacemesh.v1.NodeService/Status': () => undefined,
        'spacemesh.v1.NodeService/Version': () => ({}),
      },
    });
    expect(snapshot.status).toMatchObject({ ok: false, error: { kind: 'timeout' } });
    expect(performance.now() - start).toBeLessThan(2500);
  });

  it.each<[string, string, object, keyof Awaited<ReturnType<typeof snapshotOf>>]>([
    ['no status', 'spacemesh.v1.NodeService/Status', {}, 'status'],
    ['no version', 'spacemesh.v1.NodeService/Version', {}, 'version'],
    ['short IDs', 'spacemesh.v1.SmesherService/SmesherIDs', { publicKeys: [Buffer.alloc(31)] }, 'smesherIds'],
    [
      'a state of no meaning',
      'spacemesh.v1.PostInfoService/PostStates',
      { states: [{ id: id(1), state: '_UNUSED' }] },
      'postStates',
    ],
    [
      'epochs without length',
      'spacemesh.v2alpha1.NetworkService/Info',
      { genesisTime: { seconds: 1 }, layerDuration: { seconds: 0 } },
      'network',
    ],
  ])('takes %s for malformed, not for a fact', async (_, method, answer, part) => {
    const snapshot = await snapshotOf({ unary: { [method]: () => answer } });
    expect(snapshot[part]).toMatchObject({ ok: false, error: { kind: 'malformed' } });
  });

  it("keeps the node's own words", async () => {
    const words = 'node is not configured for supervised smeshing';
    const snapshot = await snapshotOf({
      unary: {
        'spacemesh.v1.SmesherService/Coinbase': () => {
          throw { code: status.FAILED_PRECONDITION, details: words };
        },
      },
    });
    expect(snapshot.coinbase).toEqual({ ok: false, error: { kind: 'refused', message: words } });
  });
});

describe('activations', () => {
  const published = (byte: number, epoch: number) => ({
    id: id(byte),
    smesherId: id(byte),
    publishEpoch: epoch,
    coinbase: 'sm1x',
    numUnits: 4,
  });

  it('S16: of 150 identities are asked for in batches, page by page', async () => {
    const questions: number[] = [];
    const smeshers = Array.from({ length: 150 }, (_, index) => hexId(index));
    const snapshot = await snapshotOf(
      {
        unary: {
          'spacemesh.v1.MeshService/CurrentEpoch': () => ({ epochnum: { number: 5 } }),
          'spacemesh.v2alpha1.ActivationService/List': (request) => {
            const { smesherId, offset, limit, startEpoch, endEpoch } = request as {
              smesherId: Buffer[];
              offset: string;
              limit: string;
              startEpoch: number;
              endEpoch: number;
            };
            if (Number(limit) > 100 || Number(limit) === 0) throw { code: status.INVALID_ARGUMENT };
            expect([startEpoch, endEpoch]).toEqual([4, 5]);
            questions.push(smesherId.length);
            const all = smesherId.flatMap((of) => [published(of[0] ?? 0, 4), published(of[0] ?? 0, 5)]);
            return { activations: all.slice(Number(offset), Number(offset) + Number(limit)) };
          },
        },
      },
      smeshers,
    );
    if (!snapshot.activations.ok) throw new Error(snapshot.activations.error.message);
    expect(snapshot.activations.value).toHaveLength(300);
    expect(new Set(snapshot.activations.value.map((atx) => atx.smesher)).size).toBe(150);
    expect(questions.every((count) => count <= 50)).toBe(true);
  });

  it('of others than asked for are not believed', async () => {
    const address = await node({
      unary: { 'spacemesh.v2alpha1.ActivationService/List': () => ({ activations: [published(9, 4)] }) },
    });
    const query = { smeshers: [hexId(1)], fromEpoch: 4, toEpoch: 4, timeoutMs: 1000 };
    const answer = await api.activations({ publicApi: address, privateApi: address }, query);
    expect(answer).toMatchObject({ ok: false, error: { kind: 'malformed' } });
  });
});

describe('rewards and malfeasance', () => {
  const LIST = 'spacemesh.v2alpha1.RewardService/List';
  const endpointOf = (address: string) => ({ publicApi: address, privateApi: address });

  it('asks for rewards identity by identity and page by page, in the layers named', async () => {
    const address = await node({
      unary: {
        [LIST]: (request) => {
          const { smesher, startLayer, endLayer, offset, limit } = request as {
            smesher: Buffer;
            startLayer: number;
            endLayer: number;
            offset: string;
            limit: string;
          };
          if (Number(limit) > 100 || Number(limit) === 0) throw { code: status.INVALID_ARGUMENT };
          const all = Array.from({ length: endLayer - startLayer + 1 }, (_, index) => ({
            layer: startLayer + index,
            total: '477618397592000000',
            coinbase: 'sm1x',
            smesher,
          }));
          return { rewards: all.slice(Number(offset), Number(offset) + Number(limit)) };
        },
      },
    });
    const smeshers = Array.from({ length: 40 }, (_, index) => hexId(index));
    const query = { smeshers, fromLayer: 1000, toLayer: 1149, timeoutMs: 2000 };
    const answer = await api.rewards(endpointOf(address), query);
    if (!answer.ok) throw new Error(answer.error.message);
    expect(answer.value).toHaveLength(40 * 150);
    expect(new Set(answer.value.map(({ smesher, layer }) => `${smesher} ${layer}`)).size).toBe(40 * 150);
    // More than a number holds.
    expect(answer.value[0]).toEqual({
      smesher: hexId(0),
      layer: 1000,
      total: 477_618_397_592_000_000n,
      coinbase: 'sm1x',
    });
  });

  it('believes neither a reward of somebody else nor one without an amount', async () => {
    const ask = async (reward: object) => {
      const address = await node({ unary: { [LIST]: () => ({ rewards: [reward] }) } });
      const query = { smeshers: [hexId(1)], fromLayer: 1, toLayer: 2, timeoutMs: 1000 };
      return api.rewards(endpointOf(address), query);
    };
    expect(await ask({ smesher: id(1), layer: 1, total: '5' })).toMatchObject({ ok: true });
    expect(await ask({ smesher: id(2), layer: 1, total: '5' })).toMatchObject({
      ok: false,
      error: { kind: 'malformed' },
    });
    expect(await ask({ smesher: Buffer.alloc(4), layer: 1 })).toMatchObject({ ok: false });
  });

  it('lists who is cancelled among those asked for; a node without the service does not call them clean', async () => {
    const address = await node({
      unary: {
        'spacemesh.v2alpha1.MalfeasanceService/List': (request) => {
          const { smesherId, limit } = request as { smesherId: Buffer[]; limit: string };
          if (Number(limit) === 0) throw { code: status.INVALID_ARGUMENT };
          return {
            proofs: smesherId.filter((one) => one[0] === 2).map((smesher) => ({ smesher, type: 1 })),
          };
        },
      },
    });
    const query = { smeshers: [hexId(1), hexId(2)], timeoutMs: 1000 };
    expect(await api.malfeasance(endpointOf(address), query)).toEqual({
      ok: true,
      value: [{ smesher: hexId(2), type: 1 }],
    });
    const old = await node({ unary: { 'spacemesh.v1.NodeService/Version': () => ({}) } });
    expect(await api.malfeasance(endpointOf(old), query)).toMatchObject({
      ok: false,
      error: { kind: 'not-served' },
    });
  });

  it('tells the weight of an ATX', async () => {
    const activation = { id: id(7), smesherId: id(1), publishEpoch: 3, coinbase: 'sm1x', numUnits: 4 };
    const address = await node({
      unary: {
        'spacemesh.v2alpha1.ActivationService/List': () => ({
          activations: [{ ...activation, weight: '18446744073709551615' }],
        }),
      },
    });
    const query = { smeshers: [hexId(1)], fromEpoch: 3, toEpoch: 3, timeoutMs: 1000 };
    expect(await api.activations(endpointOf(address), query)).toMatchObject({
      value: [{ units: 4, weight: 2n ** 64n - 1n }],
    });
  });
});

const postStart = (byte: number) => ({
  timestamp: { seconds: 100, nanos: 500_000_000 },
  help: 'Node started PoST execution.',
  postStart: { smesher: id(byte), challenge: Buffer.alloc(32) },
});

describe('events', () => {
  it('of the past are collected, and the stream is left', async () => {
    let left = false;
    const snapshot = await snapshotOf({
      events: (call) => {
        call.on('cancelled', () => {
          left = true;
        });
        call.write(postStart(1));
        call.write(postStart(2));
      },
    });
    expect(snapshot.events).toEqual({
      ok: true,
      value: [1, 2].map((byte) => ({
        kind: 'post-start',
        at: 100_500,
        failed: false,
        help: 'Node started PoST execution.',
        smesher: hexId(byte),
        challenge: '00'.repeat(32),
      })),
    });
    await expect.poll(() => left).toBe(true);
  });

  it('of a node that has none yet are none', async () => {
    const snapshot = await snapshotOf({ events: (call) => call.sendMetadata(call.metadata) });
    expect(snapshot.events).toEqual({ ok: true, value: [] });
  });

  it('without what they must have make that part malformed', async () => {
    const snapshot = await snapshotOf({
      events: (call) =>
        void call.write({ timestamp: { seconds: 1 }, postStart: { smesher: Buffer.alloc(3) } }),
    });
    expect(snapshot.events).toMatchObject({ ok: false, error: { kind: 'malformed' } });
  });

  it('come as they happen until the signal', async () => {
    const address = await node({
      events: (call) => {
        call.write(postStart(1));
        setTimeout(() => call.write(postStart(2)), 50);
      },
    });
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const event of api.events({ publicApi: address, privateApi: address }, controller.signal)) {
      seen.push(event.kind === 'post-start' ? event.smesher : event.kind);
      if (seen.length === 2) controller.abort();
    }
    expect(seen).toEqual([hexId(1), hexId(2)]);
  });

  it('end with a fault when the node goes', async () => {
    const address = await node({
      events: (call) => {
        call.write(postStart(1));
        setTimeout(() => call.end(), 50);
      },
    });
    const read = async () => {
      const endpoint = { publicApi: address, privateApi: address };
      for await (const _ of api.events(endpoint, new AbortController().signal));
    };
    const fault = await read().catch((error: unknown) => error as NodeFaultError);
    expect(fault).toMatchObject({ name: 'NodeFaultError', fault: { kind: 'unreachable' } });
  });

  it.skipIf(recordings === undefined)(
    'of two recorded epochs are all understood (needs SMESH_RECORDINGS)',
    async () => {
      const text = readFileSync(join(recordings ?? '', 'events-two-epochs.jsonl'), 'utf8');
      const recorded = text.trim().split('\n').map(fromJson);
      const address = await node({
        events: (call) => {
          for (const event of recorded) call.write(event);
          call.end();
        },
      });
      const seen: string[] = [];
      const endpoint = { publicApi: address, privateApi: address };
      try {
        for await (const event of api.events(endpoint, new AbortController().signal)) {
          expect(event.at).toBeGreaterThan(Date.UTC(2026, 0, 1));
          seen.push(event.kind);
        }
      } catch {
        // The stream ended: checked above.
      }
      expect(seen).toHaveLength(recorded.length);
      expect(seen).not.toContain('other');
      expect(seen.filter((kind) => kind === 'atx-published')).toHaveLength(4);
    },
  );
});

/** Protobuf's JSON form as the message that proto-loader writes. */
function fromJson(line: string): unknown {
  return JSON.parse(line, (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (['timestamp', 'until', 'roundEnd'].includes(key)) {
      return { seconds: Math.floor(Date.parse(value) / 1000), nanos: 0 };
    }
    if (key === 'wait') return { seconds: Math.floor(Number.parseFloat(value)) };
    if (['smesher', 'challenge', 'id', 'atx', 'beacon', 'proposal'].includes(key))
      return Buffer.from(value, 'base64');
    return value;
  });
}
