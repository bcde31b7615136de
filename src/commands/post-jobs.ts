import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Context, Invocation, OptionSpec } from './command.ts';

export const POST_JOB_OPTIONS: readonly OptionSpec[] = [];

export async function runPostStatus(
  _invocation: Invocation,
  _context: Context,
  _names: readonly string[],
): Promise<number> {
  throw new SmeshError('not-yet', ExitCode.usage, 'post status is not written yet');
}

export async function runPostStop(
  _invocation: Invocation,
  _context: Context,
  _names: readonly string[],
): Promise<number> {
  throw new SmeshError('not-yet', ExitCode.usage, 'post stop is not written yet');
}
