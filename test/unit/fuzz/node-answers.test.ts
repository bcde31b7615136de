import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNodeApi } from '../../../src/adapters/node-api/index.ts';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import {
  parseActivations,
  parseNetworkInfo,
  parseNodeStatus,
  parsePostStates,
} from '../../../src/domain/node/answers.ts';
import { parseNodeEvent } from '../../../src/domain/node/events.ts';
import type { Parsed } from '../../../src/domain/node/reader.ts';
import type { NodeSnapshot } from '../../../src/ports/node-api.ts';
import { wantedBy } from '../../../src/usecases/lifecycle/judge-look.ts';
import { faultyWire, WIRE_FAULTS } from './support/faulty-wire.ts';
import { FUZZ_TIMEOUT_MS, fuzz, mutationsOf, oddJson } from './support/fuzz.ts';
import {
  anyMessage,
  bytesField,
  numberField,
  type OddNode,
  oddNode,
  type Reaction,
} from './support/odd-node.ts';

const api = createNodeApi();
const TIMEOUT_MS = 250;
/** Where every question is answered: nobody waits for it. */
const AMPLE_MS = 10_000;
/** Time for a busy machine beside the time limits, of which activations wait for the epoch. */
const SLACK_MS = 4000;

const idOf = (byte: number) => Buffer.alloc(32, byte);
const SMESHER = idOf(1).toString('hex') as SmesherId;

const METHODS = [
  'Version',
  'Status',
  'Info',
  'CurrentLayer',
  'CurrentEpoch',
  'PostStates',
  'SmesherIDs',
  'Coinbase',
  'List',
  'EventsStream',
];

const PARTS = [
  'version',
  'status',
  'network',
  'currentLayer',
  'currentEpoch',
  'postStates',
  'smesherIds',
  'coinbase',
  'events',
  'activations',
] as const;

const reactions: fc.Arbitrary<Reaction> = fc.oneof(
  { arbitrary: anyMessage.map((bytes): Reaction => ({ kind: 'answer', bytes })), weight: 6 },
  fc.uint8Array({ maxLength: 80 }).map((bytes): Reaction => ({ kind: 'answer', bytes: Buffer.from(bytes) })),
  fc
    .tuple(fc.nat(20), fc.string({ maxLength: 20 }))
    .map(([code, details]): Reaction => ({ kind: 'error', code, details })),
  fc.constant<Reaction>({ kind: 'hang' }),
  fc
    .tuple(fc.array(anyMessage, { maxLength: 120 }), fc.constantFrom('end', 'hang', 'error'))
    .map(([messages, after]): Reaction => ({ kind: 'many', messages, after: after as 'end' })),
);

const nodes = fc.record(Object.fromEntries(METHODS.map((method) => [method, reactions])), {
  requiredKeys: [],
});

async function snapshotOf(node: OddNode, timeoutMs = TIMEOUT_MS): Promise<NodeSnapshot> {
  const began = performance.now();
  try {
    const endpoint = { publicApi: node.address, privateApi: node.address };
    return await api.snapshot(endpoint, { timeoutMs, activationsOf: [SMESHER] });
  } finally {
    node.close();
    expect(performance.now() - began).toBeLessThan(2 * timeoutMs + SLACK_MS);
  }
}

function expectAnswers(snapshot: NodeSnapshot): void {
  expect(Object.keys(snapshot).sort()).toEqual([...PARTS].sort());
  for (const part of PARTS) {
    const answer = snapshot[part];
    if (answer.ok) expect(answer.value).toBeDefined();
    else expect(answer.error.message).toBeTypeOf('string');
  }
  const { postStates, smesherIds, events, network } = snapshot;
  for (const { smesher } of postStates.ok ? postStates.value : []) expect(smesher).toMatch(/^[0-9a-f]{64}$/);
  for (const smesher of smesherIds.ok ? smesherIds.value : []) expect(smesher).toMatch(/^[0-9a-f]{64}$/);
  // Times are shown: one that is none would end a command.
  for (const { at } of events.ok ? events.value : []) new Date(at).toISOString();
  if (network.ok) new Date(network.value.genesisTime).toISOString();
}

/** One line of PostStates as it may come over the wire. */
interface Line {
  readonly id: Buffer;
  readonly state: number | undefined;
  readonly more: Buffer;
}

