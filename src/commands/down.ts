import { runDown } from '../usecases/down.ts';
import { defineCommand } from './command.ts';
import { flagOption } from './options.ts';
import { SAFETY_OPTIONS, safetyOptions } from './safety-options.ts';

export const downCommand = defineCommand({
  name: 'down',
  summary: 'stop and remove the containers; data and keys stay',
  description:
    'Removes the containers and the network of the project and lists what is kept: PoST data, keys, databases, backups. Refuses (exit 5) while a post-service proves or may prove, and while the cycle gap needs the node.',
  options: [{ flags: '--dry-run', summary: 'show what would be removed and what stays' }, ...SAFETY_OPTIONS],
  examples: [
    { command: 'smesh-compose down --dry-run', summary: 'see what stays before anything goes' },
    { command: 'smesh-compose down --wait', summary: 'each when it is idle, the node last' },
  ],
  run(invocation, context) {
    return runDown(context, {
      ...safetyOptions(invocation, 'down'),
      dryRun: flagOption(invocation, 'dry-run'),
    });
  },
});
