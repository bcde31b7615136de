import { runUp } from '../usecases/up.ts';
import { defineCommand } from './command.ts';
import { durationOption, flagOption } from './options.ts';
import { SAFETY_OPTIONS, safetyOptions } from './safety-options.ts';

/** A node that migrates its database may take hours (spacemesh.md §4). */
const DEFAULT_TIMEOUT_MS = 6 * 3600 * 1000;

export const upCommand = defineCommand({
  name: 'up',
  summary: 'check, create and start the node and the post-services',
  description: [
    'Writes generated files that are out of date, checks everything first, starts nothing whose disk is away, and',
    'leaves alone whoever proves, and the node while the cycle gap needs it (--wait: waits for them). Ends with 6 when something is not healthy or held back, naming it.',
  ].join(' '),
  arguments: [
    { name: '[services...]', summary: 'only these services (names, or smesher IDs from eight digits)' },
  ],
  options: [
    { flags: '--dry-run', summary: 'show the plan, change nothing' },
    ...SAFETY_OPTIONS,
    { flags: '--detach', summary: 'do not wait until all are healthy' },
    {
      flags: '--timeout <duration>',
      summary: 'how long to wait until all are healthy (default: 6h; a migration takes hours)',
    },
  ],
  examples: [
    { command: 'smesh-compose up', summary: 'start, or bring in line with smesh.yaml' },
    { command: 'smesh-compose up post-0009', summary: 'after its disk was mounted again' },
  ],
  run(invocation, context) {
    const { force, wait } = safetyOptions(invocation, 'up');
    const timeoutMs = durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS;
    return runUp(context, {
      services: invocation.arguments,
      force,
      dryRun: flagOption(invocation, 'dry-run'),
      ...(wait === undefined ? {} : { wait }),
      ...(flagOption(invocation, 'detach') ? {} : { healthyWithinMs: timeoutMs }),
    });
  },
});
