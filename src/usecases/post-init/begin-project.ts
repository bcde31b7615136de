import { networkOf } from '../../domain/post/network.ts';
import type { PostMetadata } from '../../domain/post/types.ts';
import { newProjectText } from '../../domain/project/new-project.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Context } from '../context.ts';
import {
  askCoinbase,
  askNetwork,
  askNodeData,
  askPorts,
  askProjectName,
  requireAnswers,
} from '../init/ask-settings.ts';
import type { CommandPart } from '../init/headless.ts';
import { describeProject, portFlags } from '../init/new-project.ts';
import type { InitOptions } from '../init/options.ts';
import type { LoadedProject } from '../load-project.ts';

export interface BegunProject extends LoadedProject {
  /** The flags that say the same. */
  readonly flags: readonly CommandPart[];
}

/**
 * The project of somebody who has no whole data yet: asks (or takes from flags) for network and coinbase and answers what
 * smesh.yaml would say, without an identity. Writes nothing.
 *
 * @param begun metadata of data that shall be gone on with: it tells the network
 */
export async function beginProject(
  context: Context,
  settings: InitOptions,
  begun: readonly PostMetadata[],
): Promise<BegunProject> {
  requireAnswers(context, settings);
  const network = await askNetwork(context, settings, { directories: begun.map(networkOf) });
  const coinbase = await askCoinbase(context, settings, network);
  const nodeData = await askNodeData(context, settings);
  const ports = await askPorts(context, settings);
  const projectName = await askProjectName(context, settings);
  const text = newProjectText(
    describeProject(context, { network, coinbase, nodeData, ports, projectName, identities: [] }),
  );
  const { project } = requireProject(text, { directory: context.directory });
  return {
    project,
    text,
    flags: [
      ['--network', network.name],
      ['--genesis-time', network.name === 'standalone' ? network.genesisTime : undefined],
      ['--coinbase', coinbase],
      ['--node-data', nodeData === `${context.directory}/node-data` ? undefined : nodeData],
      ['--name', projectName],
      ...portFlags(ports),
    ],
  };
}
