import type { K2powResult } from '../../domain/bench/k2pow-rate.ts';
import type { DiskResult } from '../../domain/bench/result.ts';
import type { Project } from '../../domain/project/types.ts';
import { withDiskRate, withK2powRate } from '../../domain/schedule/history.ts';
import type { Context } from '../context.ts';
import { updateHistory } from '../schedule/history.ts';

/** Writes what counts to the project's history; answers whether anything was written. */
export async function keepDiskRates(
  context: Context,
  project: Project,
  results: readonly DiskResult[],
): Promise<boolean> {
  const named = new Set(project.identities.map(({ name }) => name));
  const counting = results.flatMap((result) =>
    // A disk that holds nothing of this project is none of its business.
    result.kind === 'measured' && result.counts && result.services.some((service) => named.has(service))
      ? [result]
      : [],
  );
  if (counting.length === 0) return false;
  const at = context.clock.now();
  await updateHistory(context, (history) =>
    counting.reduce((next, { disk, rate }) => withDiskRate(next, disk, rate.bytesPerSecond, at), history),
  );
  return true;
}

/** The same for k2pow. */
export async function keepK2powRate(context: Context, result: K2powResult): Promise<boolean> {
  if (result.kind !== 'measured') return false;
  const at = context.clock.now();
  await updateHistory(context, (history) => withK2powRate(history, result.hashesPerSecond, at));
  return true;
}
