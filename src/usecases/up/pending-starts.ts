import * as z from 'zod';
import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { SmeshError } from '../../domain/errors.ts';
import type { DockerPort } from '../../ports/docker.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

/**
 * Containers that ran and are being recreated: Compose makes the new ones without starting them. Whoever is killed in
 * between leaves provers down that should run, so their names are on disk first and the next command starts them
 * (design §4).
 */
const schema = z.object({
  version: z.literal(1),
  /** Compose project they are in: smesh.yaml may have another name, or none, when they are started. */
  project: z.string(),
  services: z.array(z.string()),
});

interface PendingStarts {
  readonly project: string;
  readonly services: readonly string[];
}

function pathOf(context: Context): string {
  return `${stateFolder(context.directory)}/pending-starts.json`;
}

/** Services that an interrupted command recreated, or was about to. Damage counts as none: `up` starts all anyway. */
async function readPendingStarts(context: Context): Promise<PendingStarts | undefined> {
  const text = await context.ports.files.readTextIfPresent(pathOf(context));
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Adds services that are about to be recreated to what an earlier command left. */
export async function notePendingStarts(
  context: Context,
  project: string,
  services: readonly string[],
): Promise<void> {
  if (services.length === 0) return;
  const earlier = await readPendingStarts(context);
  const kept = earlier?.project === project ? earlier.services : [];
  await write(context, { project, services: [...new Set([...kept, ...services])] });
}

async function write(context: Context, pending: PendingStarts): Promise<void> {
  await context.ports.files.makeDirectory(stateFolder(context.directory), { mode: 0o700 });
  await context.ports.files.writeAtomic(pathOf(context), `${JSON.stringify({ version: 1, ...pending })}\n`, {
    mode: 0o600,
  });
}

export async function clearPendingStarts(context: Context): Promise<void> {
  if (await context.ports.files.exists(pathOf(context))) await context.ports.files.removeOwn(pathOf(context));
}

/**
 * Starts what an interrupted command left recreated but down, the node first, and says so. What cannot be started now is
 * warned of and stays noted; it keeps no command from its work.
 */
export async function finishPendingStarts(
  context: Context,
  before = 'An earlier up was interrupted before it had started',
): Promise<void> {
  const pending = await readPendingStarts(context);
  if (pending === undefined || pending.services.length === 0) return;
  const started: string[] = [];
  const left: string[] = [];
  try {
    const docker = await context.ports.docker();
    const containers = await listSettled(context, docker, pending);
    for (const { service, container } of chooseToStart(pending.services, containers)) {
      if (container === 'being-replaced') {
        left.push(service);
        continue;
      }
      try {
        await docker.start(container.id);
        started.push(service);
      } catch (error) {
        if (!(error instanceof SmeshError)) throw error;
        left.push(service);
        context.out.warn(
          `${service} was down after an interrupted up and cannot be started: ${error.message}`,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    context.out.warn(
      `An interrupted up may have left ${enumerate(pending.services)} down, and nobody can look now: ${error.message} When the engine answers: smesh-compose up`,
    );
    return;
  }
  if (started.length > 0) {
    context.out.note(`${before} ${enumerate(started)} again; started now.`);
  }
  if (left.length > 0) await write(context, { project: pending.project, services: left });
  else await clearPendingStarts(context);
}

/** Compose outlives a command that is killed by moments; in them it may be about to remove what it has stopped. */
const COMPOSE_OUTLIVES_MS = 5000;

async function listSettled(
  context: Context,
  docker: DockerPort,
  { project, services }: PendingStarts,
): Promise<readonly ObservedContainer[]> {
  const containers = await docker.containers({ project });
  const now = context.clock.now();
  const justStopped = containers.some(
    ({ service, state, finishedAt }) =>
      state === 'exited' &&
      service !== undefined &&
      services.includes(service) &&
      finishedAt !== undefined &&
      now - finishedAt < COMPOSE_OUTLIVES_MS,
  );
  if (!justStopped) return containers;
  await context.clock.sleep(COMPOSE_OUTLIVES_MS, context.signal);
  return docker.containers({ project });
}

interface ToStart {
  readonly service: string;
  /** Compose outlives a command that is killed, and may not have stopped the former container yet. */
  readonly container: ObservedContainer | 'being-replaced';
}

/** Never a second one beside one that is up: two of one identity would work on the same data. */
function chooseToStart(
  services: readonly string[],
  containers: readonly ObservedContainer[],
): readonly ToStart[] {
  const chosen = services.flatMap((service): ToStart[] => {
    const all = containers.filter((container) => container.service === service && !container.oneOff);
    // One that was stopped to be replaced, and was not, is the one to start again.
    const created =
      all.find(({ state }) => state === 'created') ?? all.find(({ state }) => state === 'exited');
    if (created === undefined) return [];
    const isUp = all.some(({ state }) => ['running', 'paused', 'restarting'].includes(state));
    return [{ service, container: isUp ? 'being-replaced' : created }];
  });
  const isNode = ({ container }: ToStart) =>
    container !== 'being-replaced' && readLabels(container.labels)?.role === 'node';
  return [...chosen.filter(isNode), ...chosen.filter((one) => !isNode(one))];
}
