import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * The part of its threads' time that this process may use under a CPU quota, 0..1. A real prover is bound by
 * the CPU and slows to a crawl under a quota (spacemesh.md §14.6); pretended work has to be told.
 */
export function cpuShare(threads: number): number {
  const cores = quotaV2() ?? quotaV1() ?? Number.POSITIVE_INFINITY;
  const wanted = threads === 0 ? availableParallelism() : threads;
  return Math.min(1, cores / Math.min(wanted, availableParallelism()));
}

function quotaV2(): number | undefined {
  const [quota, period] = read('/sys/fs/cgroup/cpu.max')?.split(' ') ?? [];
  return quota === undefined || quota === 'max' ? undefined : Number(quota) / Number(period);
}

function quotaV1(): number | undefined {
  const quota = read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
  const period = read('/sys/fs/cgroup/cpu/cpu.cfs_period_us');
  if (quota === undefined || period === undefined || Number(quota) <= 0) return undefined;
  return Number(quota) / Number(period);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
