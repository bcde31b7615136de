import { runUp } from '../usecases/up.ts';
import { defineCommand } from './command.ts';
import { durationOption, flagOption } from './options.ts';

/** A node that migrates its database may take hours (spacemesh.md §4). */
const DEFAULT_TIMEOUT_MS = 6 * 3600 * 1000;

export const upCommand = defineCommand({
  name: 'up',
  summary: 'check, create and start the node and the post-services',
  description: [
    'Writes generated files that are out of date, checks everything first, starts nothing whose disk is away, and',
    'leaves alone whoever proves. Ends with 6 when something is not healthy or held back, naming it.',
  ].join(' '),
  arguments: [
    { name: '[services...]', summary: 'only these services (names, or smesher IDs from eight digits)' },
  ],
  options: [
    { flags: '--dry-run', summary: 'show the plan, change nothing' },
    {
      flags: '--force',
      summary: 'recreate also what is proving, and the node in or shortly before the cycle gap',
    },
    { flags: '--no-wait', summary: 'do not wait until all are healthy' },
    { flags: '--timeout <duration>', summary: 'how long to wait (default: 6h; a migration takes hours)' },
  ],
  examples: [
    { command: 'smesh-compose up', summary: 'start, or bring in line with smesh.yaml' },
    { command: 'smesh-compose up post-0009', summary: 'after its disk was mounted again' },
  ],
  run(invocation, context) {
    return runUp(context, {
      services: invocation.arguments,
      force: flagOption(invocation, 'force'),
      dryRun: flagOption(invocation, 'dry-run'),
      // commander makes `--no-wait` a `wait` that is true unless it is given.
      wait: invocation.options['wait'] !== false,
      timeoutMs: durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS,
    });
  },
});
