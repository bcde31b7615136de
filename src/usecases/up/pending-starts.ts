import * as z from 'zod';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { choosePending, type PendingChoice } from '../../domain/plan/pending-starts.ts';
import type { DockerPort } from '../../ports/docker.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { refuseUnsafeNode } from './check-node-start.ts';

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
  /** When each was noted, ISO: what somebody else stops later is not to be started. Absent in older notes. */
  noted: z.record(z.string(), z.string()).optional(),
});

interface PendingStarts {
  readonly project: string;
  readonly services: readonly string[];
  readonly noted?: Readonly<Record<string, string>> | undefined;
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
  const read = await readPendingStarts(context);
  const earlier = read?.project === project ? read : undefined;
  const now = new Date(context.clock.now()).toISOString();
  await write(context, {
    project,
    services: [...new Set([...(earlier?.services ?? []), ...services])],
    noted: { ...earlier?.noted, ...Object.fromEntries(services.map((service) => [service, now])) },
  });
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
 * Starts what an interrupted command left recreated but down, and says so: provers as they are, the node (first) only
 * when all that keeps `up` from starting it has been looked at anew, because its keys may have been moved since. What
 * cannot be started now is warned of and stays noted; it keeps no command from its work.
 *
 * @param before what the note begins with that says what was started
 * @param options.startNode false for commands that are not to set a node going, however safe it is
 */
export async function finishPendingStarts(
  context: Context,
  before = 'An earlier up was interrupted before it had started',
  options: { readonly startNode: boolean } = { startNode: true },
): Promise<void> {
  const pending = await readPendingStarts(context);
  if (pending === undefined || pending.services.length === 0) return;
  const started: string[] = [];
  const left: string[] = [];
  let chosen: readonly PendingChoice[];
  try {
    const docker = await context.ports.docker();
    chosen = choosePending(pending, await listSettled(context, docker, pending));
    for (const { service, act, container } of chosen) {
      if (act === 'drop') continue;
      try {
        if (act === 'wait') left.push(service);
        else if (act === 'check-and-start' && !options.startNode) throw notByThis(service);
        else {
          if (act === 'check-and-start') await refuseUnsafeNode(context, pending.project, container);
          await docker.start(container.id);
          started.push(service);
        }
      } catch (error) {
        if (!(error instanceof SmeshError) || context.signal.aborted) throw error;
        left.push(service);
        const more = error.details.length === 0 ? '' : ` ${error.details.join('; ')}.`;
        context.out.warn(
          `${service} was down after an interrupted up and is not started: ${error.message}${more} Next: smesh-compose up`,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof SmeshError) || context.signal.aborted) throw error;
    context.out.warn(
      `An interrupted up may have left ${enumerate(pending.services)} down, and nobody can look now: ${error.message} When the engine answers: smesh-compose up`,
    );
    return;
  }
  if (started.length > 0) {
    context.out.note(`${before} ${enumerate(started)} again; started now.`);
  }
  const dropped = chosen.filter(({ act }) => act === 'drop').map(({ service }) => service);
  if (dropped.length > 0) {
    context.out.warn(
      `${enumerate(dropped)} ran when an up was interrupted, and somebody else stopped or made ${dropped.length === 1 ? 'it' : 'them'} anew since: left as found. To start: smesh-compose up`,
    );
  }
  if (left.length > 0) await write(context, { ...pending, services: left });
  else await clearPendingStarts(context);
}

function notByThis(service: string): SmeshError {
  return new SmeshError('not-started', ExitCode.refused, `this command does not start ${service}.`);
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
