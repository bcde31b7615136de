import { runJobStatus } from '../usecases/post-init/status.ts';
import { runJobStop } from '../usecases/post-init/stop.ts';
import type { Context, Invocation, OptionSpec } from './command.ts';
import { flagOption } from './options.ts';

/** Of `post init`, as far as they are about jobs that have been begun. */
export const POST_JOB_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--repair',
    summary: 'init: cut the piece of a label off files that end in one; it is kept in .smesh/cut',
  },
  {
    flags: '--during-gap',
    summary: 'init: start jobs also on disks of identities that have yet to prove; their reading gets slower',
  },
];

export function runPostStatus(
  _invocation: Invocation,
  context: Context,
  names: readonly string[],
): Promise<number> {
  return runJobStatus(context, names);
}

export function runPostStop(
  invocation: Invocation,
  context: Context,
  names: readonly string[],
): Promise<number> {
  return runJobStop(context, names, flagOption(invocation, 'dry-run'));
}
