import { SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Identity } from '../../domain/project/types.ts';
import { type NodeConnection, readProofLog } from '../../domain/proving/proof-log.ts';
import type { ConnectionSeen } from '../../domain/verification/facts.ts';
import type { DockerPort, LogOptions } from '../../ports/docker.ts';
import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';
import type { Observation } from '../observe.ts';

/** A proof writes a line per file and per group; the connection may be older than the last one. */
const SERVICE_LINES = 4000;

/** The node says it every 20 s while it waits (spacemesh.md §9.1). */
const NODE_LOG_MS = 60_000;

/** More logs at once only queue up inside the engine. */
const LOGS_AT_ONCE = 16;

const MISSED = /post service not connected - waiting for reconnection/;
const WHOSE = /"smesherID": ?"([0-9a-f]+)"/;

/** How each post-service stands to the node by both logs. Logs that do not come in time say nothing. */
export async function readConnections(
  { ports, clock }: Context,
  observation: Observation,
  chosen: readonly Identity[],
  timeoutMs: number,
): Promise<ReadonlyMap<SmesherId, ConnectionSeen>> {
  if (observation.engineFault !== undefined) return new Map();
  const docker = await ports.docker();
  const signal = AbortSignal.timeout(timeoutMs * 2);
  const services = new Map<SmesherId, NodeConnection>();
  const queue = observation.identities
    .filter(({ identity, container }) => container?.state === 'running' && chosen.includes(identity))
    .values();
  const work = async (): Promise<void> => {
    for (const { identity, container } of queue) {
      if (container === undefined || signal.aborted) continue;
      const lines = await readLines(docker, container.id, { tail: SERVICE_LINES, signal });
      services.set(identity.id, readProofLog(lines ?? []).connection);
    }
  };
  const missed = new Map<string, number>();
  const node = observation.node.container;
  const readNode = async (): Promise<void> => {
    if (node?.state !== 'running') return;
    await readLines(docker, node.id, { since: observation.at - NODE_LOG_MS, signal }, ({ text, at }) => {
      const whose = MISSED.test(text) ? WHOSE.exec(text)?.[1] : undefined;
      if (whose !== undefined) missed.set(whose, at);
    });
  };
  const all = [readNode(), ...Array.from({ length: LOGS_AT_ONCE }, work)];
  await within(clock, Promise.all(all), timeoutMs * 2);
  return new Map(
    chosen.map(({ id }) => {
      // The node writes it whole or shortened.
      const at = [...missed].find(([whose]) => id.startsWith(whose))?.[1];
      const service = services.get(id) ?? { kind: 'unseen' };
      return [id, { service, ...(at === undefined ? {} : { missedByNodeAt: at }) }];
    }),
  );
}

async function readLines(
  docker: DockerPort,
  container: string,
  options: LogOptions,
  onLine?: (line: { readonly text: string; readonly at: number }) => void,
): Promise<readonly string[] | undefined> {
  const lines: string[] = [];
  try {
    for await (const line of docker.logs(container, options)) {
      if (onLine === undefined) lines.push(line.text);
      else onLine(line);
    }
  } catch (error) {
    // Gone meanwhile, or a log driver that cannot be read.
    if (error instanceof SmeshError) return undefined;
    throw error;
  }
  // Cut off in the middle its last word on the connection may be missing.
  return options.signal?.aborted === true ? undefined : lines;
}
