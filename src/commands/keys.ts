import { ExitCode, SmeshError } from '../domain/errors.ts';
import { adoptLeases } from '../usecases/leases/adopt-leases.ts';
import { listKeys } from '../usecases/list-keys.ts';
import { loadProject } from '../usecases/load-project.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { flagOption, listOption } from './options.ts';

export const keysCommand = defineCommand({
  name: 'keys',
  summary: 'where each identity stands on this host, and who may start a node with it',
  description:
    'list (the default) looks through this project, all containers of the engine and the processes of the host; it ends with 5 when an identity is live in two places or its lease is held elsewhere, with 3 when nobody can say. adopt takes over keys that another host or project holds, after saying what must be true first.',
  arguments: [
    { name: '[action]', summary: 'list or adopt' },
    { name: '[identities...]', summary: 'names, or smesher IDs from four digits' },
  ],
  options: [
    { flags: '--all', summary: 'adopt: every key that another place holds' },
    {
      flags: '--confirm <host...>',
      summary: 'adopt without a terminal: the name of the host that had the keys; --yes is not enough',
    },
    {
      flags: '--dry-run',
      summary: 'adopt: say what must be true and what would be taken over, change nothing',
    },
  ],
  examples: [
    { command: 'smesh-compose keys', summary: 'is any identity in two places?' },
    { command: 'smesh-compose keys adopt --all', summary: 'after this project was moved to another host' },
  ],
  async run(invocation, context) {
    const [action = 'list', ...names] = invocation.arguments;
    if (action === 'list') {
      const { project } = await loadProject(context);
      return listKeys(context, project, names);
    }
    if (action === 'adopt') return adopt(invocation, context, names);
    throw new SmeshError('unknown-action', ExitCode.usage, `keys can list and adopt, not ${action}`, {
      hint: 'See one identity: smesh-compose keys list NAME',
    });
  },
});

function adopt(invocation: Invocation, context: Context, names: readonly string[]): Promise<number> {
  const dryRun = flagOption(invocation, 'dry-run');
  return lockedUnlessDry(context, 'keys adopt', dryRun, async () => {
    const { project } = await loadProject(context);
    return adoptLeases(context, project, {
      names,
      all: flagOption(invocation, 'all'),
      confirm: listOption(invocation, 'confirm') ?? [],
      dryRun,
    });
  });
}
