import { isUp } from '../../domain/compose/container-role.ts';
import { LABEL, readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type JobLog, readJobLog } from '../../domain/post-init/job-log.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import type { ContainerFilter, DockerPort } from '../../ports/docker.ts';
import type { Context } from '../context.ts';

const LOG_MS = 5000;
/** The engine notes the start after it; first words can be older than that. */
const STARTED_LATE_MS = 1000;
/** Files of the last hours of a fast card, and every line of a panic. */
const LOG_LINES = 400;

export function isJobContainer(container: ObservedContainer): boolean {
  return readLabels(container.labels)?.role === 'initialisation' && !container.oneOff;
}

/** The same as a question to the engine: with hundreds of provers each look would inspect all of them. */
export function jobFilter(project: Project): ContainerFilter {
  return { project: project.name, labels: [`${LABEL.role}=initialisation`] };
}

/** One of another folder with the same project name has the same service, and another identity. */
export function isOf({ id }: Pick<InitialisationJob, 'id'>, { labels }: ObservedContainer): boolean {
  return readLabels(labels)?.smesherId === id;
}

/** The container of each job, by the job's name. */
export function jobContainers(
  project: Project,
  containers: readonly ObservedContainer[],
): ReadonlyMap<string, ObservedContainer> {
  const jobs = new Map((project.initialisation?.jobs ?? []).map((job) => [job.name, job]));
  const found = new Map<string, ObservedContainer>();
  for (const container of containers) {
    const { service } = container;
    const job = jobs.get(service ?? '');
    if (service === undefined || container.oneOff || job === undefined || !isOf(job, container)) continue;
    // Of two, which a recreation that was killed leaves, the one that runs counts.
    const known = found.get(service);
    if (known === undefined || !isUp(known)) found.set(service, container);
  }
  return found;
}

/** A line for commands that stop everything else; none where no job runs. */
export function jobsGoOn(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const one = names.length === 1;
  return [
    `${names.join(', ')} ${one ? 'goes' : 'go'} on making data. To end ${one ? 'it' : 'them'}: smesh-compose post stop`,
  ];
}

/** What its log tells of its present life; empty where the engine does not answer in time. */
export async function readLogOf(
  { clock }: Pick<Context, 'clock'>,
  docker: DockerPort,
  { id, startedAt }: ObservedContainer,
): Promise<JobLog> {
  const lines: { at: number; text: string }[] = [];
  const ended = new AbortController();
  const late = clock.sleep(LOG_MS, ended.signal).then(
    () => ended.abort(),
    () => undefined,
  );
  const read = async (): Promise<void> => {
    const since = startedAt === undefined ? {} : { since: startedAt - STARTED_LATE_MS };
    for await (const line of docker.logs(id, { tail: LOG_LINES, ...since, signal: ended.signal }))
      lines.push(line);
  };
  try {
    await Promise.race([read(), late]);
  } catch (error) {
    if (!(error instanceof SmeshError) && !ended.signal.aborted) throw error;
  } finally {
    ended.abort();
  }
  return readJobLog(lines);
}

/**
 * Jobs by what people call them: a job, its identity, a smesher ID from eight digits on, a directory. Empty: all. Throws
 * for what is none of them (exit 2).
 */
export function chooseJobs(project: Project, names: readonly string[]): readonly InitialisationJob[] {
  const jobs = project.initialisation?.jobs ?? [];
  if (names.length === 0) return jobs;
  const chosen = names.map((name) => {
    const path = name.length > 1 ? name.replace(/\/+$/, '') : name;
    const found = jobs.filter(
      (job) =>
        [job.name, job.identity, job.data, job.into].includes(path) ||
        (/^[0-9a-f]{8,64}$/i.test(name) && job.id.startsWith(name.toLowerCase())),
    );
    if (found.length > 0) return found;
    throw new SmeshError(
      'unknown-job',
      ExitCode.usage,
      `There is no initialisation job ${JSON.stringify(name)}`,
      {
        hint:
          jobs.length === 0
            ? 'smesh.yaml has none. Make new data: smesh-compose post init DIR'
            : `There are: ${jobs.map(({ name: one }) => one).join(', ')}`,
      },
    );
  });
  const wanted = new Set(chosen.flat());
  return jobs.filter((job) => wanted.has(job));
}

/** A container that was started again is another life. */
export function lifeOf({ id, startedAt }: ObservedContainer): string {
  return `${id} ${startedAt ?? 0}`;
}
