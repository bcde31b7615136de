import { loadProject } from '../usecases/load-project.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { removeIdentities } from '../usecases/remove-identities.ts';
import { defineCommand } from './command.ts';
import { flagOption } from './options.ts';

export const removeCommand = defineCommand({
  name: 'remove',
  summary: 'take identities out of the project; data and original keys stay',
  description:
    "Moves the installed copy of the key to .smesh/retired/: left in the node's identities it would go on registering. Nothing is deleted; add takes it back.",
  arguments: [{ name: '<identities...>', summary: 'names, smesher IDs or directories' }],
  options: [
    { flags: '--dry-run', summary: 'show what would be written, change nothing' },
    {
      flags: '--force',
      summary: 'overwrite generated files changed by hand; they are kept in .smesh/backups',
    },
  ],
  examples: [{ command: 'smesh-compose remove post-0007', summary: 'then: smesh-compose up' }],
  run: (invocation, context) =>
    lockedUnlessDry(context, 'remove', flagOption(invocation, 'dry-run'), async () =>
      removeIdentities(context, await loadProject(context), {
        names: invocation.arguments,
        dryRun: flagOption(invocation, 'dry-run'),
        force: flagOption(invocation, 'force'),
      }),
    ),
});
