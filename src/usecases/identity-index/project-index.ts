import { rolesIn } from '../../domain/compose/container-role.ts';
import { findFormerProjects, WORKING_DIRECTORY } from '../../domain/compose/former-project.ts';
import { HELPER_ROLE, LABEL, readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { SmeshError } from '../../domain/errors.ts';
import type { IdentityIndex } from '../../domain/identity/places.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { isAlive } from '../engine-nodes.ts';
import { PROJECT_FILE } from '../load-project.ts';
import { indexHost } from './host-index.ts';
import { placesOfProject } from './project-places.ts';

export interface ProjectIndex extends IdentityIndex {
  readonly nodeRuns: boolean;
}

/**
 * The index of this host with the project's own places in it. What cannot be looked at is said, never left out: an engine
 * that gives no answer makes everybody unknown (design §8).
 */
export async function indexProject(context: Context, project: Project): Promise<ProjectIndex> {
  const engine = await askEngine(context, project);
  const { own, containers, engineIsHere } = engine;
  const nodeRuns = own.some(({ labels, state }) => readLabels(labels)?.role === 'node' && isAlive(state));
  const [host, ofProject] = await Promise.all([
    indexHost({
      ports: context.ports,
      clock: context.clock,
      containers,
      known: containers.map(({ id }) => id),
      own: new Set(own.map(({ id }) => id)),
      projectName: project.name,
      engineIsHere,
    }),
    placesOfProject(context, project, nodeRuns),
  ]);
  return {
    places: [...ofProject, ...host.places],
    closed: host.closed,
    unseen: [...host.unseen, ...engine.unseen],
    nodeRuns,
  };
}

interface EngineLook {
  readonly own: readonly ObservedContainer[];
  /** All of the engine, own ones too. */
  readonly containers: readonly ObservedContainer[];
  readonly engineIsHere: boolean;
  readonly unseen: readonly string[];
}

async function askEngine(context: Context, project: Project): Promise<EngineLook> {
  try {
    const docker = await context.ports.docker();
    const [engine, all] = await Promise.all([docker.engine(), docker.containers()]);
    const engineIsHere = docker.endpoint.startsWith('unix:') && !engine.desktop;
    const containers = all.filter(({ labels }) => labels[LABEL.role] !== HELPER_ROLE);
    const own = await findOwn(context, project, containers);
    const unseen = engineIsHere
      ? []
      : [
          `the engine at ${docker.endpoint} is on another machine: what its containers have cannot be seen from here`,
        ];
    return { own, containers, engineIsHere, unseen };
  } catch (error) {
    if (!(error instanceof SmeshError) || context.signal.aborted) throw error;
    // Processes of this host can be looked at all the same.
    const unseen = [`Docker could not be asked: ${error.message}`];
    return { own: [], containers: [], engineIsHere: true, unseen };
  }
}

/**
 * Of a hand-written project that was adopted under its name: a node or a post-service that Compose would not replace by ours,
 * because its service is called otherwise. It is somebody else, whatever its project is called.
 */
function handMadeBeside(project: Project): (container: ObservedContainer) => boolean {
  const services = new Set(['node', ...project.identities.map(({ name }) => name)]);
  const roleOf = rolesIn(project);
  return (container) =>
    readLabels(container.labels) === undefined &&
    !services.has(container.service ?? '') &&
    roleOf(container) !== 'other';
}

/** Those of its name and of its former ones; but not those that a copy of it in another folder has made. */
async function findOwn(
  context: Context,
  project: Project,
  containers: readonly ObservedContainer[],
): Promise<readonly ObservedContainer[]> {
  const isLeft = handMadeBeside(project);
  const named = containers.filter((one) => one.project === project.name && !one.oneOff && !isLeft(one));
  const folders = new Set(named.map(({ labels }) => labels[WORKING_DIRECTORY] ?? context.directory));
  const copies = new Set<string>();
  for (const folder of folders) {
    const isThere = await context.ports.files.exists(`${folder}/${PROJECT_FILE}`).catch(() => true);
    if (folder !== context.directory && isThere) copies.add(folder);
  }
  const own = named.filter(({ labels }) => !copies.has(labels[WORKING_DIRECTORY] ?? context.directory));
  const others = containers.filter((one) => !named.includes(one));
  const former = findFormerProjects(others, { directory: context.directory, nodeData: project.node.data });
  return [...own, ...former.flatMap((one) => one.containers)];
}
