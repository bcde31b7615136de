import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { CPU_CARD, cardOf } from '../../domain/post-init/card.ts';
import { explainEnd, type JobEnd } from '../../domain/post-init/explain-end.ts';
import { paceOf } from '../../domain/post-init/growth.ts';
import { growthFromLog, type JobLog, readJobLog } from '../../domain/post-init/job-log.ts';
import { diskOf, type JobReport, silenceOf } from '../../domain/post-init/job-report.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import { decideQueue, missingBytes, type QueueJob } from '../../domain/post-init/queue.ts';
import type { InitialisationSettings, Project } from '../../domain/project/types.ts';
import type { DockerPort } from '../../ports/docker.ts';
import type { Context } from '../context.ts';
import { jobContainers, jobFilter, readLogOf } from './job-containers.ts';
import { lookAtJobs } from './look-at-jobs.ts';

/** How the queue sees a look; what holds it or has ended it comes from elsewhere. */
export function queueJob(
  settings: InitialisationSettings,
  look: JobLook,
  running: boolean,
  more: Pick<QueueJob, 'held' | 'givenUp'> = {},
): QueueJob {
  const { job, state, fileSystem, freeBytes } = look;
  return {
    name: job.name,
    group: job.id,
    disk: diskOf(look),
    card: cardOf(job, settings, settings.jobs.indexOf(job)),
    state,
    running,
    ...(fileSystem === undefined ? {} : { fileSystem }),
    ...(freeBytes === undefined ? {} : { freeBytes }),
    ...more,
  };
}

/** A host that lost its power leaves nothing else behind. */
const LOST_HOST = 255;

/** Why an earlier life ended, from what is left of it; `undefined`: it is complete, or there was none. */
export function endOf(
  settings: InitialisationSettings,
  look: JobLook,
  container: ObservedContainer,
  log: JobLog,
): JobEnd | undefined {
  if (look.state.kind === 'complete') return undefined;
  if (container.startedAt === undefined && container.startError === undefined) return undefined;
  const silent = log.said.length === 0 && container.exitCode === LOST_HOST;
  return explainEnd({
    job: look.job,
    gpu: settings.gpu,
    card: cardOf(look.job, settings, settings.jobs.indexOf(look.job)),
    state: look.state,
    endedBy: log.interrupted ? 'somebody' : silent ? 'engine' : 'itself',
    oomKilled: container.oomKilled,
    said: log.said,
    ...(container.exitCode === undefined ? {} : { exitCode: container.exitCode }),
    ...(container.startError === undefined ? {} : { startError: container.startError }),
    ...(look.freeBytes === undefined ? {} : { freeBytes: look.freeBytes }),
  });
}

/** Of one that runs: `silentMs`, where it has written nothing for too long. */
export function silent(
  { clock }: Pick<Context, 'clock'>,
  { card, writtenAt }: Pick<JobReport, 'card' | 'writtenAt'>,
  { startedAt }: ObservedContainer,
  searches: boolean,
): Pick<JobReport, 'silentMs'> {
  const silentMs = silenceOf({
    now: clock.now(),
    onCpu: card === CPU_CARD,
    searches,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(writtenAt === undefined ? {} : { writtenAt }),
  });
  return silentMs === undefined ? {} : { silentMs };
}

/** One look at all jobs: files, containers and logs. Changes nothing; where the engine does not answer, files alone count. */
export async function gatherReports(
  context: Context,
  project: Project,
  docker: DockerPort | undefined,
): Promise<readonly JobReport[]> {
  const settings = project.initialisation;
  if (settings === undefined) return [];
  const [looks, listed] = await Promise.all([
    lookAtJobs(context, project),
    docker === undefined ? [] : docker.containers(jobFilter(project)),
  ]);
  const containers = jobContainers(project, listed);
  const isRunning = (look: JobLook) => {
    const container = containers.get(look.job.name);
    return container !== undefined && isUp(container);
  };
  const logs = new Map<string, JobLog>();
  await Promise.all(
    [...containers].map(async ([name, container]) => {
      if (docker !== undefined && container.startedAt !== undefined)
        logs.set(name, await readLogOf(context, docker, container));
    }),
  );
  const places = decideQueue(looks.map((look) => queueJob(settings, look, isRunning(look))));
  const now = context.clock.now();
  return looks.map((look): JobReport => {
    const { name } = look.job;
    const container = containers.get(name);
    const log = logs.get(name);
    const report = {
      ...look,
      card: cardOf(look.job, settings, settings.jobs.indexOf(look.job)),
      place: places.get(name) ?? { kind: 'stuck', why: '' },
    };
    if (container === undefined) return report;
    if (!isUp(container) || log === undefined) {
      const end = endOf(settings, look, container, log ?? readJobLog([]));
      return { ...report, container: container.state, ...(end === undefined ? {} : { end }) };
    }
    const bytes = 'progress' in look.state ? (look.state.progress?.bytes ?? 0) : 0;
    const fileBytes = look.sizes?.get(log.file?.index ?? -1);
    const pace = paceOf(growthFromLog(log, { at: now, bytes }, fileBytes), missingBytes(look.state), now);
    return {
      ...report,
      container: container.state,
      searches: log.searches,
      ...silent(context, report, container, log.searches),
      ...(pace === undefined ? {} : { pace }),
    };
  });
}