const lines: fc.Arbitrary<Line> = fc.record({
  id: fc.oneof(
    { arbitrary: fc.nat(3).map(idOf), weight: 8 },
    fc.constantFrom(0, 31, 33).map((length) => Buffer.alloc(length, 1)),
  ),
  state: fc.oneof(
    { arbitrary: fc.constantFrom(1, 1, 2), weight: 12 },
    fc.constantFrom(undefined, 0, 3, 127, 2 ** 31),
  ),
  // A newer node sends fields that nobody knows yet.
  more: fc.oneof({ arbitrary: fc.constant(Buffer.alloc(0)), weight: 3 }, fc.constant(numberField(19, 5))),
});

/** A list for each thing that can be said, which chance alone might leave out. */
const EVERY_WISH: Line[][] = [
  [{ id: idOf(1), state: 1, more: Buffer.alloc(0) }],
  [{ id: idOf(1), state: 2, more: Buffer.alloc(0) }],
  [{ id: idOf(1), state: 3, more: Buffer.alloc(0) }],
  [],
];

function encodeLine({ id, state, more }: Line): Buffer {
  const fields = [
    bytesField(1, id),
    ...(state === undefined ? [] : [numberField(2, state)]),
    bytesField(3, 'a.key'),
    more,
  ];
  return bytesField(1, Buffer.concat(fields));
}

const lists = fc.array(lines, { maxLength: 6 });

/** As the API describes it: 1 is IDLE, 2 is PROVING, an ID has 32 bytes. One bad line spoils the whole answer. */
function trueWish(list: readonly Line[]): 'idle' | 'proving' | 'unlisted' | 'unknown' {
  if (list.some(({ id, state }) => id.length !== 32 || (state !== 1 && state !== 2))) return 'unknown';
  const own = list.filter(({ id }) => id.equals(idOf(1)));
  if (new Set(own.map(({ state }) => state)).size > 1) return 'unknown';
  if (own.length === 0) return 'unlisted';
  return own[0]?.state === 2 ? 'proving' : 'idle';
}

describe('a decoded answer, whatever is in it', () => {
  const id = Uint8Array.from(idOf(1));
  const time = { seconds: '1700000000', nanos: 5 };
  const valid: readonly (readonly [(answer: unknown) => Parsed<unknown>, unknown])[] = [
    [parsePostStates, { states: [{ id, state: 'IDLE', name: 'a.key' }] }],
    [
      parseNodeStatus,
      { status: { connectedPeers: '3', isSynced: true, syncedLayer: { number: 7 }, topLayer: null } },
    ],
    [
      parseActivations,
      { activations: [{ id, smesherId: id, publishEpoch: 3, coinbase: 'sm1', numUnits: 4, weight: '9' }] },
    ],
    [
      parseNetworkInfo,
      {
        genesisTime: time,
        layerDuration: time,
        layersPerEpoch: 3,
        effectiveGenesisLayer: 1,
        hrp: 'sm',
        genesisId: id,
        labelsPerUnit: '9',
      },
    ],
    ...['postStart', 'atxPublished', 'waitingForPoetRoundEnd', 'malfeasance', 'unheardOf'].map(
      (details) =>
        [
          parseNodeEvent,
          {
            timestamp: time,
            failure: false,
            help: 'x',
            details,
            [details]: {
              smesher: id,
              challenge: id,
              current: 1,
              target: 2,
              publish: 1,
              id,
              until: time,
              roundEnd: time,
              proof: {},
            },
          },
        ] as const,
    ),
  ];
  const odd = fc.oneof(
    oddJson,
    fc.constantFrom(
      '8640000000001',
      '9007199254740991',
      '-1',
      8.64e12,
      undefined,
      'PROVING',
      'IDLE',
      '_UNUSED',
    ),
    fc.uint8Array({ maxLength: 40 }),
  );

  it('is read whole or not at all', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...valid)
          .chain(([parse, answer]) => mutationsOf(answer, odd).map((value) => [parse, value] as const)),
        ([parse, answer]) => {
          const parsed = parse(answer);
          if (!parsed.ok) {
            expect(parsed.reason).toBeTypeOf('string');
            return;
          }
          for (const [key, value] of Object.entries(parsed.value as object)) {
            if (['at', 'until', 'genesisTime'].includes(key)) new Date(value as number).toISOString();
          }
        },
      ),
      fuzz(3000),
    );
  });
});

