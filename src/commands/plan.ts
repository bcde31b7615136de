import { ExitCode } from '../domain/errors.ts';
import { planExitCode } from '../ui/plan.ts';
import { showPlan } from '../usecases/up.ts';
import { defineCommand } from './command.ts';
import { flagOption } from './options.ts';

export const planCommand = defineCommand({
  name: 'plan',
  summary: 'show what up would do, why, and what it costs',
  description:
    'Makes the same checks as up and changes nothing. Ends with 0; with --check it ends with 10 when up would change something.',
  arguments: [
    { name: '[services...]', summary: 'only these services (names, or smesher IDs from eight digits)' },
  ],
  options: [
    { flags: '--check', summary: 'exit 10 when up would change something' },
    { flags: '--force', summary: 'what up --force would do' },
  ],
  examples: [
    { command: 'smesh-compose plan', summary: 'before up, and after a change of smesh.yaml' },
    {
      command: 'smesh-compose plan --check || notify',
      summary: 'in cron: does all run as smesh.yaml wants it?',
    },
  ],
  run(invocation, context) {
    const request = { services: invocation.arguments, force: flagOption(invocation, 'force') };
    const check = flagOption(invocation, 'check');
    return showPlan(context, request, ({ plan }) => (check ? planExitCode(plan) : ExitCode.ok));
  },
});
