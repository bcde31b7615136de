import { SmeshError } from '../../domain/errors.ts';
import type { ServiceRole } from '../../domain/plan/decide-up.ts';
import { describeChange } from '../../domain/plan/describe-change.ts';
import { spareDependencies } from '../../domain/plan/spare-dependencies.ts';
import type { ContainerStep, Step } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import type { ComposeProgress, ComposeProject } from '../../ports/compose.ts';
import type { Context } from '../context.ts';
import { answersAsBefore } from '../lifecycle/act-when-safe.ts';
import { lookAtProvers, type ProverLook } from '../lifecycle/look-at-provers.ts';
import { clearPendingStarts, notePendingStarts } from './pending-starts.ts';
import type { PreparedUp } from './prepare.ts';

/** A service that this run started, or tried to. */
export interface StartedService {
  readonly service: string;
  readonly role: ServiceRole;
  readonly containerId: string;
  /** Why the engine would not start it. */
  readonly error?: string;
}

/** What became of a plan. */
export interface ExecutedUp {
  /** By service, why: provers that had begun to prove when their turn came. */
  readonly postponed: ReadonlyMap<string, string>;
}

/** More at once only wait for each other inside the engine. */
const PARALLEL_STARTS = 8;

/**
 * Carries out the container steps of a plan: Compose makes and removes, the engine starts, the node first. Services that
 * are kept, held back or postponed are not named to Compose, so it cannot touch them.
 */
export async function executeUp(
  context: Context,
  prepared: PreparedUp,
  options: { readonly force: boolean },
  /** Filled one by one: who is interrupted can tell what had been started. */
  started: StartedService[],
): Promise<ExecutedUp> {
  const { plan, observation } = prepared;
  const project = observation.composeProject;
  const running = plan.steps.flatMap((step) =>
    step.kind === 'recreate-service' && step.running ? [step.service] : [],
  );
  await notePendingStarts(context, project.name, running);
  const replaced = servicesOf(plan.steps, ['recreate-service', 'remove-service']);
  const { postponed, stopped } = options.force
    ? { postponed: new Map<string, string>(), stopped: new Set<string>() }
    : await stopIdle(context, prepared.project, new Set(replaced));
  spareAgain(prepared, postponed);
  const isLeft = (service: string) => !postponed.has(service);
  const toMake = servicesOf(plan.steps, ['create-service', 'recreate-service']).filter(isLeft);
  const toRemove = servicesOf(plan.steps, ['remove-service']).filter(isLeft);
  if (toMake.length > 0) await makeContainers(context, prepared, toMake);
  // Who was stopped to be replaced, and is spared after all, goes on as it was.
  const spared = [...stopped].filter((service) => !isLeft(service));
  const toStart = new Set([...toMake, ...spared, ...servicesOf(plan.steps, ['start-service'])]);
  await startContainers(context, prepared, toStart, started);
  if (toRemove.length > 0) await removeServices(context, project, toRemove);
  await clearPendingStarts(context);
  return { postponed };
}

/**
 * Compose would recreate whoever has just been put off along with what depends on it (`depends_on` of the user's own): so
 * that is put off, too.
 */
function spareAgain({ plan, observation }: PreparedUp, postponed: Map<string, string>): void {
  if (postponed.size === 0) return;
  const { desired, own, composeVersion } = observation;
  const changed = desired.filter((service) =>
    own.some(
      (container) =>
        container.service === service.name &&
        describeChange(service, container, composeVersion) !== undefined,
    ),
  );
  const steps = plan.steps.filter(isContainerStep).filter(({ service }) => !postponed.has(service));
  const names = new Set(changed.map(({ name }) => name));
  for (const step of spareDependencies(steps, desired, names)) {
    if (step.kind === 'postpone-service' && !steps.includes(step)) postponed.set(step.service, step.why);
  }
}

function isContainerStep(step: Step): step is ContainerStep {
  return 'service' in step;
}

interface StoppedIdle {
  /** By service, why. */
  readonly postponed: Map<string, string>;
  readonly stopped: ReadonlySet<string>;
}

/**
 * Stops the provers that Compose is about to replace, each right after it has said once more that it is idle: Compose
 * takes a second per container until it stops the old one, and a proof that begins in it would be lost.
 */
