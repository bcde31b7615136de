import type { SmesherId } from '../identity/smesher-id.ts';
import type { Decision, WaitReason } from './decision.ts';
import { groupCount } from './estimates.ts';
import type { ScheduleObservation } from './observation.ts';
import type { SchedulePolicy } from './policy.ts';
import { judgeWorker, rankOf, type Worker } from './worker.ts';

/** What is to be expected if the schedule goes on as it decides now; averages, no promise. */
export interface Outlook {
  /** When the proof of an identity is there, milliseconds since 1970; who cannot be expected to make one is missing. */
  readonly doneAt: ReadonlyMap<SmesherId, number>;
  /** What the proofs that are being made hold now, and what they may hold. */
  readonly memory: { readonly proofs: number; readonly bytes: number; readonly budget: number };
}

/** Waits that end by themselves; for the others somebody has to do something first. */
export const PATIENT: ReadonlySet<WaitReason> = new Set<WaitReason>(['disk', 'k2pow', 'memory', 'threads']);

/** One disk: when its last reader begins and when it is done. */
interface Lane {
  lastReads: number;
  free: number;
  readonly queue: Worker[];
}

/** What is taken from the machine until a time. */
interface Farm {
  readonly policy: SchedulePolicy;
  readonly lanes: Map<string, Lane>;
  /** Of this host under `''`, of k2pow-services under their address: when each slot is free. */
  readonly slots: Map<string, number[]>;
  held: { readonly end: number; readonly bytes: number }[];
}

/**
 * Queue arithmetic: on each disk the ones at work, then those who wait in the order of their turns, each with its k2pow
 * ahead where a slot and the memory for it are free. The same averages as in `decide`; thread budgets are left out.
 */
export function outlook(
  observation: ScheduleObservation,
  policy: SchedulePolicy,
  decision: Pick<Decision, 'acts' | 'waiting'>,
  now: number,
): Outlook {
  const workers = observation.provers.map((facts, index) =>
    judgeWorker(facts, index, observation, policy, now),
  );
  const farm: Farm = { policy, lanes: new Map(), slots: new Map(), held: [] };
  const doneAt = new Map<SmesherId, number>();

  const working = workers.filter((worker) => rankOf(worker) > 0);
  const memory = {
    proofs: working.length,
    bytes: working.reduce((sum, worker) => sum + worker.memory, 0),
    budget: policy.memoryBytes,
  };
  // Readers first: whoever is further has the disk.
  for (const worker of [...working].sort((a, b) => rankOf(b) - rankOf(a) || a.index - b.index)) {
    const end = goOn(farm, worker, now);
    if (worker.stage !== 'unclear') doneAt.set(worker.facts.id, end);
  }
  for (const { facts, stage } of workers) if (stage === 'handing-over') doneAt.set(facts.id, now);

  for (const worker of inTurn(workers, decision)) laneOf(farm, worker, now).queue.push(worker);
  let at = now;
  for (;;) {
    const next = nextToBegin(farm, at);
    if (next === undefined) break;
    const begins = memoryFor(farm, next.worker, next.begins);
    at = begins;
    next.lane.queue.shift();
    doneAt.set(next.worker.facts.id, begin(farm, next.lane, next.worker, begins));
  }
  return { doneAt, memory };
}

/** Who would be started now, then who waits for something that comes by itself. */
function inTurn(workers: readonly Worker[], { acts, waiting }: Pick<Decision, 'acts' | 'waiting'>): Worker[] {
  const byId = new Map(workers.map((worker) => [worker.facts.id, worker]));
  const ids = [
    ...acts.flatMap(({ kind, id }) => (kind === 'start' ? [id] : [])),
    ...waiting.flatMap(({ why, id }) => (PATIENT.has(why) ? [id] : [])),
  ];
  return ids.flatMap((id) => {
    const worker = byId.get(id);
    return worker === undefined || rankOf(worker) > 0 ? [] : [worker];
  });
}

function laneOf(farm: Farm, { facts: { disk } }: Worker, now: number): Lane {
  const known = farm.lanes.get(disk);
  if (known !== undefined) return known;
  const lane: Lane = { lastReads: now, free: now, queue: [] };
  farm.lanes.set(disk, lane);
  return lane;
}

function slotsOf({ slots, policy }: Farm, { facts }: Worker, now: number): number[] {
  const address = facts.settings.remoteK2pow ?? '';
  const known = slots.get(address);
  if (known !== undefined) return known;
  const count = address === '' ? policy.k2powSlots : policy.remoteK2powSlots;
  const made = Array.from({ length: Math.max(count, 1) }, () => now);
  slots.set(address, made);
  return made;
}

/** The end of one that is at work already. */
function goOn(farm: Farm, worker: Worker, now: number): number {
  const lane = laneOf(farm, worker, now);
  const before = worker.preparingLeft + worker.k2powLeft;
  if (before > 0 && !worker.held) takeSlot(slotsOf(farm, worker, now), now + before);
  // One that is held does the rest of its k2pow when the disk is its own.
  const reads =
    worker.stage === 'reading' ? now : worker.held ? lane.free + before : Math.max(lane.free, now + before);
  return read(farm, lane, worker, reads);
}

function takeSlot(slots: number[], until: number): void {
  const first = slots.indexOf(Math.min(...slots));
  slots[first] = Math.max(until, slots[first] ?? until);
}

function read(farm: Farm, lane: Lane, { readLeft, memory }: Worker, from: number): number {
  const end = from + readLeft;
  lane.lastReads = Math.max(lane.lastReads, from);
  lane.free = Math.max(lane.free, end);
  farm.held.push({ end, bytes: memory });
  return end;
}

function begin(farm: Farm, lane: Lane, worker: Worker, begins: number): number {
  const k2powEnds = begins + worker.preparingLeft + worker.k2powLeft;
  takeSlot(slotsOf(farm, worker, begins), k2powEnds);
  return read(farm, lane, worker, Math.max(k2powEnds, lane.free));
}

/** Of the first ones of all disks the one that can begin first. */
function nextToBegin(
  farm: Farm,
  at: number,
): { readonly lane: Lane; readonly worker: Worker; readonly begins: number } | undefined {
  let best: { lane: Lane; worker: Worker; begins: number } | undefined;
  for (const lane of farm.lanes.values()) {
    const [worker] = lane.queue;
    if (worker === undefined) continue;
    // One is prepared ahead, while the one before it reads.
    const turn = worksAhead(worker, farm.policy) ? lane.lastReads : lane.free;
    const begins = Math.max(at, turn, Math.min(...slotsOf(farm, worker, at)));
    if (best === undefined || begins < best.begins) best = { lane, worker, begins };
  }
  return best;
}

/** As `canWorkAhead`, without the question how long its disk stays busy. */
function worksAhead({ remote, facts: { settings } }: Worker, policy: SchedulePolicy): boolean {
  return policy.canHold && policy.worksAhead && settings.tellsGroups && !remote && groupCount(settings) > 2;
}

/** When its memory is free, at that time or later. One proof is always possible, also where the budget is below it. */
function memoryFor(farm: Farm, { memory }: Worker, begins: number): number {
  let at = begins;
  farm.held = farm.held.filter(({ end }) => end > at).sort((a, b) => a.end - b.end);
  let used = farm.held.reduce((sum, { bytes }) => sum + bytes, 0);
  while (used + memory > farm.policy.memoryBytes) {
    const first = farm.held.shift();
    if (first === undefined) break;
    used -= first.bytes;
    at = Math.max(at, first.end);
  }
  return at;
}
