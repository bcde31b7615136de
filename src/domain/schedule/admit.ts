import { coresOf } from './estimates.ts';
import type { SchedulePolicy } from './policy.ts';
import { rankOf, type Worker } from './worker.ts';

/** Whose disk it is. `owner`: it may read. `ahead`: it works until it would read. `excess`: it has no right to work. */
export type Role = 'owner' | 'ahead' | 'excess';

/** Who of those that work, or are about to, may go on; and what is left for others. */
export interface Admission {
  readonly roles: ReadonlyMap<Worker, Role>;
  /** Claims by disk. */
  readonly owners: ReadonlyMap<string, Worker>;
  readonly aheadOn: ReadonlyMap<string, number>;
  readonly budget: Budget;
}

/** What is left of the machine. Counts down as it is given away. */
export class Budget {
  readonly #policy: SchedulePolicy;
  #memory: number;
  #proofs = 0;
  #threads: number;
  #threadUsers = 0;
  #k2pow: number;
  #preparing = 0;
  /** The soonest end of a k2pow that runs: the next may prepare towards it. */
  #soonestEnd = Number.POSITIVE_INFINITY;
  readonly #remote = new Map<string, number>();

  constructor(policy: SchedulePolicy) {
    this.#policy = policy;
    this.#memory = policy.memoryBytes;
    this.#threads = policy.threads ?? Number.POSITIVE_INFINITY;
    this.#k2pow = policy.k2powSlots;
  }

  /** Memory cannot be taken back from whoever has it, held or not. */
  takeMemory(worker: Worker): void {
    this.#memory -= worker.memory;
    this.#proofs += 1;
  }

  /** One proof is always possible: a budget below that would be no schedule. */
  hasMemory(worker: Worker): boolean {
    return this.#proofs === 0 || this.#memory >= worker.memory;
  }

  /** Bytes that proofs have beyond the budget; 0 where they keep within it. */
  overMemory(): number {
    return this.#proofs > 1 ? Math.max(-this.#memory, 0) : 0;
  }

  hasThreads(worker: Worker): boolean {
    return this.#threadUsers === 0 || this.#threads >= coresOf(worker.facts.settings, this.#policy);
  }

  takeThreads(worker: Worker): void {
    this.#threads -= coresOf(worker.facts.settings, this.#policy);
    this.#threadUsers += 1;
  }

  /** Room for one more that does k2pow, or prepares for it. */
  hasK2pow(worker: Worker): boolean {
    if (worker.facts.settings.remoteK2pow !== undefined) {
      return this.#remoteLeft(worker.facts.settings.remoteK2pow) > 0;
    }
    // Whoever computes already is not stopped by one that only prepares to.
    if (rankOf(worker) >= rankOf({ stage: 'k2pow' })) return this.#k2pow > 0;
    if (this.#k2pow - this.#preparing > 0) return true;
    // The dataset is built by one thread: it may overlap with the end of the k2pow that runs (operators.md §0.9).
    const overlaps = worker.preparingLeft > 0 && this.#soonestEnd <= worker.preparingLeft;
    return overlaps && this.#preparing === 0;
  }

  takeK2pow(worker: Worker): void {
    const { remoteK2pow } = worker.facts.settings;
    if (remoteK2pow !== undefined) {
      this.#remote.set(remoteK2pow, this.#remoteLeft(remoteK2pow) - 1);
    } else if (rankOf(worker) < rankOf({ stage: 'k2pow' })) {
      this.#preparing += 1;
    } else {
      this.#k2pow -= 1;
      this.#soonestEnd = Math.min(this.#soonestEnd, worker.k2powLeft);
    }
  }

  #remoteLeft(address: string): number {
    return this.#remote.get(address) ?? this.#policy.remoteK2powSlots;
  }
}

/**
 * Decides who of the provers that work already may go on (design §7): of each disk the one that is furthest reads, the
 * others of it only do what needs no disk; k2pow slots and threads go to those first whose disk waits for them. Memory is
 * counted, and never a reason to end what has it.
 */
export function admit(workers: readonly Worker[], policy: SchedulePolicy): Admission {
  const claimants = workers.filter((worker) => rankOf(worker) > 0);
  const budget = new Budget(policy);
  for (const worker of claimants) budget.takeMemory(worker);

  const owners = new Map<string, Worker>();
  for (const worker of claimants) {
    const { disk } = worker.facts;
    const known = owners.get(disk);
    if (known === undefined || isFurther(worker, known)) owners.set(disk, worker);
  }
  const isOwner = (worker: Worker) => owners.get(worker.facts.disk) === worker;
  const order = [...claimants].sort(
    (a, b) =>
      Number(isOwner(b)) - Number(isOwner(a)) ||
      // Readers need no slot; then whoever needs it for the shortest time.
      Number(needsK2pow(a)) - Number(needsK2pow(b)) ||
      Number(rankOf(b) > 2) - Number(rankOf(a) > 2) ||
      a.k2powLeft - b.k2powLeft ||
      Number(a.held) - Number(b.held) ||
      a.index - b.index,
  );
  const roles = new Map<Worker, Role>();
  const aheadOn = new Map<string, number>();
  for (const worker of order) {
    const owner = isOwner(worker);
    const k2pow = needsK2pow(worker);
    const fits = (!k2pow || budget.hasK2pow(worker)) && budget.hasThreads(worker);
    // One who would read next has nothing to do ahead.
    const mayWork = fits && (owner || k2pow);
    if (mayWork) {
      if (k2pow) budget.takeK2pow(worker);
      budget.takeThreads(worker);
    }
    if (!owner) aheadOn.set(worker.facts.disk, (aheadOn.get(worker.facts.disk) ?? 0) + 1);
    roles.set(worker, mayWork ? (owner ? 'owner' : 'ahead') : 'excess');
  }
  return { roles, owners, aheadOn, budget };
}

export function needsK2pow({ stage }: Pick<Worker, 'stage'>): boolean {
  return stage === 'beginning' || stage === 'preparing' || stage === 'k2pow';
}

/** Whether `a` is further on its way than `b`; of two that read, who is done sooner. */
function isFurther(a: Worker, b: Worker): boolean {
  const byStage = rankOf(a) - rankOf(b);
  if (byStage !== 0) return byStage > 0;
  const reads = a.stage === 'reading';
  if (reads && a.held !== b.held) return b.held;
  const byWork = reads ? a.readLeft - b.readLeft : a.k2powLeft - b.k2powLeft || a.readLeft - b.readLeft;
  // Estimates wander: only a clear lead counts, else two would take turns.
  return byWork < -1000;
}
