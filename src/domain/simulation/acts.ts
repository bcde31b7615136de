import type { ScheduleAct } from '../schedule/decision.ts';
import { judgeWorker } from '../schedule/worker.ts';
import { endContainer, holdContainer, startContainer } from './containers.ts';
import { look, serviceOf } from './look.ts';
import type { SimulatedProver } from './prover.ts';
import type { World } from './world.ts';

/** Carries one act out, as the engine would. Stops and restarts ask the prover once more. */
export function performAct(world: World, act: ScheduleAct): void {
  const prover = world.byId.get(act.id);
  if (prover === undefined) throw new Error(`there is no prover ${act.name}`);
  const done = perform(world, prover, act);
  world.record.acts.push({
    at: world.now,
    kind: act.kind,
    name: prover.plan.name,
    reason: act.reason,
    ...(done ? {} : { refused: true as const }),
  });
}

function perform(world: World, prover: SimulatedProver, act: ScheduleAct): boolean {
  switch (act.kind) {
    case 'start':
      if (prover.state === 'running' || prover.state === 'restarting') return false;
      startContainer(world, prover);
      return true;
    case 'hold':
      holdContainer(world, prover, act.deep ? 'deep' : 'held');
      return true;
    case 'release':
      holdContainer(world, prover, 'none');
      return true;
    case 'stop':
      if (prover.state === 'restarting') {
        prover.life += 1;
        prover.state = 'exited';
        return true;
      }
      if (!hasNothing(world, prover)) return false;
      endContainer(world, prover, { cause: 'ours', exitCode: 143, restarts: false });
      return true;
    case 'restart': {
      if (!hasNothing(world, prover)) return false;
      const before = prover.restarts[act.mends]?.times ?? 0;
      prover.restarts = { ...prover.restarts, [act.mends]: { times: before + 1, at: world.now } };
      endContainer(world, prover, { cause: 'ours', exitCode: 143, restarts: false });
      startContainer(world, prover);
      return true;
    }
  }
}

/** The last question before it: whoever has begun since the look is left alone. */
function hasNothing(world: World, prover: SimulatedProver): boolean {
  if (prover.state !== 'running') return false;
  const status = serviceOf(world, prover);
  if (status.kind === 'idle' || status.kind === 'refused') return true;
  const observation = look(world);
  const facts = observation.provers[prover.index];
  if (facts === undefined) return false;
  return judgeWorker(facts, prover.index, observation, world.policy, world.now).risk.safe;
}
