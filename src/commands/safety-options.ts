import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { SafetyOptions } from '../usecases/lifecycle/act-when-safe.ts';
import type { Invocation, OptionSpec } from './command.ts';
import { durationOption, flagOption } from './options.ts';

/** Options of every command that stops something which may prove. */
export const SAFETY_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--wait [duration]',
    summary:
      'wait for a safe moment, for at most so long (90m, 12h, a bare number: seconds; default: as long as it takes)',
  },
  { flags: '--force', summary: 'do it at once, after saying what is lost by it' },
];

/**
 * What `--wait` and `--force` say. Both together contradict each other (exit 2).
 *
 * @param command its name, where names of services can stand behind it
 */
export function safetyOptions(invocation: Invocation, command?: string): SafetyOptions {
  const force = flagOption(invocation, 'force');
  const wait = waitOption(invocation, command);
  if (force && wait !== undefined) {
    throw new SmeshError('bad-option', ExitCode.usage, '--wait and --force contradict each other', {
      hint: '--wait loses nothing; --force waits for nothing.',
    });
  }
  return { force, ...(wait === undefined ? {} : { wait }) };
}

/** `--wait`, `--wait 12h`; absent when it was not given. */
export function waitOption(invocation: Invocation, command: string | undefined): SafetyOptions['wait'] {
  const value = invocation.options['wait'];
  if (value === undefined || value === false) return undefined;
  if (value === true) return {};
  if (typeof value === 'string' && !/^\d/.test(value)) {
    // `stop --wait post-0003`: the name was taken for the duration.
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--wait takes a duration such as 90m or 12h, not ${JSON.stringify(value)}. Nothing was changed.`,
      command === undefined
        ? {}
        : {
            hint: `If it is a name, it goes before:  smesh-compose ${[command, ...invocation.arguments, value].join(' ')} --wait`,
          },
    );
  }
  const timeoutMs = durationOption(invocation, 'wait');
  return timeoutMs === undefined ? {} : { timeoutMs };
}
