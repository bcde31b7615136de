import { ExitCode, SmeshError } from '../errors.ts';
import { OWN_POET } from '../poet/own-poet.ts';
import type { Project } from '../project/types.ts';
import { initialisationService } from './init-jobs.ts';
import { nodeService } from './node.ts';
import { ORCHESTRATOR, orchestratorService } from './orchestrator.ts';
import { poetService } from './poet.ts';
import { proverService } from './prover.ts';
import type { ComposeDocument, ComposeService, GenerationInputs, Owner } from './types.ts';

/** What the builder needs of the inputs; everything else concerns files. */
export type BuildInputs = Pick<
  GenerationInputs,
  | 'directory'
  | 'nodeOwner'
  | 'postOwners'
  | 'installedIds'
  | 'jobOwners'
  | 'previousUsers'
  | 'gpuFragment'
  | 'gpuGroups'
  | 'toolVersion'
  | 'engineGroup'
>;

interface Runner {
  readonly service: string;
  readonly path: string;
  readonly written: string | undefined;
  readonly owner: Owner | undefined;
}

/** As which user a service runs: as told, else as the owner of its files, else as before (its disk may be away). */
function userOf({ service, path, written, owner }: Runner, inputs: BuildInputs): string {
  const observed = owner === undefined ? undefined : `${owner.uid}:${owner.gid}`;
  const user = written ?? observed ?? inputs.previousUsers?.get(service);
  if (user !== undefined) return user;
  throw new SmeshError(
    'owner-unknown',
    ExitCode.environment,
    `Nobody can say whom ${path} belongs to: it is not there`,
    {
      hint: `Mount its disk, or say it in smesh.yaml: user: '1000:1000' (${service})`,
    },
  );
}

/** The Compose document of a project, typed; `emitCompose` makes it text. Services in the order of smesh.yaml. */
export function buildCompose(project: Project, nodeConfig: string, inputs: BuildInputs): ComposeDocument {
  const { network, node, initialisation } = project;
  const nodeUser = userOf(
    { service: 'node', path: node.data, written: node.user, owner: inputs.nodeOwner },
    inputs,
  );
  const services: Record<string, ComposeService> = {
    node: nodeService(project, {
      directory: inputs.directory,
      config: nodeConfig,
      installedIds: inputs.installedIds ?? project.identities.map(({ id }) => id),
      user: nodeUser,
    }),
  };
  for (const identity of project.identities) {
    const owner = inputs.postOwners.get(identity.id);
    const user = userOf(
      { service: identity.name, path: identity.data, written: identity.user, owner },
      inputs,
    );
    services[identity.name] = proverService(identity, network, user);
  }
  initialisation?.jobs.forEach((job, index) => {
    const owner = inputs.jobOwners?.get(job.name);
    services[job.name] = initialisationService(job, initialisation, network, {
      directory: inputs.directory,
      user: userOf({ service: job.name, path: job.data, written: job.user, owner }, inputs),
      fragment: inputs.gpuFragment ?? '',
      groups: inputs.gpuGroups ?? [],
      index,
    });
  });
  if (project.schedule.orchestrator) {
    const { directory, toolVersion, engineGroup } = inputs;
    services[ORCHESTRATOR] = orchestratorService(project, {
      directory,
      toolVersion,
      user: nodeUser,
      ...(engineGroup === undefined ? {} : { engineGroup }),
    });
  }
  const { ownPoet } = project;
  if (ownPoet !== undefined) services[OWN_POET] = poetService(ownPoet, network, project.poet, nodeUser);
  return {
    name: project.name,
    services,
    ...(node.subnet === undefined
      ? {}
      : { networks: { default: { ipam: { config: [{ subnet: node.subnet }] } } } }),
  };
}

/** `user:` of each service in a present compose.yaml, for `GenerationInputs.previousUsers`. */
export function previousUsers(composeText: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  let service: string | undefined;
  for (const line of composeText.split('\n')) {
    service = /^ {2}([\w-]+):$/.exec(line)?.[1] ?? service;
    const user = /^ {4}user: '?(\d+:\d+)'?$/.exec(line)?.[1];
    if (service !== undefined && user !== undefined) users.set(service, user);
  }
  return users;
}
