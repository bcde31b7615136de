import { ExitCode, SmeshError } from '../domain/errors.ts';
import { fromWorkingDirectory } from '../usecases/init/options.ts';
import { runMerge } from '../usecases/merge/run.ts';
import { undoMerge } from '../usecases/merge/undo.ts';
import { defineCommand } from './command.ts';
import { flagOption, listOption } from './options.ts';

export const mergeCommand = defineCommand({
  name: 'merge',
  summary: 'bring existing nodes in: keys and local.sql of each, and keep them from starting again',
  description:
    "Both nodes must be stopped. Every identity of the named nodes comes, or none: go-spacemesh's own merge-nodes merges copies of the databases, the result is verified, and keys, rows and files change places in one act that a kill at any point leaves before or after. The nodes that they come from get renamed keys, and a file that keeps them from starting. Refuses (exit 5) where an identity could end up in two places.",
  arguments: [
    {
      name: '[nodes...]',
      summary: 'data folders of nodes (with local.sql and identities/), or folders above one',
    },
  ],
  options: [
    {
      flags: '--config <file...>',
      summary:
        'config of each node, in their order, or one for all; default: what lies in or beside its folder',
    },
    { flags: '--data <roots...>', summary: 'where to look for PoST data; default: all that is mounted' },
    { flags: '--ignore <directories...>', summary: 'directories to leave out: copies that are not served' },
    { flags: '--undo', summary: 'take the last merge back, until the node has run again' },
    { flags: '--dry-run', summary: 'show who would come and what would be done, change nothing' },
    {
      flags: '--force',
      summary: 'overwrite generated files changed by hand; they are kept in .smesh/backups',
    },
  ],
  examples: [
    {
      command: 'smesh-compose merge ~/spacemesh --dry-run',
      summary: 'who would come, and what stands in the way',
    },
    {
      command:
        'smesh-compose merge /srv/old/node-data /mnt/d3/node --config /srv/old/config.json /mnt/d3/config.json',
      summary: 'two nodes, each with its config',
    },
    { command: 'smesh-compose merge --undo', summary: 'before the node is started' },
  ],
  run(invocation, context) {
    const [dryRun, force] = [flagOption(invocation, 'dry-run'), flagOption(invocation, 'force')];
    const paths = invocation.arguments.map(fromWorkingDirectory);
    if (flagOption(invocation, 'undo')) {
      const given = ['config', 'data', 'ignore'].find((name) => listOption(invocation, name) !== undefined);
      if (paths.length > 0 || given !== undefined)
        throw new SmeshError(
          'bad-option',
          ExitCode.usage,
          `--undo takes the last merge back as a whole: it wants no ${given === undefined ? 'folder' : `--${given}`}. Nothing was changed.`,
        );
      return undoMerge(context, { dryRun, force });
    }
    if (paths.length === 0)
      throw new SmeshError('no-source', ExitCode.usage, 'Which node? merge wants its data folder.', {
        hint: 'smesh-compose merge FOLDER --dry-run   shows who would come.',
      });
    const list = (name: string) => (listOption(invocation, name) ?? []).map(fromWorkingDirectory);
    return runMerge(context, {
      paths,
      configs: list('config'),
      roots: list('data'),
      ignore: list('ignore'),
      dryRun,
      force,
    });
  },
});
