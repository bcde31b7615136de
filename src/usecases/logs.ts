import { readLabels } from '../domain/compose/labels.ts';
import type { ObservedContainer } from '../domain/compose/observed.ts';
import { SmeshError } from '../domain/errors.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type { DockerPort, LogLine } from '../ports/docker.ts';

/** A container whose log is wanted. */
export interface LogSource {
  readonly service: string;
  readonly smesher?: SmesherId;
  readonly containerId: string;
}

export interface ServiceLine extends LogLine {
  readonly service: string;
  readonly smesher?: SmesherId;
}

export interface LogQuery {
  /** Of each service; absent: all there is. */
  readonly tail?: number;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly signal: AbortSignal;
}

/**
 * The lines of many logs in the order of their times, each log's own order kept. Reads no further ahead than one line of
 * each: a log may be longer than our memory.
 */
export async function* mergeLogs(
  docker: DockerPort,
  sources: readonly LogSource[],
  query: LogQuery,
): AsyncGenerator<ServiceLine> {
  const heads = await Promise.all(
    sources.map(async (source) => {
      const lines = readLog(docker, source, query);
      return { lines, head: await lines.next() };
    }),
  );
  try {
    for (;;) {
      let first: (typeof heads)[number] | undefined;
      for (const entry of heads) {
        if (entry.head.done === true) continue;
        if (first === undefined || first.head.done === true || entry.head.value.at < first.head.value.at) {
          first = entry;
        }
      }
      if (first === undefined || first.head.done === true) return;
      yield first.head.value;
      first.head = await first.lines.next();
    }
  } finally {
    // Who stops early must not leave the engine sending.
    await Promise.allSettled(heads.map(({ lines }) => lines.return(undefined)));
  }
}

/**
 * Follows the logs of a project's wanted services until the signal is aborted: also of containers that are stopped now,
 * that start again, that are made meanwhile, and over a restart of the engine. `onLine` gets each line once, as it comes.
 */
export async function followLogs(
  docker: DockerPort,
  project: string,
  isWanted: (service: string) => boolean,
  query: LogQuery,
  onLine: (line: ServiceLine) => void,
): Promise<void> {
  const { signal } = query;
  /** By container: everything before this moment of the engine's clock has been told, or was not wanted. */
  const toldUntil = new Map<string, number>();
  const tellFrom = (containerId: string, at: number) =>
    toldUntil.set(containerId, Math.max(at, toldUntil.get(containerId) ?? 0));
  const followed = new Map<string, Promise<void>>();
  let bug: unknown;

  const follow = (source: LogSource, otherwise: Omit<LogQuery, 'signal'>) => {
    const { containerId, service } = source;
    if (!isWanted(service) || followed.has(containerId)) return;
    const since = toldUntil.get(containerId);
    const from = since === undefined ? { ...otherwise, signal } : { since, signal };
    const read = async () => {
      for await (const line of readLog(docker, source, from, true)) {
        tellFrom(containerId, line.at + 1);
        onLine(line);
      }
    };
    const reading = read()
      .catch((error: unknown) => {
        // The engine went away: its events come back with `connected`, and then we go on where we were.
        if (!(error instanceof SmeshError)) bug ??= error;
      })
      .finally(() => followed.delete(containerId));
    followed.set(containerId, reading);
  };

  for await (const event of docker.events({ project }, signal)) {
    if (bug !== undefined) throw bug;
    if (event.kind === 'connected') {
      for (const container of await docker.containers({ project })) {
        follow(sourceOf(container), query);
        // Of a stopped container all that there is comes now; what its next run says begins later.
        if (container.state !== 'running' && container.finishedAt !== undefined) {
          tellFrom(container.id, container.finishedAt);
        }
      }
    } else if (event.kind === 'container' && event.action === 'die') {
      tellFrom(event.containerId, event.at);
    } else if (event.kind === 'container' && event.action === 'start') {
      // The stream of the run before may not have ended yet.
      await followed.get(event.containerId);
      const container = await docker.inspect(event.containerId);
      if (container !== undefined) follow(sourceOf(container), {});
    }
  }
  await Promise.all(followed.values());
}

async function* readLog(
  docker: DockerPort,
  { containerId, ...names }: LogSource,
  query: LogQuery,
  follow = false,
): AsyncGenerator<ServiceLine> {
  const { tail, since, signal } = query;
  try {
    const lines = docker.logs(containerId, {
      follow,
      signal,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since }),
    });
    for await (const line of lines) yield { ...line, ...names };
  } catch (error) {
    // Removed while we read: what it said until then has been told.
    if (!(error instanceof SmeshError && error.code === 'container-gone')) throw error;
  }
}

function sourceOf(container: ObservedContainer): LogSource {
  const smesher = readLabels(container.labels)?.smesherId;
  return {
    service: container.service ?? container.name,
    containerId: container.id,
    ...(smesher === undefined ? {} : { smesher }),
  };
}

/** Containers of a project as sources of logs, those of jobs too, by service name. */
export function logSources(containers: readonly ObservedContainer[]): readonly LogSource[] {
  return containers
    .map(sourceOf)
    .sort((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : 0));
}
