import { endContainer, startContainer } from './containers.ts';
import type { Fault } from './faults.ts';
import { restartNode } from './node-steps.ts';
import { loseData } from './proof-steps.ts';
import type { SimulatedProver } from './prover.ts';
import type { World } from './world.ts';

/** Puts a script of faults on the simulation's clock. */
export function scheduleFaults(world: World, faults: readonly Fault[]): void {
  const began = world.now;
  for (const fault of faults) {
    world.surely(began + fault.at, () => happen(world, fault));
    if ('until' in fault && fault.until !== undefined) {
      world.surely(began + fault.until, () => isOver(world, fault));
    }
  }
}

function proverOf(world: World, fault: Extract<Fault, { readonly id: unknown }>): SimulatedProver {
  const prover = world.byId.get(fault.id);
  if (prover === undefined) throw new Error(`nobody has the identity ${fault.id}`);
  return prover;
}

function happen(world: World, fault: Fault): void {
  world.movedAt = world.now;
  switch (fault.kind) {
    case 'prover-crashes':
      endContainer(world, proverOf(world, fault), { cause: 'crash', exitCode: 101, restarts: true });
      break;
    case 'prover-oom':
      endContainer(world, proverOf(world, fault), {
        cause: 'oom',
        exitCode: 137,
        oom: true,
        restarts: true,
      });
      break;
    case 'person-restarts': {
      const prover = proverOf(world, fault);
      endContainer(world, prover, { cause: 'person', exitCode: 143, restarts: false });
      startContainer(world, prover);
      break;
    }
    case 'person-stops': {
      const prover = proverOf(world, fault);
      if (prover.state === 'running') {
        endContainer(world, prover, { cause: 'person', exitCode: 143, restarts: false });
        prover.stoppedByPerson = true;
      }
      break;
    }
    case 'person-starts-all':
      for (const prover of world.provers) startContainer(world, prover);
      break;
    case 'node-restarts':
      restartNode(world, fault.downMs, fault.idleMs);
      break;
    case 'disk-vanishes':
      world.away.add(fault.disk);
      for (const prover of world.provers) if (prover.plan.disk === fault.disk) vanish(world, prover);
      world.changed();
      break;
    case 'proof-fails':
      // Of the proof that it works on, if it does.
      if (proverOf(world, fault).worksOnProof) proverOf(world, fault).failsNext = true;
      break;
    case 'proof-invalid':
      proverOf(world, fault).invalidNext = true;
      break;
    case 'half-open': {
      const prover = proverOf(world, fault);
      if (prover.connected) prover.halfOpen = true;
      break;
    }
    case 'loop-dead':
      world.loopDead = true;
      for (const prover of world.provers) prover.memory = undefined;
      break;
    default:
      hide(world, fault, true);
  }
}

function vanish(world: World, prover: SimulatedProver): void {
  if (prover.state !== 'running') return;
  // A process keeps the mount that it was started with: the disk's return does not help it (spacemesh.md §14.6).
  loseData(world, prover);
}

function isOver(world: World, fault: Fault): void {
  world.movedAt = world.now;
  switch (fault.kind) {
    case 'disk-vanishes':
      world.away.delete(fault.disk);
      world.changed();
      break;
    case 'loop-dead':
      world.loopDead = false;
      world.wake();
      break;
    default:
      hide(world, fault, false);
  }
}

function hide(world: World, fault: Fault, hidden: boolean): void {
  const { services, logs } = world.hidden;
  switch (fault.kind) {
    case 'service-silent':
      if (hidden) services.add(fault.id);
      else services.delete(fault.id);
      break;
    case 'log-missing':
      if (hidden) logs.add(fault.id);
      else logs.delete(fault.id);
      break;
    case 'node-unreachable':
      world.hidden.node = hidden;
      break;
    case 'engine-unreachable':
      world.hidden.engine = hidden;
      break;
    default:
      throw new Error(`${fault.kind} hides nothing`);
  }
}
