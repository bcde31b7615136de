import type { SmesherId } from '../../../../src/domain/identity/smesher-id.ts';
import { epochTimeline } from '../../../../src/domain/poet/epochs.ts';
import { readProofLog } from '../../../../src/domain/proving/proof-log.ts';
import {
  NO_COURTESY,
  type ProverFacts,
  type ScheduleObservation,
} from '../../../../src/domain/schedule/observation.ts';
import type { SchedulePolicy } from '../../../../src/domain/schedule/policy.ts';

const HOUR = 3_600_000;

export const GENESIS = Date.parse('2023-07-14T08:00:00Z');
const CLOCK = {
  genesis: GENESIS,
  epoch: 336 * HOUR,
  layer: 300_000,
  phaseShift: 240 * HOUR,
  cycleGap: 12 * HOUR,
  gracePeriod: HOUR,
};

/** An hour after the gap of publish epoch 87 has opened. */
export const IN_GAP = GENESIS + 87 * CLOCK.epoch + 229 * HOUR;

export const GIB = 2 ** 30;

export const POLICY: SchedulePolicy = {
  k2powSlots: 1,
  remoteK2powSlots: 1,
  memoryBytes: 64 * GIB,
  cores: 16,
  canHold: true,
  worksAhead: true,
  lookEveryMs: 15_000,
  rates: {
    hashesPerSecond: 6000,
    hashesPerUnitGroup: 4687.5,
    diskBytesPerSecond: new Map(),
    defaultBytesPerSecond: 180e6,
    datasetMs: 40_000,
  },
};

export function observation(
  provers: readonly ProverFacts[],
  more: Partial<ScheduleObservation> = {},
): ScheduleObservation {
  const at = more.at ?? IN_GAP;
  return { at, layerMs: 300_000, timeline: epochTimeline(CLOCK, at), node: 'settled', provers, ...more };
}

/** An identity of 36 units on its disk, wanted and down. */
export function prover(number: number, disk: string, more: Partial<ProverFacts> = {}): ProverFacts {
  return {
    id: number.toString(16).padStart(64, '0') as SmesherId,
    name: `post-${number}`,
    disk,
    settings: { nonces: 128, threads: 0, randomx: 'fast', tellsGroups: true },
    units: 36,
    dataBytes: 36 * 64 * GIB,
    data: 'present',
    container: {
      kind: 'present',
      state: 'exited',
      held: false,
      oomKilled: false,
      exitCode: 143,
      finishedAt: 1,
    },
    containerId: `container-${number}`,
    wanted: 'proving',
    courtesy: NO_COURTESY,
    ...more,
  };
}

type Doing = Partial<ProverFacts> & { readonly held?: boolean };

function running(held = false, startedAt = IN_GAP - HOUR): ProverFacts['container'] {
  return { kind: 'present', state: 'running', held, oomKilled: false, startedAt };
}

const line = (at: number, target: string, text: string) =>
  `[${new Date(at).toISOString().replace(/\.\d+Z/, 'Z')} INFO  ${target}] ${text}`;

const ASKED = (at: number) => line(at, 'post_service::service', 'starting proof generation for challenge x');

/** In its k2pow, at that group of eight. */
export function inK2pow(group: number, { held = false, ...more }: Doing = {}): Partial<ProverFacts> {
  const began = IN_GAP - group * 28_000;
  return {
    container: running(held),
    service: { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 },
    log: readProofLog([
      ASKED(began),
      line(began, 'post::prove', 'calculating proof of work for nonces 0..128'),
      ...Array.from({ length: group }, (_, at) => [
        ...(at === 0
          ? []
          : [line(began + at * 28_000, 'post::prove', `proof of work for nonce group ${at - 1}: 1`)]),
        line(began + at * 28_000, 'post::prove', `calculating proof of work for nonce group ${at}`),
      ]).flat(),
    ]),
    ...more,
  };
}

export function preparing(more: Doing = {}): Partial<ProverFacts> {
  const { held = false, ...rest } = more;
  return {
    container: running(held),
    service: { kind: 'no-answer' },
    log: readProofLog([ASKED(IN_GAP - 5000)]),
    ...rest,
  };
}

/** Reads, so much of its data done. */
export function reading(fraction: number, { held = false, ...more }: Doing = {}): Partial<ProverFacts> {
  return {
    container: running(held),
    service: {
      kind: 'proving',
      nonces: { start: 0, end: 128 },
      position: Math.floor(fraction * 36 * 64 * GIB),
    },
    ...more,
  };
}

export function idle(more: Doing = {}): Partial<ProverFacts> {
  const { held = false, ...rest } = more;
  return { container: running(held), service: { kind: 'idle' }, wanted: 'idle', ...rest };
}

/** Has just been started by somebody; the node has not asked it yet. */
export function justStarted(): Partial<ProverFacts> {
  return {
    container: running(false, IN_GAP - 3000),
    service: { kind: 'idle' },
    log: readProofLog([line(IN_GAP - 3000, 'post_service', 'POST network parameters: x')]),
  };
}
