import { deadlines } from '../poet/epochs.ts';
import { connectSoon } from './containers.ts';
import { beginProof, beginVerification } from './proof-steps.ts';
import type { SimulatedProver } from './prover.ts';
import { between } from './random.ts';
import type { World } from './world.ts';

/** The node asks every service that it knows so often (operators.md d.6). */
const POLL_MS = 2000;

/** Until its container runs again. */
const GONE_MS = 1500;

/** Publish epoch of the gap in which the simulation begins, or which comes next. */
export function publishEpoch(world: World): number {
  const { clock, startsAt } = world.farm.node;
  // Round k takes registrations until it starts, which is when gap k closes.
  return Math.floor((startsAt - clock.genesis - clock.phaseShift) / clock.epoch) + 1;
}

/** The node begins to want a proof. */
export function demand(world: World, prover: SimulatedProver): void {
  prover.demanded = true;
  prover.demandedAt = world.now;
  world.record.life(prover.index).wantedAt = world.now;
  world.movedAt = world.now;
  nudge(world, prover);
}

/** The demand is over, with a proof or without. */
function forget(prover: SimulatedProver): void {
  prover.demanded = false;
  prover.demandedAt = undefined;
  prover.askedAt = undefined;
  prover.failedAt = undefined;
  prover.restarts = {};
  prover.invalidProofs = 0;
}

/** What the node says at its port, if it can be asked. */
export function nodeWants(world: World, prover: SimulatedProver): boolean {
  return prover.demanded && !world.node.quiet;
}

/** Lets the node's next question come, if there is one to ask: for a proof, or for one that is finished. */
export function nudge(world: World, prover: SimulatedProver): void {
  if (!canAsk(world, prover)) return;
  const wait = Math.max(0, prover.notBefore - world.now);
  const offset = (prover.index * 137) % POLL_MS;
  const at = Math.ceil((world.now + wait + 1 - offset) / POLL_MS) * POLL_MS + offset;
  if (prover.questionAt >= world.now && prover.questionAt <= at) return;
  prover.questionAt = at;
  world.later(prover, at - world.now, () => {
    prover.questionAt = -1;
    if (!canAsk(world, prover)) return;
    if (prover.work === 'idle') beginProof(world, prover);
    else beginVerification(world, prover);
  });
}

function canAsk(world: World, prover: SimulatedProver): boolean {
  const { node } = world;
  if (!node.up || !prover.connected || prover.halfOpen || prover.taken) return false;
  return nodeWants(world, prover) && (prover.work === 'idle' || prover.work === 'found');
}

/** The service says that its proof is valid, and sends it. */
export function proofAccepted(world: World, prover: SimulatedProver): void {
  const { id, name } = prover.plan;
  if (!world.node.up || !prover.connected || prover.halfOpen) {
    // Sent to nobody: it is forgotten, and has to be made once more (spacemesh.md §3.2).
    world.record.lost.push({
      id,
      name,
      at: world.now,
      cause: 'node',
      workedMs: world.now - prover.proofSince,
    });
    nudge(world, prover);
    return;
  }
  prover.taken = true;
  world.record.life(prover.index).doneAt = world.now;
  publishSoon(world, prover);
}

export function proofRefused(world: World, prover: SimulatedProver): void {
  prover.invalidProofs += 1;
  prover.failedAt = world.now;
  // It asks again in the next layer.
  prover.notBefore = world.now + world.farm.node.clock.layer;
  nudge(world, prover);
}

function publishSoon(world: World, prover: SimulatedProver): void {
  world.surely(world.now + between(world.random, 1500, 6000), () => {
    if (!world.node.up || world.node.quiet) {
      publishSoon(world, prover);
      return;
    }
    prover.taken = false;
    forget(prover);
    world.movedAt = world.now;
    if (prover.plan.demand === 'gap') {
      prover.published = true;
      world.record.life(prover.index).publishedAt = world.now;
    }
    prover.initialProof = true;
    registerWhenOpen(world, prover);
  });
}

function registerWhenOpen(world: World, prover: SimulatedProver): void {
  const { registrationOpens, registerBy } = deadlines(world.farm.node.clock, publishEpoch(world));
  const at = Math.max(world.now + between(world.random, 1000, 4000), registrationOpens);
  if (at >= registerBy) return;
  // Long after the last proof there is nothing left to simulate: it is written down now, and true from then on.
  world.record.life(prover.index).registeredAt = at;
  world.queue.add(at, () => {
    prover.registered = true;
  });
}

/** It stops and starts: all that were connected connect again, and nobody's work is lost (spacemesh.md §14.2). */
export function restartNode(world: World, downMs: number, idleMs: number): void {
  const { node } = world;
  node.up = false;
  node.container = 'not-running';
  node.life += 1;
  const { life } = node;
  for (const prover of world.provers) disconnect(world, prover);
  world.changed();
  const whileThisLife = (delay: number, run: () => void) =>
    world.surely(world.now + delay, () => {
      if (node.life === life) run();
    });
  whileThisLife(Math.min(GONE_MS, downMs), () => {
    node.container = 'running';
    node.startedAt = world.now;
    world.changed();
  });
  whileThisLife(downMs, () => {
    node.up = true;
    node.quiet = true;
    for (const prover of world.provers) if (prover.state === 'running') connectSoon(world, prover);
  });
  whileThisLife(downMs + idleMs, () => {
    node.quiet = false;
    for (const prover of world.provers) nudge(world, prover);
  });
}

function disconnect(world: World, prover: SimulatedProver): void {
  // A connection that is only believed in ends in earnest now.
  prover.halfOpen = false;
  if (!prover.connected) return;
  prover.connected = false;
  world.write(prover, 'post_service::client', 'disconnected: transport error', 'ERROR');
}

/** The publish epoch is over: what is not published is not wanted any more. */
export function expireDemands(world: World): void {
  for (const prover of world.provers) {
    if (prover.plan.demand === 'gap' && !prover.taken) forget(prover);
  }
}
