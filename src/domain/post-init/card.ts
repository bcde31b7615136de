import { CPU_PROVIDER } from '../compose/init-jobs.ts';
import type { InitialisationJob, InitialisationSettings } from '../project/types.ts';

/** What a job without a card of its own computes on. */
export const CPU_CARD = 'CPU';

/**
 * What computes a job's labels, as far as smesh.yaml tells: two jobs with the same answer must not run side by side.
 *
 * @param index position among the jobs: cards are dealt out in turn (`initialisationService`)
 */
export function cardOf(job: InitialisationJob, settings: InitialisationSettings, index: number): string {
  const { gpu, devices } = settings;
  if (job.provider === CPU_PROVIDER || (gpu === 'cpu' && job.provider === undefined)) return CPU_CARD;
  if (job.device !== undefined) return job.device;
  if (job.provider !== undefined) return `provider ${job.provider}`;
  return devices[index % Math.max(devices.length, 1)] ?? 'provider 0';
}
