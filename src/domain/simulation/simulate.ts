import type { SmesherId } from '../identity/smesher-id.ts';
import { cycleGap, deadlines } from '../poet/epochs.ts';
import type { Decision, ScheduleAct } from '../schedule/decision.ts';
import type { ScheduleObservation } from '../schedule/observation.ts';
import type { SchedulePolicy } from '../schedule/policy.ts';
import { performAct } from './acts.ts';
import { startContainer } from './containers.ts';
import type { Farm } from './farm.ts';
import type { Fault } from './faults.ts';
import { scheduleFaults } from './happen.ts';
import { look } from './look.ts';
import { demand, expireDemands, publishEpoch } from './node-steps.ts';
import type { ProofDraw } from './proof-luck.ts';
import { nextStep } from './proof-steps.ts';
import type { SimulationResult } from './record.ts';
import { computeSpeeds } from './speeds.ts';
import { resultOf } from './summary.ts';
import { World } from './world.ts';

/** What decides: `decide`, or one that it is compared with. */
export type PolicyFunction = (
  observation: ScheduleObservation,
  policy: SchedulePolicy,
  now: number,
) => Decision;

export interface SimulationInput {
  readonly farm: Farm;
  /** The luck of every identity (`drawFarm`): the same for every policy that is compared. */
  readonly draws: ReadonlyMap<SmesherId, ProofDraw>;
  readonly policy: SchedulePolicy;
  readonly decide: PolicyFunction;
  readonly faults?: readonly Fault[];
  /** All containers run at the start; else all have been stopped. */
  readonly allRun?: boolean;
  /** From a decision to its first act, and from one act to the next, milliseconds. */
  readonly actMs?: number;
  /** From a log line or an event of the engine to the look that it wakes. */
  readonly wakeMs?: number;
  /** For what is not luck of a proof: connections, checks, publication. */
  readonly seed?: number;
  /** It ends then at the latest, milliseconds from its beginning. */
  readonly atMostMs?: number;
  /** Sees every look and what was decided on it. */
  readonly onDecision?: (observation: ScheduleObservation, decision: Decision) => void;
}

/** Nothing moves for so long: nothing will. */
const STILL_MS = 45 * 60_000;

/** After the last proof: time to stop what is idle. */
const SETTLE_MS = 3 * 60_000;

/**
 * Runs a farm through one gap, event by event, with the policy seeing what adapters would see and nothing else. Ends
 * when everybody is served, when nothing moves any more, or with the publish epoch. Deterministic: the same input gives
 * the same result. 40 identities over a whole gap take well under 100 ms beside the policy's own time.
 */
export function simulate(input: SimulationInput): SimulationResult {
  const world = new World(input.farm, input.draws, input.policy, input.seed ?? 1);
  if (input.allRun === true) for (const prover of world.provers) startContainer(world, prover);
  const { clock, poetDelayMs } = input.farm.node;
  const epoch = publishEpoch(world);
  scheduleDemands(world, cycleGap(clock, epoch).opens + poetDelayMs);
  scheduleFaults(world, input.faults ?? []);
  const loop = new Loop(world, input);
  const atMost = world.now + (input.atMostMs ?? Number.POSITIVE_INFINITY);
  const horizon = Math.min(deadlines(clock, epoch).publishBy, atMost);
  let served = Number.POSITIVE_INFINITY;
  let ended: 'served' | 'livelock' | 'late' = 'late';
  while (world.now < horizon) {
    if (world.dirty) {
      world.dirty = false;
      computeSpeeds(world);
    }
    const at = Math.min(world.queue.nextAt, loop.nextAt, nextEnd(world), horizon);
    advance(world, at);
    step(world, loop);
    if (world.provers.every((prover) => isServed(prover)) && world.toCome === 0) {
      served = Math.min(served, world.now);
      if (world.now - served > SETTLE_MS) {
        ended = 'served';
        break;
      }
    } else served = Number.POSITIVE_INFINITY;
    if (isStill(world)) break;
    if (loop.acts > 1000 + 200 * world.provers.length) {
      ended = 'livelock';
      break;
    }
  }
  if (world.now >= horizon) expireDemands(world);
  return resultOf(world, loop.decisions, ended === 'livelock');
}

