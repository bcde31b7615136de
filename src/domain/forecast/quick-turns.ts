import type { SchedulePolicy } from '../schedule/policy.ts';
import type { Job } from './quick-job.ts';

interface Estimate {
  readonly job: Job;
  readonly readMs: number;
  readonly ownMs: number;
}

/** Those that wait in the order of their turns, as `orderTurns` of the schedule has it, by averages. */
export function turnsOf(jobs: readonly Job[], timeLeft: number, policy: SchedulePolicy): readonly Job[] {
  const waiting = new Map<string, Estimate[]>();
  const readingLeft = new Map<string, number>();
  const working = new Set<string>();
  let k2pow = 0;
  for (const job of jobs) {
    const { disk } = job.identity;
    const left = readLeft(job);
    readingLeft.set(disk, (readingLeft.get(disk) ?? 0) + left);
    if (job.phase !== 'waiting') {
      if (job.phase !== 'done') working.add(disk);
      continue;
    }
    const { k2powMs, prepareMs } = job.cost;
    if (job.remote === undefined) k2pow += k2powMs;
    const estimate = { job, readMs: left, ownMs: left + k2powMs + prepareMs };
    const known = waiting.get(disk);
    if (known === undefined) waiting.set(disk, [estimate]);
    else known.push(estimate);
  }
  const longest = Math.max(0, ...readingLeft.values());
  const fits = timeLeft > 0 && longest <= timeLeft && k2pow / policy.k2powSlots <= timeLeft;
  const all = [...waiting.values()].flat();
  const punctual =
    fits || timeLeft <= 0 ? new Set<Estimate>() : choosePunctual(waiting, working, readingLeft, timeLeft);
  const byDisk = (a: Estimate, b: Estimate) =>
    (readingLeft.get(b.job.identity.disk) ?? 0) - (readingLeft.get(a.job.identity.disk) ?? 0);
  const early = all.filter((one) => punctual.has(one)).sort((a, b) => a.ownMs - b.ownMs || byDisk(a, b));
  const others = all.filter((one) => !punctual.has(one)).sort((a, b) => byDisk(a, b) || b.readMs - a.readMs);
  return [...early, ...others].map(({ job }) => job);
}

function readLeft(job: Job): number {
  switch (job.phase) {
    case 'done':
    case 'closing':
      return 0;
    case 'reading':
      return job.speed > 0 ? job.left / job.speed : 0;
    default:
      return job.cost.readMs;
  }
}

function choosePunctual(
  waiting: ReadonlyMap<string, readonly Estimate[]>,
  working: ReadonlySet<string>,
  readingLeft: ReadonlyMap<string, number>,
  timeLeft: number,
): Set<Estimate> {
  const chosen = new Set<Estimate>();
  for (const [disk, estimates] of waiting) {
    const ofWaiting = estimates.reduce((sum, one) => sum + one.readMs, 0);
    let room = timeLeft - ((readingLeft.get(disk) ?? 0) - ofWaiting);
    let idle = !working.has(disk);
    const taken: Estimate[] = [];
    const byLength = [...estimates].sort((a, b) => a.ownMs - b.ownMs);
    for (const one of byLength) {
      const needs = idle ? one.ownMs : one.readMs;
      if (needs > room) break;
      room -= needs;
      idle = false;
      taken.push(one);
    }
    const last = taken.at(-1);
    if (last !== undefined) {
      const largest = byLength
        .slice(taken.length)
        .filter((one) => one.readMs - last.readMs <= room)
        .at(-1);
      if (largest !== undefined) taken[taken.length - 1] = largest;
    }
    for (const one of taken) chosen.add(one);
  }
  return chosen;
}
