import type { Admission } from './admit.ts';
import type { ScheduleAct, Waiting, WaitReason } from './decision.ts';
import { canWorkAhead } from './hold.ts';
import type { Turns } from './order.ts';
import type { SchedulePolicy } from './policy.ts';
import type { Worker } from './worker.ts';

/**
 * Starts whom the budgets allow: first one for each disk that nobody works on, then, where a k2pow slot is left, one more
 * for disks that are busy, which is held before it reads. Says of everybody else why it waits.
 */
export function startWaiting(
  ready: readonly Worker[],
  { turnOf }: Turns,
  { owners, aheadOn, waitOn, queued, budget }: Admission,
  policy: SchedulePolicy,
): { readonly acts: readonly ScheduleAct[]; readonly waiting: readonly Waiting[] } {
  const acts: ScheduleAct[] = [];
  const waiting: Waiting[] = [];
  const turn = (worker: Worker) => turnOf.get(worker) ?? Number.POSITIVE_INFINITY;
  const queue = [...ready].sort((a, b) => turn(a) - turn(b) || a.index - b.index);
  const busy = new Set(owners.keys());
  const left: Worker[] = [];
  let short: WaitReason | undefined;
  for (const worker of queue) {
    const { disk } = worker.facts;
    if (busy.has(disk)) {
      left.push(worker);
      continue;
    }
    const lacks = queued.owners > 0 && !worker.remote ? 'k2pow' : missing(worker, budget);
    // Its turn is its turn: who comes after it on the same disk does not overtake it.
    busy.add(disk);
    if (lacks !== undefined) {
      short ??= lacks;
      waiting.push(waitingFor(worker, lacks));
      continue;
    }
    take(worker, budget);
    acts.push(started(worker, false, `the node wants a proof, ${disk} is free`));
  }
  // Only now: whoever waits for a slot or for memory beside a free disk comes before any work ahead.
  const ahead = new Map(aheadOn);
  for (let depth = 1; short === undefined && queued.ahead === 0 && depth <= policy.k2powSlots; depth += 1) {
    for (const worker of [...left]) {
      const { disk } = worker.facts;
      if ((ahead.get(disk) ?? 0) >= depth || !canWorkAhead(worker, waitOn.get(disk) ?? 0, policy)) continue;
      if (missing(worker, budget) !== undefined) continue;
      take(worker, budget);
      ahead.set(disk, (ahead.get(disk) ?? 0) + 1);
      left.splice(left.indexOf(worker), 1);
      acts.push(started(worker, true, `k2pow ahead of its turn, ${disk} is busy`));
    }
  }
  for (const worker of left) waiting.push(waitingFor(worker, 'disk'));
  const places = new Map(queue.map(({ facts }, place) => [facts.id, place]));
  const place = ({ id }: Waiting) => places.get(id) ?? 0;
  return { acts, waiting: waiting.sort((a, b) => place(a) - place(b)) };
}

function missing(worker: Worker, budget: Admission['budget']): WaitReason | undefined {
  if (!budget.hasMemory(worker)) return 'memory';
  if (!budget.hasK2pow(worker)) return 'k2pow';
  return budget.hasThreads(worker) ? undefined : 'threads';
}

function take(worker: Worker, budget: Admission['budget']): void {
  budget.takeMemory(worker);
  budget.takeThreads(worker);
  budget.takeK2pow(worker);
}

function started({ facts }: Worker, ahead: boolean, reason: string): ScheduleAct {
  const { id, name, containerId = '' } = facts;
  return { id, name, containerId, kind: 'start', ahead, reason };
}

const WORDS: Readonly<Partial<Record<WaitReason, string>>> = {
  k2pow: 'waits for a k2pow slot',
  memory: 'waits for memory',
  threads: 'waits for threads',
};

function waitingFor({ facts: { id, name, disk } }: Worker, why: WaitReason): Waiting {
  return { id, name, why, words: WORDS[why] ?? `waits for ${disk}` };
}
