import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { resolveServices } from '../resolve-services.ts';
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
      containers.filter(
        (one) => isUp(one) && one.service !== undefined && services?.includes(one.service) !== false,
      );
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
    report(context, project, stopped, options.force);
    return ExitCode.ok;
  });
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

function report(
  context: Context,
  project: Project,
  stopped: readonly ObservedContainer[],
  force: boolean,
): void {
  const names = stopped.map(({ service, name }) => service ?? name);
  if (context.json) {
    context.out.json({ schemaVersion: 1, project: project.name, stopped: names });
    return;
  }
  context.out.result(
    names.length === 0
      ? 'Nothing to stop: none of them runs.'
      : `${plural(names.length, 'container')} stopped: ${enumerate(names)}. ${force ? 'Data and keys stay.' : 'No proof was lost; data and keys stay.'}`,
  );
  if (names.length > 0) context.out.note('Start again before the next cycle gap: smesh-compose up');
}
