import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import type { ComposeProgress, ComposeProject } from '../../ports/compose.ts';
import type { Context } from '../context.ts';
import { withProjectLock } from '../project-lock.ts';
import { jobContainers, jobFilter } from './job-containers.ts';

/** Profile of the emitted services. */
export const INIT_PROFILE = 'init';

export interface StartedJob {
  readonly name: string;
  readonly containerId: string;
  /** Why the engine would not start it. */
  readonly error?: string;
}

/**
 * Lets Compose make the containers of these jobs and starts them; nobody else is named, so node and provers are not
 * touched. None of the jobs may be running: Compose would replace its container. Holds the project's lock meanwhile.
 */
export async function startJobs(
  context: Context,
  project: Project,
  names: readonly string[],
): Promise<readonly StartedJob[]> {
  return withProjectLock(context, 'post init', () => createAndStart(context, project, names), {
    startPending: false,
  });
}

async function createAndStart(
  context: Context,
  project: Project,
  names: readonly string[],
): Promise<readonly StartedJob[]> {
  const [docker, compose] = await Promise.all([context.ports.docker(), context.ports.compose()]);
  const composeProject = { name: project.name, directory: context.directory, profiles: [INIT_PROFILE] };
  await refuseUnbuilt(context, composeProject, names);
  const live = context.out.live();
  const onProgress = (progress: ComposeProgress) => {
    if (progress.kind === 'image') live.update([`image ${progress.name}: ${progress.status.toLowerCase()}`]);
  };
  try {
    await compose.create(composeProject, { services: names, signal: context.signal, onProgress });
  } finally {
    live.done();
  }
  const containers = jobContainers(project, await docker.containers(jobFilter(project)));
  return Promise.all(
    names.map(async (name): Promise<StartedJob> => {
      const container = containers.get(name);
      if (container === undefined) return { name, containerId: '', error: 'Compose has made no container' };
      try {
        await docker.start(container.id);
        return { name, containerId: container.id };
      } catch (error) {
        // One that cannot be started must not keep the others from it.
        if (error instanceof SmeshError) return { name, containerId: container.id, error: error.message };
        throw error;
      }
    }),
  );
}

/** Compose does not build on the way: a runtime of gigabytes is fetched by a command of its own. */
async function refuseUnbuilt(
  context: Context,
  composeProject: ComposeProject,
  names: readonly string[],
): Promise<void> {
  const [docker, compose] = await Promise.all([context.ports.docker(), context.ports.compose()]);
  const { services } = await compose.config(composeProject);
  const images = new Set(
    names.flatMap((name) => {
      const service = services[name];
      return service?.image === undefined || service['build'] === undefined ? [] : [service.image];
    }),
  );
  for (const image of images) {
    if ((await docker.image(image)) !== undefined) continue;
    throw new SmeshError(
      'image-unbuilt',
      ExitCode.environment,
      `The image ${image} is not built yet: postcli's own has no runtime for these cards. No job was started.`,
      {
        hint: `cd ${context.directory} && docker compose --profile ${INIT_PROFILE} build   then: smesh-compose post init --resume`,
      },
    );
  }
}

/** Whether an error is about somebody else who holds the project for a moment. */
export function isBusyElsewhere(error: unknown): boolean {
  return error instanceof SmeshError && error.code === 'project-busy';
}
