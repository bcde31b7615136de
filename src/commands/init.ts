import { ExitCode, SmeshError } from '../domain/errors.ts';
import { extendProject } from '../usecases/init/extend-project.ts';
import { createProject } from '../usecases/init/new-project.ts';
import { loadProjectIfPresent } from '../usecases/load-project.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { defineCommand, type Invocation } from './command.ts';
import { readInitOptions, searchOptions, settingOptions } from './init-options.ts';
import { flagOption, listOption, textOption } from './options.ts';

const SETTINGS = [
  'network',
  'genesis-time',
  'coinbase',
  'node-data',
  'name',
  'p2p-port',
  'public-port',
  'private-port',
];

/** What is in smesh.yaml is changed there: a flag that silently did nothing would be believed. */
function refuseSettings(invocation: Invocation): void {
  const given = SETTINGS.filter((name) => textOption(invocation, name) !== undefined);
  if (given.length === 0) return;
  throw new SmeshError(
    'already-a-project',
    ExitCode.usage,
    `There is a project here already; ${given.map((name) => `--${name}`).join(', ')} cannot change it`,
    { hint: 'Nothing was changed. Change smesh.yaml, then: smesh-compose generate' },
  );
}

export const initCommand = defineCommand({
  name: 'init',
  summary: 'make a project from the identities found, or add what is new to one',
  description:
    'Asks what it needs to know; every answer has a flag. Starts nothing. In a project it looks for new identities and touches nothing else.',
  options: [
    { flags: '--data <dir...>', summary: 'where to look for PoST data (default: every mounted disk)' },
    ...settingOptions,
    ...searchOptions,
  ],
  examples: [
    { command: 'smesh-compose init', summary: 'questions and answers' },
    {
      command: 'smesh-compose init --yes --data /mnt --coinbase sm1…',
      summary: 'without questions: all identities that are ready',
    },
  ],
  run: (invocation, context) =>
    lockedUnlessDry(context, 'init', flagOption(invocation, 'dry-run'), async () => {
      const options = readInitOptions(invocation, listOption(invocation, 'data'));
      const loaded = await loadProjectIfPresent(context);
      if (loaded === undefined) return createProject(context, options);
      refuseSettings(invocation);
      return extendProject(context, 'init', loaded, options);
    }),
});
