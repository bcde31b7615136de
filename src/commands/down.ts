import { runDown } from '../usecases/down.ts';
import { defineCommand } from './command.ts';
import { flagOption } from './options.ts';

export const downCommand = defineCommand({
  name: 'down',
  summary: 'stop and remove the containers; data and keys stay',
  description:
    'Removes the containers and the network of the project and lists what is kept: PoST data, keys, databases, backups. Refuses while a post-service proves or may prove.',
  options: [
    { flags: '--dry-run', summary: 'show what would be removed and what stays' },
    { flags: '--force', summary: 'throw away proofs in progress' },
  ],
  examples: [{ command: 'smesh-compose down --dry-run', summary: 'see what stays before anything goes' }],
  run(invocation, context) {
    return runDown(context, {
      force: flagOption(invocation, 'force'),
      dryRun: flagOption(invocation, 'dry-run'),
    });
  },
});
