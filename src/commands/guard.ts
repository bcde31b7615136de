import { runGuard } from '../usecases/lifecycle/guard.ts';
import { defineCommand } from './command.ts';

export const guardCommand = defineCommand({
  name: 'guard',
  summary: 'exit 75 while anything proves: for cron, reboots and update hooks',
  description:
    'Ends with 0 when everything may be stopped now, with 75 while a post-service proves or may prove, or while the cycle gap needs the node. Changes nothing.',
  arguments: [
    { name: '[services...]', summary: 'only these services (names, or smesher IDs from eight digits)' },
  ],
  examples: [
    { command: 'smesh-compose guard && reboot', summary: 'only when no proof is lost by it' },
    { command: 'smesh-compose guard post-0002', summary: 'one post-service, whatever the others do' },
  ],
  run(invocation, context) {
    return runGuard(context, { services: invocation.arguments });
  },
});
