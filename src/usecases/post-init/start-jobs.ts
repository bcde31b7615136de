import { isUp } from '../../domain/compose/container-role.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import { otherThanJudged } from '../../domain/post-init/same-job.ts';
import type { Project } from '../../domain/project/types.ts';
import type { ComposeConfig, ComposeProgress } from '../../ports/compose.ts';
import type { Context } from '../context.ts';
import { withProjectLock } from '../project-lock.ts';
import { isOf, jobContainers, jobFilter } from './job-containers.ts';

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
 * touched. One that runs already is left as it is: Compose could replace its container. Holds the project's lock meanwhile.
 * Rejects (exit 5), having started nothing, where Compose would start something else than was judged, or would replace a
 * container that runs for somebody else.
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
  const before = await docker.containers(jobFilter(project));
  refuseForeign(project, names, before);
  const up = [...jobContainers(project, before)].filter(([, container]) => isUp(container));
  // Another command may have been quicker.
  const running = new Map(up.map(([name, { id }]) => [name, id]));
  const wanted = names.filter((name) => !running.has(name));
  const already = names.flatMap((name): StartedJob[] => {
    const containerId = running.get(name);
    return containerId === undefined ? [] : [{ name, containerId }];
  });
  if (wanted.length === 0) return already;
  const config = await compose.config(composeProject);
  refuseOther(project, wanted, config);
  await refuseUnbuilt(context, config, wanted);
  const live = context.out.live();
  const onProgress = (progress: ComposeProgress) => {
    if (progress.kind === 'image') live.update([`image ${progress.name}: ${progress.status.toLowerCase()}`]);
  };
  try {
    await compose.create(composeProject, { services: wanted, signal: context.signal, onProgress });
  } finally {
    live.done();
  }
  const containers = jobContainers(project, await docker.containers(jobFilter(project)));
  const started = await Promise.all(
    wanted.map(async (name): Promise<StartedJob> => {
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
  return [...already, ...started];
}

/** Compose knows a container by its project's name and its service alone. */
function refuseForeign(
  project: Project,
  names: readonly string[],
  containers: readonly ObservedContainer[],
): void {
  for (const job of project.initialisation?.jobs ?? []) {
    if (!names.includes(job.name)) continue;
    const other = containers.find(
      (one) => one.service === job.name && !one.oneOff && isUp(one) && !isOf(job, one),
    );
    if (other === undefined) continue;
    const id = readLabels(other.labels)?.smesherId;
    const from = other.labels['com.docker.compose.project.working_dir'];
    throw new SmeshError(
      'foreign-job',
      ExitCode.refused,
      `The container ${other.name} makes data for another identity${id === undefined ? '' : ` (${shortId(id)})`}${from === undefined ? '' : `, started from ${from}`}: to start ${job.name} Compose would end it`,
      {
        hint: `Nothing was started. Two folders share the project name ${project.name}: wait until that job has ended, or give this project another name in smesh.yaml (name)`,
      },
    );
  }
}

/** smesh.yaml and compose.yaml can be edited while jobs wait for their turn, for days. */
function refuseOther(project: Project, names: readonly string[], { services }: ComposeConfig): void {
  const settings = project.initialisation;
  for (const job of settings?.jobs ?? []) {
    if (settings === undefined || !names.includes(job.name)) continue;
    const other = otherThanJudged(job, settings, project.network, services[job.name]);
    if (other === undefined) continue;
    throw new SmeshError(
      'job-changed',
      ExitCode.refused,
      `What Compose would start as ${job.name} is not the job whose files were looked at: ${other}. postcli makes data fit its flags without asking, so it was not started; jobs that run go on`,
      {
        hint: 'Look at init.jobs in smesh.yaml and at compose.override.yaml, then: smesh-compose post init --resume',
      },
    );
  }
}

/** Compose does not build on the way: a runtime of gigabytes is fetched by a command of its own. */
async function refuseUnbuilt(
  context: Context,
  { services }: ComposeConfig,
  names: readonly string[],
): Promise<void> {
  const docker = await context.ports.docker();
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

/** Whether an error is about a job that Compose would not start as it was judged: somebody has to look at the files. */
export function isRefusedStart(error: SmeshError): boolean {
  return error.code === 'job-changed' || error.code === 'foreign-job' || error.code === 'image-unbuilt';
}
