import { coresOf } from './estimates.ts';
import { holdsIn } from './hold.ts';
import type { SchedulePolicy } from './policy.ts';
import { hasLostItsWorker, needsK2pow, rankOf, type Worker } from './worker.ts';

/**
 * Whose disk it is. `owner`: it may read. `ahead`: it works until it would read. `parked`: it has done what can be done
 * ahead. `excess`: it has no right to work now.
 */
export type Role = 'owner' | 'ahead' | 'parked' | 'excess';

/** Who of those that work, or are about to, may go on; and what is left for others. */
export interface Admission {
  readonly roles: ReadonlyMap<Worker, Role>;
  /** Claims by disk. */
  readonly owners: ReadonlyMap<string, Worker>;
  readonly aheadOn: ReadonlyMap<string, number>;
  /** For each disk, how long until its owner has read, milliseconds. */
  readonly waitOn: ReadonlyMap<string, number>;
  /** Until those that work ahead have to be held, milliseconds. */
  readonly holdsIn: ReadonlyMap<Worker, number>;
  /** Those that have begun and wait for a k2pow slot: they come before anybody new. */
  readonly queued: { readonly owners: number; readonly ahead: number };
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
  readonly #failures: ReadonlyMap<string, number>;

  /** @param failures by address of a k2pow-service, how many it has failed of late */
  constructor(policy: SchedulePolicy, failures: ReadonlyMap<string, number> = new Map()) {
    this.#policy = policy;
    this.#failures = failures;
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

  /** Of one that is not to begin after all. */
  giveMemoryBack(worker: Worker): void {
    this.#memory += worker.memory;
    this.#proofs -= 1;
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
    // Who has been started for that is not stopped again because the estimate has moved.
    const within = rankOf(worker) > 0 ? 3 : 1;
    const overlaps = worker.preparingLeft > 0 && this.#soonestEnd <= within * worker.preparingLeft;
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
    const slots = this.#policy.remoteK2powSlots - (this.#failures.get(address) ?? 0);
    return this.#remote.get(address) ?? Math.max(slots, 1);
  }
}

/**
 * Decides who of the provers that work already may go on (design §7): of each disk the one that is furthest reads, the
 * others of it only do what needs no disk; k2pow slots and threads go to those first whose disk waits for them. Memory is
 * counted, and never a reason to end what has it.
 */
export function admit(workers: readonly Worker[], policy: SchedulePolicy): Admission {
  const claimants = workers.filter((worker) => rankOf(worker) > 0);
  const budget = new Budget(policy, failuresOf(workers));
  for (const worker of claimants) budget.takeMemory(worker);

  const owners = new Map<string, Worker>();
  for (const worker of claimants) {
    const { disk } = worker.facts;
    const known = owners.get(disk);
    if (known === undefined || isFurther(worker, known)) owners.set(disk, worker);
  }
  const waitOn = new Map(
    [...owners].map(([disk, { preparingLeft, k2powLeft, readLeft }]) => [
      disk,
      preparingLeft + k2powLeft + readLeft,
    ]),
  );
  const isOwner = (worker: Worker) => owners.get(worker.facts.disk) === worker;
  const holds = new Map<Worker, number>();
  const queued = { owners: 0, ahead: 0 };
  const roles = new Map<Worker, Role>();
  const aheadOn = new Map<string, number>();
  const order = inOrder(claimants, isOwner);
  const tooMany = new Set<Worker>();
  // Who has not begun has no memory yet: the last ones of them are the first to give way where it is short.
  for (const worker of [...order].reverse()) {
    if (worker.stage !== 'beginning' || budget.overMemory() === 0) continue;
    budget.giveMemoryBack(worker);
    tooMany.add(worker);
  }
  for (const worker of order) {
    const { disk } = worker.facts;
    const owner = isOwner(worker);
    const k2pow = needsK2pow(worker);
    if (tooMany.has(worker)) {
      roles.set(worker, 'excess');
      continue;
    }
    if (!owner) {
      aheadOn.set(disk, (aheadOn.get(disk) ?? 0) + 1);
      // How long a disk stays busy is an estimate, and a wandering one at first: what was held for it is not let go for a
      // little more of it.
      const waitMs = (waitOn.get(disk) ?? 0) * (worker.held ? 2 : 1);
      const inMs = holdsIn(worker, waitMs, policy);
      holds.set(worker, inMs);
      // Held or about to be: it takes no slot from those that have something to do.
      if (inMs <= (worker.held ? (worker.groups?.groupMs ?? 0) : 0)) {
        roles.set(worker, 'parked');
        continue;
      }
    }
    if ((k2pow && !budget.hasK2pow(worker)) || !budget.hasThreads(worker)) {
      if (k2pow) queued[owner ? 'owners' : 'ahead'] += 1;
      roles.set(worker, 'excess');
      continue;
    }
    if (k2pow) budget.takeK2pow(worker);
    budget.takeThreads(worker);
    roles.set(worker, owner ? 'owner' : 'ahead');
  }
  return { roles, owners, aheadOn, waitOn, holdsIn: holds, queued, budget };
}

/**
 * A post-service ends with 101 when its k2pow-service answers anything unexpected (spacemesh.md §3.4): a worker has died,
 * or is about to. So many fewer ask it at once until they have their proofs (S37).
 */
function failuresOf(workers: readonly Worker[]): ReadonlyMap<string, number> {
  const failures = new Map<string, number>();
  for (const { facts } of workers) {
    const { remoteK2pow } = facts.settings;
    if (remoteK2pow === undefined || !hasLostItsWorker(facts)) continue;
    failures.set(remoteK2pow, (failures.get(remoteK2pow) ?? 0) + 1);
  }
  return failures;
}

/** Who has the first claim to slots and threads. */
function inOrder(claimants: readonly Worker[], isOwner: (worker: Worker) => boolean): readonly Worker[] {
  return [...claimants].sort(
    (a, b) =>
      Number(isOwner(b)) - Number(isOwner(a)) ||
      // Readers need no slot.
      Number(needsK2pow(a)) - Number(needsK2pow(b)) ||
      Number(rankOf(b) > 2) - Number(rankOf(a) > 2) ||
      // Of owners the one that needs it for the shortest time; of the others the one that has it.
      (isOwner(a) ? 0 : Number(a.held) - Number(b.held)) ||
      a.k2powLeft - b.k2powLeft ||
      Number(a.held) - Number(b.held) ||
      a.index - b.index,
  );
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
