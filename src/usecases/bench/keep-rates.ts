import type { K2powResult } from '../../domain/bench/k2pow-rate.ts';
import type { DiskResult } from '../../domain/bench/result.ts';
import { withDiskRate, withK2powRate } from '../../domain/schedule/history.ts';
import type { Context } from '../context.ts';
import { updateHistory } from '../schedule/history.ts';

/** Writes what counts to the project's history; answers whether anything was written. */
export async function keepDiskRates(context: Context, results: readonly DiskResult[]): Promise<boolean> {
  const now = context.clock.now();
  const good = results.flatMap((result) => (result.kind === 'measured' && result.counts ? [result] : []));
  if (good.length === 0) return false;
  await updateHistory(context, (history) =>
    good.reduce((next, { disk, rate }) => withDiskRate(next, disk, rate.bytesPerSecond, now), history),
  );
  return true;
}

/** The same for k2pow. */
export async function keepK2powRate(context: Context, result: K2powResult): Promise<boolean> {
  if (result.kind === 'none') return false;
  const now = context.clock.now();
  await updateHistory(context, (history) => withK2powRate(history, result.hashesPerSecond, now));
  return true;
}
