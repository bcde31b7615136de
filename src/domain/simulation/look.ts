import { epochTimeline } from '../poet/epochs.ts';
import type { IdentityProgress } from '../proving/identity-progress.ts';
import type { ContainerFacts } from '../proving/identity-state.ts';
import { nodeCertainty } from '../proving/node-certainty.ts';
import type { ServiceStatus } from '../proving/service-status.ts';
import type { NodeCertainty } from '../proving/stop-risk.ts';
import type { ProverFacts, ScheduleObservation } from '../schedule/observation.ts';
import { nodeWants, publishEpoch } from './node-steps.ts';
import type { LoopMemory, SimulatedProver } from './prover.ts';
import type { World } from './world.ts';

/** Between looks further apart nothing is concluded from the same answer (stop-memory.ts). */
const LONGEST_PAUSE_MS = 30_000;

/** What `/status` counts in. */
const POSITION_STEP = 2 ** 20;

const EMPTY_REASON = 'simulated';

/** What the adapters would see of the farm now, and nothing else. */
export function look(world: World): ScheduleObservation {
  const { farm, now, hidden, node } = world;
  const certainty = certaintyOf(world);
  const nodeTells = node.up && !hidden.node;
  return {
    at: now,
    layerMs: farm.node.clock.layer,
    timeline: epochTimeline(farm.node.clock, now),
    node: certainty,
    provers: world.provers.map((prover) => lookAt(world, prover, nodeTells)),
  };
}

function certaintyOf({ now, farm, hidden, node }: World): NodeCertainty {
  return nodeCertainty({
    now,
    layerMs: farm.node.clock.layer,
    container: hidden.engine ? 'unknown' : node.container,
    startedAt: node.startedAt,
    ...(node.up && !hidden.node ? { synced: true } : {}),
  });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function lookAt(world: World, prover: SimulatedProver, nodeTells: boolean): ProverFacts {
  const base = baseOf(world, prover, nodeTells);
  // Of one that does not run nothing changes between two events: most looks find most provers so.
  if (prover.state !== 'running' || world.hidden.engine) return base;
  const service = serviceOf(world, prover);
  const { since, firstSample } = remember(world.now, prover, base.wanted, service);
  const unchangedMs = world.now - since;
  const { log, progress, containerId } = base;
  if (log === undefined || progress === undefined || containerId === undefined) {
    return { ...base, service, unchangedMs, ...(firstSample === undefined ? {} : { firstSample }) };
  }
  // Field by field: this is done more often than anything else, and a spread takes several times as long.
  const { id, name, disk, settings, data, container, wanted, courtesy } = base;
  const { units, bytes: dataBytes } = prover.plan;
  // biome-ignore format: one line for each of the two shapes
  return firstSample === undefined
    ? { id, name, disk, settings, units, dataBytes, data, container, containerId, wanted, service, log, progress, unchangedMs, courtesy }
    : { id, name, disk, settings, units, dataBytes, data, container, containerId, wanted, service, log, progress, unchangedMs, firstSample, courtesy };
}

/** What only an event changes. */
function baseOf(world: World, prover: SimulatedProver, nodeTells: boolean): ProverFacts {
  if (prover.seen?.events === world.events) return prover.seen.facts;
  const { plan } = prover;
  const { hidden } = world;
  const facts: Mutable<ProverFacts> = {
    id: plan.id,
    name: plan.name,
    disk: plan.disk,
    settings: plan.settings,
    units: plan.units,
    dataBytes: plan.bytes,
    data: world.away.has(plan.disk) ? 'absent' : 'present',
    container: hidden.engine ? { kind: 'unknown' } : containerOf(prover),
    wanted: !nodeTells ? 'unknown' : nodeWants(world, prover) ? 'proving' : 'idle',
    courtesy: {
      stoppedByPerson: prover.stoppedByPerson,
      restarts: prover.restarts,
      invalidProofs: prover.invalidProofs,
    },
  };
  if (!hidden.engine) facts.containerId = prover.containerId;
  if (!hidden.engine && !hidden.logs.has(plan.id)) facts.log = prover.log;
  if (nodeTells && world.farm.node.tellsProgress) facts.progress = progressOf(world, prover);
  prover.seen = { events: world.events, facts };
  return facts;
}

function containerOf(prover: SimulatedProver): ContainerFacts {
  const { state, startedAt, finishedAt, exitCode, startError } = prover;
  return {
    kind: 'present',
    state,
    held: prover.hold !== 'none',
    heldDeep: prover.hold === 'deep',
    oomKilled: prover.oomKilled,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(exitCode === undefined || state === 'running' ? {} : { exitCode }),
    ...(startError === undefined ? {} : { startError }),
  };
}

/** What it answers on its operator port. */
export function serviceOf(world: World, prover: SimulatedProver): ServiceStatus {
  const { settings } = prover.plan;
  if (prover.work === 'starting') return { kind: 'refused' };
  if (world.hidden.services.has(prover.plan.id)) return { kind: 'no-answer' };
  if (prover.hold === 'deep' && !world.farm.host.deepHeldAnswers) return { kind: 'no-answer' };
  switch (prover.work) {
    case 'idle':
      return { kind: 'idle' };
    case 'preparing':
      return settings.remoteK2pow === undefined && settings.randomx === 'fast'
        ? { kind: 'no-answer' }
        : { kind: 'proving', nonces: { start: 0, end: 0 }, position: 0 };
    case 'k2pow':
      return { kind: 'proving', nonces: prover.nonces, position: 0 };
    case 'reading':
      return {
        kind: 'proving',
        nonces: prover.nonces,
        position: Math.floor(prover.position / POSITION_STEP) * POSITION_STEP,
      };
    case 'found':
    case 'verifying':
    case 'failed':
      return { kind: 'done-proving' };
    default:
      return { kind: 'unreachable', reason: EMPTY_REASON };
  }
}

function progressOf(world: World, prover: SimulatedProver): IdentityProgress {
  const { demand } = prover.plan;
  const { demandedAt, askedAt, failedAt } = prover;
  return {
    publishEpoch: publishEpoch(world),
    initialProof: prover.initialProof ? 'yes' : 'no',
    due: demand === 'gap' ? 'yes' : 'no',
    published: prover.published ? 'yes' : 'no',
    registered: prover.registered ? 'yes' : 'no',
    // A demand that a node has forgotten by a restart is told by its events again.
    ...(demandedAt === undefined || prover.taken ? {} : { wantedSince: demandedAt }),
    ...(askedAt === undefined || prover.taken ? {} : { askedAt }),
    ...(failedAt === undefined ? {} : { failedAt }),
  };
}

/** Since when node and service have answered the same, and the first sample of this pass: what the loop knows. */
function remember(
  now: number,
  prover: SimulatedProver,
  wanted: ProverFacts['wanted'],
  service: ServiceStatus,
): LoopMemory {
  const before = prover.memory;
  const goesOn =
    before !== undefined &&
    before.startedAt === prover.startedAt &&
    before.wanted === wanted &&
    before.status === service.kind &&
    now - before.seenAt <= LONGEST_PAUSE_MS;
  const memory: LoopMemory = goesOn
    ? before
    : { startedAt: prover.startedAt, wanted, status: service.kind, since: now, seenAt: now };
  memory.seenAt = now;
  if (service.kind === 'proving' && service.position > 0) {
    const sample = before?.firstSample;
    const samePass = sample !== undefined && sample.nonces.start === service.nonces.start;
    memory.firstSample =
      samePass && sample.position <= service.position
        ? sample
        : { at: now, nonces: service.nonces, position: service.position };
  }
  prover.memory = memory;
  return memory;
}
