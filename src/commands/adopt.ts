import { adopt } from '../usecases/adopt/adopt.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { defineCommand } from './command.ts';
import { flagOption, textOption } from './options.ts';

export const adoptCommand = defineCommand({
  name: 'adopt',
  summary: 'take over a hand-written Compose project or single containers without restarting anything',
  description:
    'Writes smesh.yaml as what runs would be said there, and lists field by field what it cannot say. No container, key or database is touched, and no file of yours is overwritten. Without a source: the Compose file of this folder, else all containers of the engine that are a node or a post-service. In a project it adds what is new.',
  arguments: [
    {
      name: '[source...]',
      summary:
        "Compose files or folders, containers, Compose projects, a scheduler's config, scripts with docker run or post-service",
    },
  ],
  options: [
    { flags: '--node <name>', summary: 'which node, where several were found' },
    { flags: '--node-config <file>', summary: 'configuration of a node that runs without a container' },
    { flags: '--node-data <dir>', summary: 'its data folder, where the configuration does not say it' },
    { flags: '--name <name>', summary: 'Compose project name (default: the one that runs)' },
    { flags: '--coinbase <address>', summary: 'account that earns the rewards, where the node names none' },
    { flags: '--dry-run', summary: 'show smesh.yaml, write nothing' },
  ],
  examples: [
    { command: 'smesh-compose adopt', summary: 'in the folder of a hand-written compose.yaml' },
    {
      command: 'smesh-compose -C /srv/smesh adopt smh-node-01 smh-post-01 smh-post-02',
      summary: 'containers made by docker run, into a folder of its own',
    },
    { command: 'smesh-compose adopt psm/config.json --dry-run', summary: 'what a scheduler lists' },
  ],
  run(invocation, context) {
    const dryRun = flagOption(invocation, 'dry-run');
    return lockedUnlessDry(context, 'adopt', dryRun, () => {
      const given = {
        node: textOption(invocation, 'node'),
        nodeConfig: textOption(invocation, 'node-config'),
        nodeData: textOption(invocation, 'node-data'),
        name: textOption(invocation, 'name'),
        coinbase: textOption(invocation, 'coinbase'),
      };
      const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      return adopt(context, { sources: invocation.arguments, dryRun, ...options });
    });
  },
});
