import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { WeighedAtx } from '../../../src/domain/node/answers.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { epochClock } from '../../../src/domain/poet/epochs.ts';
import {
  type IdentityEvidence,
  known,
  type NodeEvidence,
  type ProjectEvidence,
} from '../../../src/domain/verification/facts.ts';

export const SMESHER = parseSmesherId('ab'.repeat(32)) as SmesherId;
export const OTHER = parseSmesherId('cd'.repeat(32)) as SmesherId;
export const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';
export const CLOCK = epochClock(MAINNET, defaultPoet(MAINNET));

/** Epoch 87 on mainnet: gap Sun 22 Nov 20:00 to Mon 23 08:00, end Fri 27 08:00 (operators.md d.2). */
export const EPOCH = 87;
export const FIRST_LAYER = EPOCH * 4032;
export const BEFORE_GAP = Date.parse('2026-11-20T12:00:00Z');
export const IN_GAP = Date.parse('2026-11-22T23:12:00Z');
export const AFTER_GAP = Date.parse('2026-11-24T12:00:00Z');

export function atx(publishEpoch: number, changes: Partial<WeighedAtx> = {}): WeighedAtx {
  return {
    atx: `${publishEpoch}`.padStart(64, '0'),
    smesher: SMESHER,
    publishEpoch,
    coinbase: COINBASE,
    units: 36,
    weight: 36n * 9331n,
    ...changes,
  };
}

export function reward(layer: number, coinbase = COINBASE) {
  return { smesher: SMESHER, layer, total: 477_618_397n, coinbase };
}

export const POETS = ['https://poet-110.spacemesh.network', 'https://poet-111.spacemesh.network'];

export function registrations(round: number, addresses: readonly string[] = POETS) {
  return addresses.map((address) => ({ address, roundId: String(round), roundEnd: 0 }));
}

const base = { failed: false, help: 'Node says so.' };

export function eligibilities(epoch: number, layers: readonly number[]) {
  return {
    ...base,
    at: BEFORE_GAP,
    kind: 'eligibilities',
    smesher: SMESHER,
    epoch,
    atx: '00'.repeat(32),
    activeSetSize: 9000,
    layers: layers.map((layer) => ({ layer, count: 1 })),
  } as const;
}

export function waitingForRound(round: number) {
  return {
    ...base,
    at: BEFORE_GAP,
    kind: 'waiting-for-registration-window',
    smesher: SMESHER,
    current: round,
    publish: round + 1,
    until: IN_GAP,
  } as const;
}

export function node(changes: Partial<NodeEvidence> = {}): NodeEvidence {
  return {
    certainty: 'settled',
    container: 'running',
    startedAt: BEFORE_GAP - 86_400_000,
    synced: true,
    appliedLayer: FIRST_LAYER + 3000,
    coinbase: COINBASE,
    ...changes,
  };
}

export function project(now: number, changes: Partial<ProjectEvidence> = {}): ProjectEvidence {
  return {
    now,
    clock: CLOCK,
    poetServers: POETS,
    coinbase: COINBASE,
    node: node(),
    strangers: known([]),
    ...changes,
  };
}

/** An identity in the middle of epoch 87 with nothing wrong: paid now, waiting for round 86 to end. */
export function identity(changes: Partial<IdentityEvidence> = {}): IdentityEvidence {
  return {
    smesher: SMESHER,
    name: 'post-0001',
    data: '/mnt/d1/post01',
    key: { kind: 'installed', file: 'post-0001.key' },
    dataHere: { kind: 'own', units: 36 },
    listed: 'yes',
    wanted: 'idle',
    state: { wants: 'nothing', activity: { kind: 'idle' }, held: false },
    doing: 'status: waits for the round to end',
    connection: { service: { kind: 'connected' } },
    rows: known({
      post: true,
      challenge: { publishEpoch: EPOCH, hasPoetProof: false },
      registrations: registrations(EPOCH - 1),
    }),
    atxs: known([atx(EPOCH - 2), atx(EPOCH - 1)]),
    events: known([eligibilities(EPOCH, [FIRST_LAYER + 100, FIRST_LAYER + 3900])]),
    rewards: known([reward(FIRST_LAYER + 100)]),
    malfeasance: known('none'),
    ...changes,
  };
}

/** The same, with its ATX of epoch 87 out and registered for round 87. */
export function published(changes: Partial<IdentityEvidence> = {}): IdentityEvidence {
  return identity({
    atxs: known([atx(EPOCH - 2), atx(EPOCH - 1), atx(EPOCH)]),
    rows: known({
      post: true,
      challenge: { publishEpoch: EPOCH + 1, hasPoetProof: false },
      registrations: registrations(EPOCH),
    }),
    ...changes,
  });
}
