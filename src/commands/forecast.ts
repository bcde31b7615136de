import { ExitCode, SmeshError } from '../domain/errors.ts';
import { runForecast } from '../usecases/forecast/run.ts';
import { defineCommand } from './command.ts';
import { integerOption, textOption } from './options.ts';

const MOST_RUNS = 10_000;

/**
 * `forecast`: will everybody be proved in the next cycle gap? Changes nothing, needs no lock and no engine.
 *
 * Exit codes: 0 everybody registers in at least nine of ten runs, 3 somebody will probably miss the registration.
 */
export const forecastCommand = defineCommand({
  name: 'forecast',
  summary: 'will all proofs fit into the next cycle gap, who misses it, and what would help',
  description:
    'Runs the schedule many times with other luck, from the data on the disks, the budgets of smesh.yaml or the machine, and measured speeds (see bench) or stated defaults. Needs no running Docker. Exit code 0: everybody registers in at least nine of ten runs, 3: somebody will probably miss it.',
  options: [
    {
      flags: '--gap <which>',
      summary: '`next` (default) or `current`: the one that is open, with who is left',
    },
    { flags: '--nonces <n>', summary: 'as if all proved with so many nonces' },
    { flags: '--threads <n>', summary: 'as if all proved with so many threads; 0: all cores' },
    { flags: '--runs <n>', summary: 'how often luck is drawn (default: as often as takes a few seconds)' },
  ],
  examples: [
    { command: 'smesh-compose forecast', summary: 'the next gap, disk by disk' },
    { command: 'smesh-compose forecast --nonces 128', summary: 'what if' },
    {
      command: 'smesh-compose forecast --json || mail …',
      summary: 'from cron: exit code 3 means that it does not fit',
    },
  ],
  run(invocation, context) {
    const gap = textOption(invocation, 'gap') ?? 'next';
    if (gap !== 'next' && gap !== 'current') {
      throw new SmeshError(
        'bad-option',
        ExitCode.usage,
        `--gap wants next or current, not ${JSON.stringify(gap)}`,
      );
    }
    const nonces = integerOption(invocation, 'nonces', { min: 16, max: 4096 });
    if (nonces !== undefined && nonces % 16 !== 0) {
      throw new SmeshError('bad-option', ExitCode.usage, `--nonces wants a multiple of 16, not ${nonces}`);
    }
    const threads = integerOption(invocation, 'threads', { min: 0, max: 65_536 });
    const runs = integerOption(invocation, 'runs', { min: 1, max: MOST_RUNS });
    return runForecast(context, {
      gap,
      ...(nonces === undefined ? {} : { nonces }),
      ...(threads === undefined ? {} : { threads }),
      ...(runs === undefined ? {} : { runs }),
    });
  },
});
