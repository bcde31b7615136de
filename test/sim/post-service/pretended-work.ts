import { setTimeout as sleep } from 'node:timers/promises';
import { cpuShare } from './cpu-share.ts';

const STEP_MS = 50;
/** More than this between two looks at the clock was no work: the process was frozen (`docker pause`). */
const LONGEST_STEP_MS = 500;

/**
 * Passes time as a busy thread would: it stands still while the process is frozen and goes slower under a CPU
 * quota, so that a proof survives both with its progress. Resolves with what has been worked: a little more than was
 * asked for.
 */
export async function pretendWork(ms: number, threads: number): Promise<number> {
  if (ms <= 0) return 0;
  let left = ms;
  let last = performance.now();
  while (left > 0) {
    const share = cpuShare(threads);
    await sleep(Math.max(1, Math.min(left / share, share < 0.2 ? 4 * STEP_MS : STEP_MS)));
    const now = performance.now();
    left -= Math.min(now - last, LONGEST_STEP_MS) * share;
    last = now;
  }
  return ms - left;
}
