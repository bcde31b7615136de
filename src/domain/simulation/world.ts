import type { SmesherId } from '../identity/smesher-id.ts';
import type { SchedulePolicy } from '../schedule/policy.ts';
import type { Farm } from './farm.ts';
import type { ProofDraw } from './proof-luck.ts';
import { SimulatedProver } from './prover.ts';
import { Queue } from './queue.ts';
import { type Random, seededRandom } from './random.ts';
import { Recorder } from './record.ts';

/** A k2pow-service: one job at a time, and everybody in turn. */
export interface RemoteQueue {
  serving: SimulatedProver | undefined;
  readonly waiting: SimulatedProver[];
}

export interface SimulatedNode {
  container: 'running' | 'not-running';
  startedAt: number;
  /** Its ports are open. */
  up: boolean;
  /** After a start all states read IDLE for a while (spacemesh.md §14.2). */
  quiet: boolean;
  /** Counts starts. */
  life: number;
}

/** Everything that is the case in a simulation at one moment. */
export class World {
  readonly farm: Farm;
  readonly policy: SchedulePolicy;
  readonly random: Random;
  readonly queue = new Queue();
  readonly provers: readonly SimulatedProver[];
  readonly byId: ReadonlyMap<SmesherId, SimulatedProver>;
  readonly record: Recorder;
  readonly node: SimulatedNode;
  readonly remote: ReadonlyMap<string, RemoteQueue>;
  /** Disks that are away. */
  readonly away = new Set<string>();
  readonly hidden = {
    services: new Set<SmesherId>(),
    logs: new Set<SmesherId>(),
    node: false,
    engine: false,
  };
  loopDead = false;
  now: number;
  /** Counts what has happened: between two equal counts only time has passed. */
  events = 0;
  /** Speeds have to be computed anew. */
  dirty = true;
  /** The last moment at which anything moved. */
  movedAt: number;
  /** Faults, demands and the like that are still to come. */
  toCome = 0;
  /** Somebody wrote a line or the engine told something: the loop looks. */
  wake: () => void = () => {};

  constructor(farm: Farm, draws: ReadonlyMap<SmesherId, ProofDraw>, policy: SchedulePolicy, seed: number) {
    this.farm = farm;
    this.policy = policy;
    this.random = seededRandom(seed);
    this.now = farm.node.startsAt;
    this.movedAt = this.now;
    this.provers = farm.identities.map((plan, index) => {
      const draw = draws.get(plan.id);
      if (draw === undefined) throw new Error(`${plan.name} has no draw`);
      return new SimulatedProver(plan, draw, index);
    });
    this.byId = new Map(this.provers.map((prover) => [prover.plan.id, prover]));
    this.record = new Recorder(this.provers.length);
    this.remote = new Map(
      [...farm.host.remote.keys()].map((address) => [address, { serving: undefined, waiting: [] }]),
    );
    // Long ago, unless something restarts it.
    this.node = {
      container: 'running',
      startedAt: this.now - 7 * 86_400_000,
      up: true,
      quiet: false,
      life: 0,
    };
  }

  /** Something has changed: speeds are computed anew, and the loop is woken. */
  changed(): void {
    // Also within one event: a last look before an act must not be taken for one after it.
    this.events += 1;
    this.dirty = true;
    this.movedAt = this.now;
    this.wake();
  }

  after(delayMs: number, run: () => void): void {
    this.queue.add(this.now + delayMs, run);
  }

  /** As `after`, and the simulation does not end before. */
  surely(at: number, run: () => void): void {
    this.toCome += 1;
    this.queue.add(at, () => {
      this.toCome -= 1;
      run();
    });
  }

  /** As `after`, unless its process has ended by then. */
  later(prover: SimulatedProver, delayMs: number, run: () => void): void {
    const { life } = prover;
    this.after(delayMs, () => {
      if (prover.life === life) run();
    });
  }

  /** A line in a prover's log. */
  write(prover: SimulatedProver, target: string, message: string, level?: string): void {
    prover.write(this.now, target, message, level);
    this.changed();
  }
}
