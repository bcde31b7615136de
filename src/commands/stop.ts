import { runStop } from '../usecases/lifecycle/stop.ts';
import { defineCommand } from './command.ts';
import { flagOption } from './options.ts';
import { SAFETY_OPTIONS, safetyOptions } from './safety-options.ts';

export const stopCommand = defineCommand({
  name: 'stop',
  summary: 'stop post-services and node, each in a moment when no proof is lost',
  description:
    'Refuses (exit 5) while one of them proves or may prove, and while the cycle gap needs the node, and says what that would cost. What is stopped stays stopped, also after a reboot.',
  arguments: [
    { name: '[services...]', summary: 'only these services (names, or smesher IDs from eight digits)' },
  ],
  options: [
    { flags: '--dry-run', summary: 'show what would be stopped and what it costs' },
    ...SAFETY_OPTIONS,
  ],
  examples: [
    { command: 'smesh-compose stop post-0002', summary: 'before its disk is taken out' },
    { command: 'smesh-compose stop --wait 12h', summary: 'all of them, each when it is idle, the node last' },
  ],
  run(invocation, context) {
    return runStop(context, {
      services: invocation.arguments,
      dryRun: flagOption(invocation, 'dry-run'),
      ...safetyOptions(invocation, 'stop'),
    });
  },
});
