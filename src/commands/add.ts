import { extendProject } from '../usecases/init/extend-project.ts';
import { loadProject } from '../usecases/load-project.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { defineCommand } from './command.ts';
import { readInitOptions, searchOptions } from './init-options.ts';
import { flagOption, listOption } from './options.ts';

export const addCommand = defineCommand({
  name: 'add',
  summary: 'add identities to the project',
  description:
    'Takes every identity that is ready under the directories; without any, it looks as init does.',
  arguments: [{ name: '[directories...]', summary: 'PoST directories, or folders of them' }],
  options: [{ flags: '--data <dir...>', summary: 'the same as the arguments' }, ...searchOptions],
  examples: [{ command: 'smesh-compose add /mnt/d6/post11', summary: 'then: smesh-compose up' }],
  run: (invocation, context) =>
    lockedUnlessDry(context, 'add', flagOption(invocation, 'dry-run'), async () => {
      const roots = [...invocation.arguments, ...(listOption(invocation, 'data') ?? [])];
      const options = readInitOptions(invocation, roots.length === 0 ? undefined : roots);
      return extendProject(context, 'add', await loadProject(context), options);
    }),
});