describe('a node that answers anything', () => {
  it('gives a snapshot of answers, in time', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    let understood = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(nodes, { minLength: 6, maxLength: 6 }), async (several) => {
        const snapshots = await Promise.all(several.map(async (node) => snapshotOf(await oddNode(node))));
        for (const snapshot of snapshots) {
          expectAnswers(snapshot);
          understood += PARTS.filter((part) => snapshot[part].ok).length;
        }
      }),
      fuzz(5),
    );
    expect(understood).toBeGreaterThan(0);
  });

  it('says of each identity what its list says, and nothing when one line is odd', {
    timeout: FUZZ_TIMEOUT_MS,
  }, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(lists, { minLength: 10, maxLength: 10 }), async (several) => {
        await Promise.all(
          several.map(async (list) => {
            const bytes = Buffer.concat(list.map(encodeLine));
            const known = Buffer.concat(
              [...new Set(list.map(({ id }) => id.toString('hex')))].map((id) =>
                bytesField(1, Buffer.from(id, 'hex')),
              ),
            );
            const snapshot = await snapshotOf(
              await oddNode({
                PostStates: { kind: 'answer', bytes },
                SmesherIDs: { kind: 'answer', bytes: known },
              }),
              AMPLE_MS,
            );
            const wish = trueWish(list);
            expect(wantedBy(snapshot, SMESHER)).toBe(wish);
            seen.set(wish, (seen.get(wish) ?? 0) + 1);
          }),
        );
      }),
      { ...fuzz<[Line[][]]>(6), examples: [[EVERY_WISH]] },
    );
    expect([...seen.keys()].sort()).toEqual(['idle', 'proving', 'unknown', 'unlisted']);
  });

  it('is no rest when its list and its identities contradict each other', {
    timeout: FUZZ_TIMEOUT_MS,
  }, async () => {
    const others: Line[] = [{ id: idOf(2), state: 1, more: Buffer.alloc(0) }];
    const states: Reaction = { kind: 'answer', bytes: Buffer.concat(others.map(encodeLine)) };
    const withIds = async (ids: Reaction | undefined) => {
      const node = await oddNode({ PostStates: states, ...(ids === undefined ? {} : { SmesherIDs: ids }) });
      return wantedBy(await snapshotOf(node, ids?.kind === 'hang' ? TIMEOUT_MS : AMPLE_MS), SMESHER);
    };
    const both = Buffer.concat([bytesField(1, idOf(1)), bytesField(1, idOf(2))]);
    expect(await withIds({ kind: 'answer', bytes: both })).toBe('unknown');
    expect(await withIds({ kind: 'hang' })).toBe('unknown');
    expect(await withIds(undefined)).toBe('unknown');
    expect(await withIds({ kind: 'answer', bytes: bytesField(1, idOf(2)) })).toBe('unlisted');
  });

  it('with broken wires is no different', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    // PostStates with one IDLE: whatever is wrong with the way, it must not be believed.
    const idle = encodeLine({ id: idOf(1), state: 1, more: Buffer.alloc(0) });
    await Promise.all(
      WIRE_FAULTS.map(async (fault) => {
        const snapshot = await snapshotOf(await faultyWire(fault, idle));
        expectAnswers(snapshot);
        expect(snapshot.postStates.ok, fault).toBe(false);
      }),
    );
  });

  it('whose lists never end is not listened to for ever', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const row = bytesField(
      1,
      Buffer.concat([bytesField(1, idOf(9)), bytesField(2, idOf(1)), numberField(3, 1)]),
    );
    const page: Reaction = { kind: 'answer', bytes: Buffer.concat(Array.from({ length: 100 }, () => row)) };
    const epoch: Reaction = { kind: 'answer', bytes: bytesField(1, numberField(1, 7)) };
    const node = await oddNode({ List: page, CurrentEpoch: epoch });
    const endpoint = { publicApi: node.address, privateApi: node.address };
    const began = performance.now();
    const { activations } = await api.snapshot(endpoint, { timeoutMs: 2000, activationsOf: [SMESHER] });
    node.close();
    expect(activations).toMatchObject({ ok: false, error: { kind: 'malformed' } });
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
