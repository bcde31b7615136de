import type { Project } from '../project/types.ts';
import { bindMount, COMMON_HARDENING } from './hardening.ts';
import { LABEL } from './labels.ts';
import type { BindMount, ComposeService } from './types.ts';

/** Name of the service and of its Compose profile. */
export const ORCHESTRATOR = 'orchestrator';

/** Where the Dockerfile of its image lies, relative to the project directory. */
export const ORCHESTRATOR_FOLDER = 'orchestrator';

const ENGINE_SOCKET = '/var/run/docker.sock';

export interface OrchestratorFacts {
  readonly directory: string;
  readonly toolVersion: string;
  readonly user: string;
  /** Group that may use the engine's socket. */
  readonly engineGroup?: number;
}

/**
 * The schedule in a container. It has the engine's socket, which is as much as root on the host, so it publishes nothing
 * and nobody can talk to it. The host's network, because node and services are asked at addresses of the host, and because
 * there the lock of a second schedule is seen.
 */
export function orchestratorService(
  project: Project,
  { directory, toolVersion, user, engineGroup }: OrchestratorFacts,
): ComposeService {
  return {
    // No path and no name of a project in its name or command: a container that names Spacemesh counts as one of its programs.
    image: `smesh-compose-orchestrator:${toolVersion}`,
    build: { context: `${directory}/${ORCHESTRATOR_FOLDER}` },
    profiles: [ORCHESTRATOR],
    restart: 'unless-stopped',
    ...COMMON_HARDENING,
    tmpfs: ['/tmp'],
    stop_grace_period: '2m',
    // Started again it goes on where it was; a node or a prover does not.
    oom_score_adj: 900,
    user,
    ...(engineGroup === undefined ? {} : { group_add: [`${engineGroup}`] }),
    network_mode: 'host',
    working_dir: directory,
    volumes: [
      bindMount(ENGINE_SOCKET, ENGINE_SOCKET, 'rw'),
      bindMount(directory, directory, 'rw'),
      ...(isInside(project.node.data, directory)
        ? []
        : [bindMount(project.node.data, project.node.data, 'ro')]),
      ...dataRoots(project, directory).map(seenThrough),
    ],
    labels: { [LABEL.watchtower]: 'false', [LABEL.wud]: 'false' },
  };
}

/** Top folders of the data: they are there also while a disk below them is away. */
function dataRoots({ identities }: Project, directory: string): readonly string[] {
  const roots = identities
    .filter(({ data }) => !isInside(data, directory))
    .map(({ data }) => `/${data.split('/')[1] ?? ''}`);
  return [...new Set(roots)].sort();
}

/** A disk that is mounted later is seen inside, too. */
function seenThrough(root: string): BindMount {
  const mount = bindMount(root, root, 'ro');
  return { ...mount, bind: { ...mount.bind, propagation: 'rslave' } };
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
