import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode } from '../../domain/errors.ts';
import { CPU_CARD, cardOf } from '../../domain/post-init/card.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import { percentOf } from '../../ui/post-jobs.ts';
import { formatDuration, plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { gatherReports } from './gather-reports.ts';
import { chooseJobs, jobContainers, jobFilter } from './job-containers.ts';

interface Running {
  readonly job: InitialisationJob;
  readonly container: ObservedContainer;
}

/** SIGKILL after the grace period of the emitted file: the running batch is lost then, and nothing else. */
const KILLED = 137;

/**
 * `post stop`: ends jobs with SIGINT, which they heed when their running batch is written (spacemesh.md §14.4). Ctrl-C ends
 * the waiting and not the ending. 0 also when none runs; 130 when the waiting was cut off.
 */
export async function runJobStop(
  context: Context,
  names: readonly string[],
  dryRun: boolean,
): Promise<number> {
  const { project } = await loadProject(context);
  const chosen = chooseJobs(project, names);
  const docker = await context.ports.docker();
  await docker.engine();
  const containers = jobContainers(project, await docker.containers(jobFilter(project)));
  const running = chosen.flatMap((job): Running[] => {
    const container = containers.get(job.name);
    return container !== undefined && isUp(container) ? [{ job, container }] : [];
  });
  if (running.length === 0) return sayNone(context, names);
  if (dryRun) return sayPlan(context, project, running);
  const ended = await stopAll(context, project, running);
  if (!ended) {
    context.out.warn(
      `${enumerateJobs(running)} end by themselves after the running batch. See: smesh-compose post status`,
    );
    return ExitCode.cancelled;
  }
  return report(context, project, running);
}

function enumerateJobs(running: readonly Running[]): string {
  return running.map(({ job }) => job.name).join(', ');
}

function sayNone(context: Context, names: readonly string[]): number {
  if (context.json) context.out.json({ schemaVersion: 1, stopped: [] });
  else context.out.result(names.length === 0 ? 'No job runs.' : `${names.join(', ')}: does not run.`);
  return ExitCode.ok;
}

/** How long a batch of 2^20 labels takes, in words. */
function patience(project: Project, { job }: Running): string {
  const settings = project.initialisation;
  const onCpu = settings !== undefined && cardOf(job, settings, settings.jobs.indexOf(job)) === CPU_CARD;
  return onCpu ? 'many minutes on one core' : 'seconds on a graphics card';
}

function sayPlan(context: Context, project: Project, running: readonly Running[]): number {
  if (context.json) {
    context.out.json({ schemaVersion: 1, wouldStop: running.map(({ job }) => job.name) });
    return ExitCode.ok;
  }
  context.out.result(
    [
      `${plural(running.length, 'job')} would be stopped, each when its running batch is written; no label is lost:`,
      ...running.map((one) => `  - stop  ${one.job.name}  (a batch takes ${patience(project, one)})`),
      'Nothing has been changed.',
    ].join('\n'),
  );
  return ExitCode.ok;
}

/** Resolves with false when Ctrl-C came first. */
async function stopAll(context: Context, project: Project, running: readonly Running[]): Promise<boolean> {
  const { clock, out, signal } = context;
  const docker = await context.ports.docker();
  const left = new Set(running.map(({ job }) => job.name));
  const live = out.live();
  const begun = clock.now();
  const show = () => {
    const waited = out.interactive ? `  ${formatDuration(clock.now() - begun)}` : '';
    live.update(
      running
        .filter(({ job }) => left.has(job.name))
        .map(
          (one) =>
            `${one.job.name}: ends when its running batch is written, ${patience(project, one)}${waited}`,
        ),
    );
  };
  const stops = running.map(async ({ job, container }) => {
    await docker.stop(container.id);
    left.delete(job.name);
    show();
  });
  const all = Promise.all(stops).then(() => 'ended' as const);
  // Nobody may be listening any more after Ctrl-C.
  all.catch(() => undefined);
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  try {
    for (;;) {
      show();
      const ticked = new AbortController();
      const tick = clock.sleep(1000, ticked.signal).then(
        () => 'tick' as const,
        () => 'tick' as const,
      );
      const first = await Promise.race([all, aborted, tick]);
      ticked.abort();
      if (first !== 'tick') return first === 'ended';
    }
  } finally {
    live.done();
  }
}

async function report(context: Context, project: Project, running: readonly Running[]): Promise<number> {
  const docker = await context.ports.docker();
  const names = new Set(running.map(({ job }) => job.name));
  const all = await gatherReports(context, project, docker);
  const reports = all.filter(({ job }) => names.has(job.name));
  // Who watches takes a disk that is free for the next one's turn.
  const next = all.filter(
    ({ job, place }) => !names.has(job.name) && place.kind !== 'complete' && place.kind !== 'stuck',
  );
  const after = jobContainers(project, await docker.containers(jobFilter(project)));
  const killed = [...names].filter((name) => after.get(name)?.exitCode === KILLED);
  if (context.json) {
    context.out.json({ schemaVersion: 1, stopped: [...names], killed });
    return ExitCode.ok;
  }
  context.out.result(
    [
      ...reports.map(
        (one) =>
          `${one.job.name}  ${killed.includes(one.job.name) ? 'did not heed the signal in time and was killed; its running batch is lost' : 'stopped'}, ${percentOf(one)} done`,
      ),
      ...(next.length === 0
        ? []
        : [
            `${next.map(({ job }) => job.name).join(', ')}: a post init that still watches begins with what is next; end that with Ctrl-C, then what it began: smesh-compose post stop`,
          ]),
      `Go on: smesh-compose post init --resume`,
    ].join('\n'),
  );
  return ExitCode.ok;
}
