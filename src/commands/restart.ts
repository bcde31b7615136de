import { runRestart } from '../usecases/lifecycle/restart.ts';
import { defineCommand } from './command.ts';
import { durationOption, flagOption } from './options.ts';
import { SAFETY_OPTIONS, safetyOptions } from './safety-options.ts';

/** A node that migrates its database may take hours (spacemesh.md §4). */
const DEFAULT_TIMEOUT_MS = 6 * 3600 * 1000;

export const restartCommand = defineCommand({
  name: 'restart',
  summary: 'restart what runs, each in a moment when no proof is lost',
  description:
    'A post-service that proves, or may prove, is refused (exit 5) with what it would cost. A restart of the node loses no proof; it is refused only while the cycle gap needs it.',
  arguments: [
    { name: '[services...]', summary: 'only these services (names, or smesher IDs from eight digits)' },
  ],
  options: [
    { flags: '--dry-run', summary: 'show what would be restarted and what it costs' },
    ...SAFETY_OPTIONS,
    { flags: '--detach', summary: 'do not wait until all are healthy again' },
    { flags: '--timeout <duration>', summary: 'how long to wait until all are healthy (default: 6h)' },
  ],
  examples: [
    { command: 'smesh-compose restart post-0002', summary: 'when its connection to the node is broken' },
    { command: 'smesh-compose restart node --wait', summary: 'as soon as nobody needs it' },
  ],
  run(invocation, context) {
    const timeoutMs = durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS;
    return runRestart(context, {
      services: invocation.arguments,
      dryRun: flagOption(invocation, 'dry-run'),
      ...safetyOptions(invocation, 'restart'),
      ...(flagOption(invocation, 'detach') ? {} : { healthyWithinMs: timeoutMs }),
    });
  },
});
