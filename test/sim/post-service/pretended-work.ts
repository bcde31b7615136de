import { setTimeout as sleep } from 'node:timers/promises';
import { note } from '../common/ledger.ts';
import { cpuShare } from './cpu-share.ts';
import type { SharedDisk } from './shared-disk.ts';

const STEP_MS = 50;
/** More than this between two looks at the clock was no work: the process was frozen (`docker pause`). */
const LONGEST_STEP_MS = 500;
/** Below it a quota is a hold (spacemesh.md §14.6). */
const HELD_BELOW = 0.05;

let isHeld = false;

/**
 * Passes time as a busy thread would: it stands still while the process is frozen and goes slower under a CPU
 * quota, so that a proof survives both with its progress. Resolves with what has been worked: a little more than was
 * asked for.
 *
 * @param disk what the work reads from, shared with others
 */
export async function pretendWork(ms: number, threads: number, disk?: SharedDisk): Promise<number> {
  if (ms <= 0) return 0;
  let left = ms;
  let last = performance.now();
  while (left > 0) {
    const cpu = cpuShare(threads);
    noteHold(cpu);
    // One that crawls takes nothing that another reader would feel.
    const share = cpu * (disk === undefined || isHeld ? 1 : disk.share());
    await sleep(Math.max(1, Math.min(left / share, cpu < 0.2 ? 4 * STEP_MS : STEP_MS)));
    const now = performance.now();
    left -= Math.min(now - last, LONGEST_STEP_MS) * share;
    last = now;
  }
  return ms - left;
}

/** As the prover itself feels it; with no work to do it feels nothing. */
function noteHold(share: number): void {
  if (share < HELD_BELOW === isHeld) return;
  isHeld = share < HELD_BELOW;
  note(isHeld ? 'held' : 'lifted', { share });
}
