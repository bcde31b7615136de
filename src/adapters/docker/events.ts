import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import * as z from 'zod';
import type { ContainerFilter, EngineEvent } from '../../ports/docker.ts';
import { engineMessage } from './engine-errors.ts';
import { LineSplitter } from './frames.ts';

const eventSchema = z.object({
  Type: z.literal('container'),
  Action: z.string(),
  time: z.number(),
  timeNano: z.number().optional(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
});

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** Filters that `GET /containers/json` and `GET /events` both know. */
export function labelFilters(filter: ContainerFilter): readonly string[] {
  return [
    ...(filter.project === undefined ? [] : [`com.docker.compose.project=${filter.project}`]),
    ...(filter.service === undefined ? [] : [`com.docker.compose.service=${filter.service}`]),
    ...(filter.labels ?? []),
  ];
}

/** See DockerPort.events. Nothing is told twice: after a break the reader is told to look at the containers anew. */
export async function* followEvents(
  docker: Docker,
  filter: ContainerFilter,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    let reason = 'the connection was closed';
    const ours = new AbortController();
    try {
      const stream = await docker.getEvents({
        abortSignal: AbortSignal.any([signal, ours.signal]),
        filters: { type: ['container'], label: [...labelFilters(filter)] },
      });
      pause = FIRST_PAUSE_MS;
      yield { kind: 'connected' };
      const lines = new LineSplitter();
      for await (const chunk of stream) {
        for (const line of lines.push(Buffer.from(chunk))) {
          const event = parseEvent(line);
          if (event !== undefined) yield event;
        }
      }
    } catch (error) {
      reason = engineMessage(error);
    } finally {
      ours.abort();
    }
    if (signal.aborted) return;
    yield { kind: 'disconnected', reason };
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** `undefined` for what is no event of a container: the stream is advice, the containers themselves are the truth. */
export function parseEvent(
  line: string,
): Exclude<EngineEvent, { kind: 'connected' | 'disconnected' }> | undefined {
  let decoded: unknown;
  try {
    decoded = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = eventSchema.safeParse(decoded);
  if (!parsed.success) return undefined;
  const { Action: action, Actor: actor, time, timeNano } = parsed.data;
  const attributes = actor.Attributes ?? {};
  const [verb = action, detail] = action.split(': ', 2);
  const exitCode = /^\d+$/.test(attributes['exitCode'] ?? '') ? Number(attributes['exitCode']) : undefined;
  const project = attributes['com.docker.compose.project'];
  const service = attributes['com.docker.compose.service'];
  return {
    kind: 'container',
    at: timeNano === undefined ? time * 1000 : Math.floor(timeNano / 1e6),
    action: verb,
    ...(verb === 'health_status' && detail !== undefined ? { health: detail } : {}),
    ...(exitCode === undefined ? {} : { exitCode }),
    containerId: actor.ID,
    name: attributes['name'] ?? '',
    ...(project === undefined ? {} : { project }),
    ...(service === undefined ? {} : { service }),
  };
}
