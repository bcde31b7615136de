import { type ContainerRole, isUp, rolesIn } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { describeFinding, findingsError } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import { renderUpReport, type UpOutcome } from '../../ui/up-report.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { releaseLeases } from '../leases/release-leases.ts';
import { loadProject } from '../load-project.ts';
import { preflight } from '../preflight.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { keylessNode } from '../up/check-keys.ts';
import { observeEngine } from '../up/observe-engine.ts';
import { watchStart } from '../up/watch-start.ts';
import { actWhenSafe, type SafetyOptions } from './act-when-safe.ts';
import { showWhatWouldBeLost } from './preview.ts';
import type { TypedCommand } from './refuse.ts';
import { chooseServices, isMeant } from './stop.ts';

export interface RestartOptions extends SafetyOptions {
  /** Names of services or smesher IDs; empty: all that run. */
  readonly services: readonly string[];
  readonly dryRun: boolean;
  /** How long to wait until all are healthy again; absent: not at all. */
  readonly healthyWithinMs?: number;
}

/**
 * Restarts containers that run, each when nothing is lost by it. A restart of the node loses no proof (spacemesh.md
 * §14.2), so it waits only for the cycle gap; afterwards all states read IDLE for a while, which is no licence to stop
 * anybody.
 */
export async function runRestart(context: Context, options: RestartOptions): Promise<ExitCode> {
  return lockedUnlessDry(context, 'restart', options.dryRun, async () => {
    const { project } = await loadProject(context);
    const docker = await context.ports.docker();
    await docker.engine();
    const own = await docker.containers({ project: project.name });
    const services = chooseServices(options.services, project, own);
    const choose = (containers: readonly ObservedContainer[]) =>
      containers.filter((one) => isUp(one) && isMeant(one, services));
    requireRunning(services, choose(own));
    const command: TypedCommand = `smesh-compose ${['restart', ...options.services].join(' ')}`;
    if (options.dryRun) {
      return showWhatWouldBeLost(context, project, { verb: 'restart', command, choose }, options.force);
    }
    const roleOf = rolesIn(project);
    if (choose(own).some((one) => roleOf(one) === 'node')) await checkBeforeNodeRestart(context, project);
    const since = context.clock.now() - 1000;
    const restarted = await actWhenSafe(
      context,
      project,
      {
        verb: 'restart',
        done: 'restarted',
        command,
        choose,
        nodeLast: false,
        act: async (container) => {
          // Keys may have come and gone while it waited for its moment.
          const waited = options.wait !== undefined && roleOf(container) === 'node';
          if (waited) await checkBeforeNodeRestart(context, project);
          await docker.restart(container.id);
        },
      },
      options,
    );
    await releaseLeases(context, project);
    return report(context, project, { restarted, roleOf, since, timeoutMs: options.healthyWithinMs });
  });
}

/** One that is down is not started by the way: a start has checks of its own. */
function requireRunning(
  services: readonly string[] | undefined,
  running: readonly ObservedContainer[],
): void {
  const down = services?.filter((name) => !running.some(({ service }) => service === name)) ?? [];
  if (down.length === 0) return;
  throw new SmeshError(
    'not-running',
    ExitCode.unhealthy,
    `${enumerate(down)} ${down.length === 1 ? 'does' : 'do'} not run, so there is nothing to restart. Nothing was changed.`,
    { hint: `Start with all checks:  smesh-compose up ${down.slice(0, 3).join(' ')}` },
  );
}

/** A node reads its keys and its configuration when it starts: what was put there meanwhile counts from now on. */
async function checkBeforeNodeRestart(context: Context, project: Project): Promise<void> {
  const generate = await planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: false });
  const observation = await observeEngine(context, { name: project.name, directory: context.directory });
  const { findings } = await preflight(context, observation, project, new Set(), generate.installedIds);
  const error = findingsError([...keylessNode(project, generate.installedIds), ...findings]);
  if (error !== undefined) throw error;
  for (const finding of findings) context.out.warn(`${describeFinding(finding)}. ${finding.next}`);
}

async function report(
  context: Context,
  project: Project,
  {
    restarted,
    roleOf,
    since,
    timeoutMs,
  }: {
    readonly restarted: readonly ObservedContainer[];
    readonly roleOf: (container: ObservedContainer) => ContainerRole;
    readonly since: number;
    readonly timeoutMs: number | undefined;
  },
): Promise<ExitCode> {
  const services = restarted.flatMap((container) =>
    container.service === undefined
      ? []
      : [{ service: container.service, containerId: container.id, role: roleOf(container) }],
  );
  const watched =
    timeoutMs === undefined || services.length === 0
      ? undefined
      : await watchStart(context, { project: project.name, services, since, timeoutMs });
  const outcomes = services.map(({ service, role, containerId }): UpOutcome => {
    const seen = watched?.services.find((one) => one.containerId === containerId);
    if (seen === undefined) return { service, role, state: 'starting' };
    return {
      service,
      role,
      state: seen.state,
      connected: seen.connected,
      ...(seen.reason === undefined ? {} : { reason: seen.reason }),
    };
  });
  if (context.json) context.out.json({ schemaVersion: 1, project: project.name, services: outcomes });
  else if (outcomes.length > 0) context.out.result(renderUpReport(outcomes, watched?.timedOut ?? false));
  else context.out.result('Nothing to restart: nothing of this project runs. Start it: smesh-compose up');
  if (outcomes.some(({ role }) => role === 'node')) {
    context.out.note(
      'The node says for a while that it wants nothing, whatever is due. No post-service is safe to stop before it has been up for two layers.',
    );
  }
  const unwell = outcomes.some(
    ({ state }) => state === 'failed' || (watched !== undefined && state === 'starting'),
  );
  return unwell ? ExitCode.unhealthy : ExitCode.ok;
}
