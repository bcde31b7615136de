import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Project } from '../domain/project/types.ts';
import { extendProject } from '../usecases/init/extend-project.ts';
import { createProject } from '../usecases/init/new-project.ts';
import type { InitOptions } from '../usecases/init/options.ts';
import { loadProjectIfPresent } from '../usecases/load-project.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { defineCommand } from './command.ts';
import { readInitOptions, searchOptions, settingOptions } from './init-options.ts';
import { flagOption, listOption } from './options.ts';

/**
 * What is in smesh.yaml is changed there: a flag that silently did nothing would be believed. One that says what the
 * project says already is fine, so that the same command can be run again.
 */
function refuseSettings(options: InitOptions, { network, coinbase, node, name }: Project): void {
  const settings = [
    ['--network', options.network, network.name],
    ['--genesis-time', options.genesisTime, network.genesisTime],
    ['--coinbase', options.coinbase, coinbase],
    ['--node-data', options.nodeData, node.data],
    ['--name', options.projectName, name],
    ['--p2p-port', options.p2pPort, node.ports.p2p],
    ['--public-port', options.publicPort, node.ports.publicApi],
    ['--private-port', options.privatePort, node.ports.privateApi],
  ] as const;
  const others = settings.filter(([, given, present]) => given !== undefined && given !== present);
  if (others.length === 0) return;
  throw new SmeshError(
    'already-a-project',
    ExitCode.usage,
    `There is a project here already, and init does not change its settings: ${others.map(([flag]) => flag).join(', ')}`,
    {
      details: others.map(([flag, given, present]) => `${flag} ${given}: smesh.yaml says ${present}`),
      hint: 'Nothing was changed. Change smesh.yaml, then: smesh-compose generate   Another project needs a folder of its own: -C DIR',
    },
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
      refuseSettings(options, loaded.project);
      return extendProject(context, 'init', loaded, options);
    }),
});
