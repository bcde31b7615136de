import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { ScheduleShare } from '../../domain/plan/decide-up.ts';
import { OWN_POET, PAUSED_ROUND } from '../../domain/poet/own-poet.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { isJobContainer, jobContainers, jobsGoOn } from '../post-init/job-containers.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { resolveServices } from '../resolve-services.ts';
import { startThem } from '../status/stopped.ts';
import { scheduleShare } from '../up/schedule-share.ts';
import { actWhenSafe, type SafetyOptions } from './act-when-safe.ts';
import { showWhatWouldBeLost } from './preview.ts';
import type { TypedCommand } from './refuse.ts';

export interface StopOptions extends SafetyOptions {
  /** Names of services or smesher IDs; empty: all. */
  readonly services: readonly string[];
  readonly dryRun: boolean;
}

/**
 * Stops containers, each when nothing is lost by it, the node last. They stay stopped, also after a reboot, until
 * somebody starts them (`unless-stopped`).
 */
export async function runStop(context: Context, options: StopOptions): Promise<ExitCode> {
  return lockedUnlessDry(context, 'stop', options.dryRun, async () => {
    const { project } = await loadProject(context);
    const docker = await context.ports.docker();
    await docker.engine();
    const own = await docker.containers({ project: project.name });
    const services = chooseServices(options.services, project, own);
    const choose = (containers: readonly ObservedContainer[]) =>
      containers.filter((one) => isUp(one) && isMeant(one, services));
    const command: TypedCommand = `smesh-compose ${['stop', ...options.services].join(' ')}`;
    if (options.dryRun) {
      return showWhatWouldBeLost(context, project, { verb: 'stop', command, choose }, options.force);
    }
    const stopped = await actWhenSafe(
      context,
      project,
      {
        verb: 'stop',
        done: 'stopped',
        command,
        choose,
        nodeLast: true,
        act: async ({ id }) => void (await docker.stop(id)),
      },
      options,
    );
    const jobs = services === undefined ? [...jobContainers(project, own).values()] : [];
    const goOn = jobs.filter(isUp).flatMap(({ service }) => service ?? []);
    await report(context, project, stopped, { services, force: options.force, goOn });
    return ExitCode.ok;
  });
}

/** Whether a container is among those that were named; without names all but jobs, which make data for days. */
export function isMeant(container: ObservedContainer, services: readonly string[] | undefined): boolean {
  const { service } = container;
  if (service === undefined) return false;
  return services === undefined ? !isJobContainer(container) : services.includes(service);
}

/** Services of smesh.yaml and whatever else has a container in the project. */
export function chooseServices(
  words: readonly string[],
  project: Project,
  own: readonly ObservedContainer[],
): readonly string[] | undefined {
  const names = [
    'node',
    ...project.identities.map(({ name }) => name),
    ...own.flatMap(({ service, oneOff }) => (oneOff || service === undefined ? [] : [service])),
  ];
  return resolveServices(words, project, [...new Set(names)]);
}

async function report(
  context: Context,
  project: Project,
  stopped: readonly ObservedContainer[],
  {
    services,
    force,
    goOn,
  }: {
    readonly services: readonly string[] | undefined;
    readonly force: boolean;
    readonly goOn: readonly string[];
  },
): Promise<void> {
  const { out } = context;
  const names = stopped.map(({ service, name }) => service ?? name);
  const { runs, keptDown } = await shareAfterwards(context, project);
  const left = [...keptDown].filter((one) => services?.includes(one) !== false && !names.includes(one));
  if (context.json) {
    out.json({ schemaVersion: 1, project: project.name, stopped: names, leftToSchedule: left });
    return;
  }
  out.result(
    names.length === 0
      ? 'Nothing to stop: none of them runs.'
      : `${plural(names.length, 'container')} stopped: ${enumerate(names)}. ${force ? 'Data and keys stay.' : 'No proof was lost; data and keys stay.'}`,
  );
  for (const line of afterwards(names, left, runs)) out.note(line);
  for (const line of jobsGoOn(goOn)) out.note(line);
}

/** What has been stopped is stopped, also where the engine answers no more. */
async function shareAfterwards(context: Context, project: Project): Promise<ScheduleShare> {
  try {
    const docker = await context.ports.docker();
    const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
    return await scheduleShare(context, project, own);
  } catch (error) {
    if (error instanceof SmeshError) return { runs: false, keptDown: new Set() };
    throw error;
  }
}

/** Who starts what is down now: nobody, or a schedule those that it has stopped itself. */
function afterwards(stopped: readonly string[], left: readonly string[], scheduleRuns: boolean): string[] {
  const them = left.length === 1 ? 'it' : 'them';
  const leftLine =
    left.length === 0
      ? []
      : [
          `${enumerate(left)} ${left.length === 1 ? 'rests' : 'rest'} and ${left.length === 1 ? 'is' : 'are'} left to the schedule, which starts ${them} when a proof is wanted. To keep ${them} down, end the schedule (smesh-compose run) first.`,
        ];
  if (stopped.length === 0) return leftLine;
  const poetLine = stopped.includes(OWN_POET) ? [`${OWN_POET}: this costs ${PAUSED_ROUND}`] : [];
  if (poetLine.length === stopped.length) return [...poetLine, ...leftLine];
  const again = scheduleRuns
    ? `The schedule leaves down what you have stopped. Start again before the next cycle gap: ${startThem(stopped)}`
    : 'Start again before the next cycle gap: smesh-compose up';
  return [again, ...poetLine, ...leftLine];
}
