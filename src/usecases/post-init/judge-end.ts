import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { type EndedBy, type EndFacts, explainEnd, type JobEnd } from '../../domain/post-init/explain-end.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import type { Context } from '../context.ts';
import { readLogOf } from './job-containers.ts';
import type { JobEvents } from './job-events.ts';

/** An engine that goes down stops its containers as a person would, and is gone a moment later. */
const ENGINE_GOES_MS = 1500;

type Place = Pick<EndFacts, 'gpu' | 'card'>;

/**
 * Why a job that was watched does not run any more, from files, log and events. Rejects with the engine's error where the
 * engine is away: then nothing is known yet.
 */
export async function judgeEnd(
  context: Context,
  events: JobEvents,
  look: JobLook,
  place: Place,
  container: ObservedContainer | undefined,
): Promise<JobEnd> {
  const docker = await context.ports.docker();
  const log = container === undefined ? undefined : await readLogOf(context, docker, container);
  return explainEnd({
    job: look.job,
    ...place,
    state: look.state,
    endedBy: await whoEnded(context, events, container, log?.interrupted === true),
    oomKilled: container?.oomKilled ?? false,
    said: log?.said ?? [],
    ...(container?.exitCode === undefined ? {} : { exitCode: container.exitCode }),
    ...(look.freeBytes === undefined ? {} : { freeBytes: look.freeBytes }),
  });
}

async function whoEnded(
  { clock, ports }: Context,
  events: JobEvents,
  container: ObservedContainer | undefined,
  interrupted: boolean,
): Promise<EndedBy> {
  if (container === undefined) return 'somebody';
  const ask = () => events.endedBy(container.id, container.finishedAt ?? clock.now(), container.startedAt);
  if (ask() !== 'somebody' && !interrupted) return ask();
  await clock.sleep(ENGINE_GOES_MS);
  await (await ports.docker()).engine();
  return ask() === 'engine' ? 'engine' : 'somebody';
}

/** Why the engine would not start a job, in words. */
export function notStarted({ job, state }: JobLook, place: Place, startError: string): JobEnd {
  return explainEnd({ job, ...place, state, endedBy: 'itself', oomKilled: false, startError, said: [] });
}
