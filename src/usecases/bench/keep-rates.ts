import type { K2powResult } from '../../domain/bench/k2pow-rate.ts';
import type { DiskResult } from '../../domain/bench/result.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

/** Writes what counts to the project's history; answers whether anything was written. */
export async function keepDiskRates(
  _context: Context,
  _project: Project,
  _results: readonly DiskResult[],
): Promise<boolean> {
  return false;
}

/** The same for k2pow. */
export async function keepK2powRate(_context: Context, _result: K2powResult): Promise<boolean> {
  return false;
}
