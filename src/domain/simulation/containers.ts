import { USUAL_CONNECT_MS } from './farm.ts';
import { nudge } from './node-steps.ts';
import { leaveWorker } from './proof-steps.ts';
import type { Hold, SimulatedProver } from './prover.ts';
import { between } from './random.ts';
import type { LossCause } from './record.ts';
import type { World } from './world.ts';

const OPENS_MS = 400;

/** After which the engine forgets that it had failed. */
const RUNS_WELL_MS = 10_000;

/** Starts it, by whomever; nothing happens to one that runs, or whose data are away. */
export function startContainer(world: World, prover: SimulatedProver): void {
  if (prover.state === 'running') return;
  prover.stoppedByPerson = false;
  prover.life += 1;
  if (world.away.has(prover.plan.disk)) {
    prover.state = 'exited';
    prover.startError = `bind source path does not exist: /data/${prover.plan.name}`;
    world.changed();
    return;
  }
  prover.state = 'running';
  prover.startedAt = world.now;
  prover.startError = undefined;
  prover.oomKilled = false;
  prover.work = 'starting';
  world.record.life(prover.index).starts.push(world.now);
  world.record.held(prover.index, world.now, prover.hold !== 'none');
  world.write(prover, 'post_service', 'POST network parameters: simulated');
  world.later(prover, OPENS_MS, () => {
    prover.work = 'idle';
    world.dirty = true;
  });
  connectSoon(world, prover);
}

/** It tries every few seconds, and is connected once the node is up. */
export function connectSoon(world: World, prover: SimulatedProver): void {
  const [least, most] = world.farm.node.connectMs ?? USUAL_CONNECT_MS;
  world.later(prover, between(world.random, least, most), () => {
    if (!world.node.up || prover.connected || prover.state !== 'running') return;
    prover.connected = true;
    world.write(prover, 'post_service::client', 'obtained metadata: simulated');
    nudge(world, prover);
  });
}

/** Its process ends. `restarts`: and its policy starts another one. */
export function endContainer(
  world: World,
  prover: SimulatedProver,
  how: {
    readonly cause: LossCause;
    readonly exitCode: number;
    readonly oom?: boolean;
    readonly restarts: boolean;
  },
): void {
  if (prover.state !== 'running') return;
  // A process that cannot see its data has nothing to lose.
  if (prover.worksOnProof && !prover.dataGone) {
    const { id, name } = prover.plan;
    world.record.lost.push({
      id,
      name,
      at: world.now,
      cause: how.cause,
      workedMs: world.now - prover.proofSince,
    });
  }
  const { life } = prover;
  prover.life = life + 1;
  leaveWorker(world, prover);
  prover.work = 'none';
  prover.state = how.restarts ? 'restarting' : 'exited';
  prover.finishedAt = world.now;
  prover.exitCode = how.exitCode;
  prover.oomKilled = how.oom === true;
  prover.connected = false;
  // A question to a process that is gone will not be asked.
  prover.questionAt = -1;
  prover.halfOpen = false;
  prover.dataGone = false;
  prover.failsNext = false;
  world.record.phase(prover.index, world.now);
  world.record.held(prover.index, world.now, false);
  world.changed();
  if (!how.restarts) return;
  const ranWell = world.now - (prover.startedAt ?? 0) > RUNS_WELL_MS;
  prover.failures = ranWell ? 0 : prover.failures + 1;
  world.later(prover, Math.min(100 * 2 ** prover.failures, 60_000), () => startContainer(world, prover));
}

/** Sets or lifts the quota; it stays over restarts (spacemesh.md §14.6). */
export function holdContainer(world: World, prover: SimulatedProver, hold: Hold): void {
  prover.hold = hold;
  if (prover.state === 'running') world.record.held(prover.index, world.now, hold !== 'none');
  world.changed();
}

/**
 * Where memory is over, the one that has just filled its own dies. A dataset takes its memory bit by bit while it is built,
 * so one that is held in that has next to none of it yet.
 */
export function diesForMemory(world: World, prover: SimulatedProver): boolean {
  let memory = 0;
  for (const { memoryBytes, datasetBuilt } of world.provers) memory += memoryBytes * datasetBuilt;
  if (memory <= world.farm.host.physicalBytes) return false;
  endContainer(world, prover, { cause: 'oom', exitCode: 137, oom: true, restarts: true });
  return true;
}
