import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Context, Invocation, OptionSpec } from './command.ts';

export const POST_VERIFY_OPTIONS: readonly OptionSpec[] = [];

export async function runPostVerify(
  _invocation: Invocation,
  _context: Context,
  _places: readonly string[],
): Promise<number> {
  throw new SmeshError('not-yet', ExitCode.usage, 'post verify is not written yet');
}