async function stopIdle(
  context: Context,
  project: Project,
  services: ReadonlySet<string>,
): Promise<StoppedIdle> {
  const postponed = new Map<string, string>();
  const stopped = new Set<string>();
  if (services.size === 0) return { postponed, stopped };
  const docker = await context.ports.docker();
  const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
  const looks = await lookAtProvers(context, project, own);
  const stop = async (look: ProverLook): Promise<void> => {
    if (look.container.state !== 'running' && look.container.state !== 'paused') return;
    if (!look.risk.safe) {
      postponed.set(look.service, look.risk.why);
    } else if (await answersAsBefore(context, look.container, looks)) {
      await docker.stop(look.container.id);
      stopped.add(look.service);
    } else {
      postponed.set(look.service, 'has just begun to prove');
    }
  };
  const queue = [...looks.provers.values()].filter(({ service }) => services.has(service));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      context.signal.throwIfAborted();
      await stop(next);
    }
  };
  // All to their end: one that is still being stopped when this fails would be forgotten.
  const ended = await Promise.allSettled(Array.from({ length: PARALLEL_STARTS }, work));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return { postponed, stopped };
}

function servicesOf(steps: readonly Step[], kinds: readonly ContainerStep['kind'][]): readonly string[] {
  return steps.flatMap((step) =>
    'service' in step && (kinds as readonly string[]).includes(step.kind) ? [step.service] : [],
  );
}

async function makeContainers(
  context: Context,
  { observation }: PreparedUp,
  services: readonly string[],
): Promise<void> {
  const compose = await context.ports.compose();
  const live = context.out.live();
  const made = new Set<string>();
  const onProgress = (progress: ComposeProgress) => {
    if (progress.kind === 'image') live.update([`image ${progress.name}: ${progress.status.toLowerCase()}`]);
    if (progress.kind !== 'container' || !/^(Created|Recreated)$/.test(progress.status)) return;
    made.add(progress.name);
    // Elsewhere each container would be a line of its own.
    if (context.out.interactive) live.update([`containers     ${made.size} of ${services.length} made`]);
  };
  try {
    await compose.create(observation.composeProject, { services, signal: context.signal, onProgress });
  } finally {
    live.done();
  }
}

async function startContainers(
  context: Context,
  { observation }: PreparedUp,
  services: ReadonlySet<string>,
  started: StartedService[],
): Promise<void> {
  if (services.size === 0) return;
  const docker = await context.ports.docker();
  const containers = await docker.containers({ project: observation.composeProject.name });
  const roles = new Map(observation.desired.map(({ name, role }) => [name, role]));
  const toStart = containers.flatMap((container) => {
    const service = container.service;
    if (service === undefined || container.oneOff || !services.has(service)) return [];
    return [{ service, role: roles.get(service) ?? 'other', containerId: container.id }];
  });
  const start = async (target: StartedService): Promise<StartedService> => {
    try {
      await docker.start(target.containerId);
      return target;
    } catch (error) {
      // One that cannot be started must not keep the others from it.
      if (error instanceof SmeshError) return { ...target, error: error.message };
      throw error;
    }
  };
  // Provers look for the node as soon as they run: it is there first, so that they find it at their first try.
  const nodes = toStart.filter(({ role }) => role === 'node');
  const rest = toStart.filter(({ role }) => role !== 'node');
  for (const node of nodes) started.push(await start(node));
  const queue = [...rest];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      context.signal.throwIfAborted();
      started.push(await start(next));
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_STARTS, rest.length) }, work));
}

/**
 * Services that compose.yaml no longer has are unknown to Compose by name, so it is given a file that has nothing but
 * their names; containers are found by their labels (engineering.md §4.2).
 */
export async function removeServices(
  context: Context,
  project: ComposeProject,
  services: readonly string[],
): Promise<void> {
  const { files, system } = context.ports;
  const folder = context.env['TMPDIR'] || '/tmp';
  const path = `${folder}/smesh-compose-${system.pid}-${context.clock.now()}-removed.yaml`;
  const names = Object.fromEntries(services.map((service) => [service, { image: 'removed' }]));
  await files.writeNew(path, JSON.stringify({ services: names }), { mode: 0o600 });
  try {
    const compose = await context.ports.compose();
    await compose.remove({ ...project, files: [path] }, services, { signal: context.signal });
  } finally {
    await files.removeOwn(path);
  }
}
