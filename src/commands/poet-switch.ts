import { ExitCode, SmeshError } from '../domain/errors.ts';
import { cancelSwitch, runRecover, runSwitch } from '../usecases/poet-switch/index.ts';
import type { Context, ExampleSpec, Invocation, OptionSpec } from './command.ts';
import { durationOption, flagOption, textOption } from './options.ts';
import { waitOption } from './safety-options.ts';

/** A node that waits for PoETs that are away takes 18 min for each (spacemesh.md §9.1). */
const DEFAULT_TIMEOUT_MS = 2 * 3600 * 1000;

/** Options of `poet switch` and `poet recover`; `--dry-run` and `--timeout` are the command's own. */
export const SWITCH_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--to <preset|file>',
    summary: 'switch: a preset (default), or a file with servers, phaseShift and cycleGap',
  },
  { flags: '--cancel', summary: 'switch: take back one that is under way' },
  {
    flags: '--wait [duration]',
    summary: 'switch: wait for the window, and until everybody is registered with the new PoETs',
  },
  {
    flags: '--start-time <duration>',
    summary:
      'switch: how long the node takes from its stop to its open ports (default: a layer, 20 s to 3 min)',
  },
  {
    flags: '--delete-registrations',
    summary:
      'switch, recover: where the round has begun, give it up instead of putting the old PoETs back: an epoch is lost',
  },
  {
    flags: '--start-timeout <duration>',
    summary: 'switch, recover: how long the node may take to be healthy again (default: 2h)',
  },
];

export const SWITCH_EXAMPLES: readonly ExampleSpec[] = [
  {
    command: 'smesh-compose poet switch --to late.yaml --dry-run',
    summary: 'when it can be done, what it costs, step by step',
  },
  {
    command: 'smesh-compose poet switch --to default --wait',
    summary: 'wait for the window and change in it',
  },
  {
    command: 'smesh-compose poet recover',
    summary: 'a node that ends again and again since its PoETs were changed',
  },
];

function refuseOthers(invocation: Invocation, names: readonly string[]): void {
  for (const name of names) {
    const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = invocation.options[key];
    if (value === undefined || value === false) continue;
    throw new SmeshError('bad-option', ExitCode.usage, `--${name} is of no use with --cancel`);
  }
}

/** `poet switch`: see src/usecases/poet-switch/run.ts. */
export function runPoetSwitch(invocation: Invocation, context: Context): Promise<number> {
  const timeoutMs = durationOption(invocation, 'start-timeout') ?? DEFAULT_TIMEOUT_MS;
  const dryRun = flagOption(invocation, 'dry-run');
  if (flagOption(invocation, 'cancel')) {
    refuseOthers(invocation, ['to', 'wait', 'dry-run', 'start-time', 'delete-registrations']);
    return cancelSwitch(context, { timeoutMs });
  }
  const to = textOption(invocation, 'to');
  const wait = waitOption(invocation, 'poet');
  const startMs = durationOption(invocation, 'start-time');
  return runSwitch(context, {
    dryRun,
    timeoutMs,
    deleteRegistrations: flagOption(invocation, 'delete-registrations'),
    ...(to === undefined ? {} : { to }),
    ...(wait === undefined ? {} : { wait }),
    ...(startMs === undefined ? {} : { startMs }),
  });
}

/** `poet recover`: see src/usecases/poet-switch/recover.ts. */
export function runPoetRecover(invocation: Invocation, context: Context): Promise<number> {
  return runRecover(context, {
    dryRun: flagOption(invocation, 'dry-run'),
    deleteRegistrations: flagOption(invocation, 'delete-registrations'),
    timeoutMs: durationOption(invocation, 'start-timeout') ?? DEFAULT_TIMEOUT_MS,
  });
}
