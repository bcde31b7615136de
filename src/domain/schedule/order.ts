import type { ScheduleObservation } from './observation.ts';
import type { SchedulePolicy } from './policy.ts';
import { rankOf, type Worker } from './worker.ts';

/** In which order the identities of one disk have their turn, and the disks among each other. */
export interface Turns {
  /** Of everybody who waits; smaller is earlier. */
  readonly turnOf: ReadonlyMap<Worker, number>;
  /** Reading that is left on a disk, of those at work and of those who wait, milliseconds. */
  readonly readingLeft: ReadonlyMap<string, number>;
  /** By the averages everybody is registered in time. */
  readonly fits: boolean;
}

interface Queue {
  readonly working: readonly Worker[];
  readonly waiting: readonly Worker[];
}

/**
 * The order that saves most reward (operators.md d.5). Who registers before the round starts keeps two epochs, who comes
 * later one, so those that make it go first, as many of them as possible: the shortest first, and of those that a disk has
 * just time for the largest in the last place. Where everybody makes it, and among those that do not, the longest
 * reading goes first, so that all together end early. Proofs that were invalid before wait for all others (S32).
 */
export function orderTurns(
  workers: readonly Worker[],
  waiting: readonly Worker[],
  observation: ScheduleObservation,
  policy: SchedulePolicy,
  now: number,
): Turns {
  const queues = new Map<string, { working: Worker[]; waiting: Worker[] }>();
  const queueOf = (disk: string) => {
    const known = queues.get(disk);
    if (known !== undefined) return known;
    const queue = { working: [], waiting: [] };
    queues.set(disk, queue);
    return queue;
  };
  for (const worker of workers) if (rankOf(worker) > 0) queueOf(worker.facts.disk).working.push(worker);
  for (const worker of waiting) queueOf(worker.facts.disk).waiting.push(worker);

  const timeLeft = observation.timeline.deadlines.registerBy - now;
  const readingLeft = new Map<string, number>();
  let k2pow = 0;
  let longest = 0;
  for (const [disk, { working, waiting: others }] of queues) {
    let left = 0;
    for (const worker of [...working, ...others]) {
      left += worker.readLeft;
      if (!worker.remote) k2pow += worker.k2powLeft;
    }
    readingLeft.set(disk, left);
    // Its first one has its k2pow before anybody reads.
    longest = Math.max(longest, left + (working.length > 0 ? 0 : (others[0]?.k2powLeft ?? 0)));
  }
  const fits = timeLeft > 0 && longest <= timeLeft && k2pow / policy.k2powSlots <= timeLeft;

  const turnOf = new Map<Worker, number>();
  let turn = 0;
  const give = (worker: Worker) => turnOf.set(worker, turn++);
  const failedBefore = waiting.filter(({ facts }) => facts.courtesy.invalidProofs > 0);
  const sound = waiting.filter(({ facts }) => facts.courtesy.invalidProofs === 0);
  const inTime = fits || timeLeft <= 0 ? new Set<Worker>() : choosePunctual(queues, timeLeft);
  const early = sound.filter((worker) => inTime.has(worker));
  const others = sound.filter((worker) => !inTime.has(worker));
  const byDisk = (a: Worker, b: Worker) =>
    (readingLeft.get(b.facts.disk) ?? 0) - (readingLeft.get(a.facts.disk) ?? 0);
  early.sort((a, b) => durationOf(a) - durationOf(b) || byDisk(a, b) || a.index - b.index).forEach(give);
  others
    .sort((a, b) => dueFirst(a, b) || byDisk(a, b) || b.readLeft - a.readLeft || a.index - b.index)
    .forEach(give);
  failedBefore.sort((a, b) => a.index - b.index).forEach(give);
  return { turnOf, readingLeft, fits };
}

/** An initial proof that misses this round has all the time until the next (operators.md §0.3); a due one has not. */
function dueFirst(a: Worker, b: Worker): number {
  return Number(isInitial(a)) - Number(isInitial(b));
}

function isInitial({ facts: { progress } }: Worker): boolean {
  return progress !== undefined && (progress.initialProof === 'no' || progress.due === 'no');
}

function durationOf({ preparingLeft, k2powLeft, readLeft }: Worker): number {
  return preparingLeft + k2powLeft + readLeft;
}

/** Who of each disk's queue is done in time: the most by number, and with the same number the most by units. */
function choosePunctual(queues: ReadonlyMap<string, Queue>, timeLeft: number): Set<Worker> {
  const chosen = new Set<Worker>();
  for (const { working, waiting } of queues.values()) {
    let room = timeLeft - working.reduce((sum, worker) => sum + worker.readLeft, 0);
    // k2pow is done ahead while the disk is busy; only the first of an idle disk has to wait for its own.
    let idle = working.length === 0;
    const taken: Worker[] = [];
    const byLength = [...waiting].sort((a, b) => durationOf(a) - durationOf(b) || a.index - b.index);
    for (const worker of byLength) {
      const needs = idle ? durationOf(worker) : worker.readLeft;
      if (needs > room) break;
      room -= needs;
      idle = false;
      taken.push(worker);
    }
    const last = taken.at(-1);
    if (last !== undefined) {
      const largest = byLength
        .slice(taken.length)
        .filter((worker) => worker.readLeft - last.readLeft <= room)
        .at(-1);
      if (largest !== undefined) taken[taken.length - 1] = largest;
    }
    for (const worker of taken) chosen.add(worker);
  }
  return chosen;
}