function scheduleDemands(world: World, wantedAt: number): void {
  for (const prover of world.provers) {
    const { demand: kind } = prover.plan;
    if (kind === 'initial') demand(world, prover);
    else if (kind === 'gap') world.surely(Math.max(wantedAt, world.now), () => demand(world, prover));
  }
}

function isServed({ plan, demanded, taken, published, initialProof }: World['provers'][number]): boolean {
  if (demanded || taken) return false;
  return plan.demand === 'none' || (plan.demand === 'gap' ? published : initialProof);
}

/** When the first of those that work is done with what it is at. */
function nextEnd(world: World): number {
  let at = Number.POSITIVE_INFINITY;
  for (const { speed, left } of world.provers) {
    if (speed > 0) at = Math.min(at, world.now + left / speed);
  }
  return at;
}

function advance(world: World, at: number): void {
  const passed = at - world.now;
  world.now = at;
  for (const prover of world.provers) {
    if (prover.speed === 0) continue;
    // What is left of a millisecond's millionth is rounding.
    prover.left = prover.left - prover.speed * passed;
    if (prover.left <= prover.speed * 1e-3) prover.left = 0;
    if (prover.hold === 'none') world.movedAt = at;
  }
}

function step(world: World, loop: Loop): void {
  let moved = false;
  for (const prover of world.provers) {
    if (prover.speed > 0 && prover.left <= 0) {
      world.events += 1;
      prover.speed = 0;
      nextStep(world, prover);
      // Also where it wrote nothing: its next phase needs a speed.
      world.dirty = true;
      moved = true;
    }
  }
  if (moved) return;
  if (world.queue.nextAt <= world.now) {
    world.events += 1;
    world.queue.take()?.();
    return;
  }
  if (loop.nextAt <= world.now) loop.tick();
}

function isStill(world: World): boolean {
  return world.toCome === 0 && world.now - world.movedAt > STILL_MS;
}

/** Looks, decides and acts, as the real loop does: when it is woken, and every so often. */
class Loop {
  nextAt: number;
  decisions = 0;
  acts = 0;
  private readonly world: World;
  private readonly input: SimulationInput;
  private busyUntil: number;

  constructor(world: World, input: SimulationInput) {
    this.world = world;
    this.input = input;
    this.nextAt = world.now;
    this.busyUntil = world.now;
    const wakeMs = input.wakeMs ?? 200;
    world.wake = () => {
      if (world.loopDead) return;
      this.nextAt = Math.min(this.nextAt, Math.max(world.now + wakeMs, this.busyUntil));
    };
  }

  tick(): void {
    const { world, input } = this;
    const { now } = world;
    if (world.loopDead) {
      this.nextAt = Number.POSITIVE_INFINITY;
      return;
    }
    const observation = look(world);
    const decision = input.decide(observation, input.policy, now);
    this.decisions += 1;
    input.onDecision?.(observation, decision);
    const actMs = input.actMs ?? 300;
    for (const [index, act] of decision.acts.entries()) this.later(act, (index + 1) * actMs);
    this.busyUntil = now + decision.acts.length * actMs;
    const latest = now + input.policy.lookEveryMs;
    this.nextAt = Math.max(Math.min(decision.lookAgainAt, latest), this.busyUntil + 1, now + 50);
  }

  private later(act: ScheduleAct, delayMs: number): void {
    const { world } = this;
    world.after(delayMs, () => {
      if (world.loopDead || world.hidden.engine) return;
      this.acts += 1;
      performAct(world, act);
    });
  }
}
