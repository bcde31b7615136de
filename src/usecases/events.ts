import { readLabels } from '../domain/compose/labels.ts';
import type { ObservedContainer } from '../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import { EventStream } from '../domain/node/event-stream.ts';
import type { NodeEvent } from '../domain/node/events.ts';
import type { Project } from '../domain/project/types.ts';
import { NodeFaultError } from '../ports/node-api.ts';
import type { Context } from './context.ts';
import { nodeEndpoint } from './observe/ask-node.ts';

const TIMEOUT_MS = 5000;

/** Between two attempts to reach a node that is away. */
const RETRY_MS = 1000;

/** How often an event is looked for that waits for its newer form. */
const RELEASE_MS = 250;

/** The events that the node still remembers, oldest first, each once. Rejects when the node cannot be asked (exit 6). */
export async function recentEvents(
  { ports, clock }: Context,
  project: Project,
): Promise<readonly NodeEvent[]> {
  const found = await findNodeUnlessSilent(ports, project);
  const node = found.fault === undefined ? found.node : undefined;
  if (found.fault === undefined && node?.state !== 'running') throw nodeAway(project, node);
  const api = await ports.nodeApi();
  const { events } = await api.snapshot(nodeEndpoint(project, node), { timeoutMs: TIMEOUT_MS });
  if (!events.ok) {
    if (found.fault !== undefined) throw found.fault;
    throw new SmeshError(
      'node-silent',
      ExitCode.unhealthy,
      `The node does not tell its events (${events.error.message})`,
      { hint: 'It may still be starting: smesh-compose status, smesh-compose logs node' },
    );
  }
  const stream = new EventStream();
  for (const event of events.value) stream.push(event, clock.now());
  return stream.take(clock.now(), true);
}

/**
 * Tells the events that the node remembers and then each as it happens, until the signal is aborted: also over restarts
 * of the node, which empty its memory, and broken connections, after which it tells its last hundred once more.
 */
export async function followEvents(
  { ports, clock, signal, out }: Context,
  project: Project,
  onEvent: (event: NodeEvent) => void,
): Promise<void> {
  const docker = await ports.docker();
  const api = await ports.nodeApi();
  const stream = new EventStream();
  const tell = (everything = false) => {
    for (const event of stream.take(clock.now(), everything)) onEvent(event);
  };
  // Who cannot be asked at all is told at once; what goes away later is waited for.
  let node = await findNode(docker, project);
  const ended = new AbortController();
  const releasing = releaseHeld(AbortSignal.any([signal, ended.signal]));
  let isAway = false;
  try {
    while (!signal.aborted) {
      if (node?.state === 'running') {
        try {
          for await (const event of api.events(nodeEndpoint(project, node), signal)) {
            if (isAway) out.note('The node is back.');
            isAway = false;
            stream.push(event, clock.now());
            tell();
          }
        } catch (error) {
          if (!(error instanceof NodeFaultError)) throw error;
          if (!isAway) out.note(`The node is away (${error.fault.message}); waiting for it.`);
          isAway = true;
        }
      } else if (!isAway) {
        out.note(`${nodeAway(project, node).message}; waiting for it.`);
        isAway = true;
      }
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      node = await findNode(docker, project).catch((error: unknown) => {
        if (error instanceof SmeshError) return undefined;
        throw error;
      });
    }
  } finally {
    ended.abort();
    await releasing;
    tell(true);
  }

  async function releaseHeld(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      await clock.sleep(RELEASE_MS, until).catch(() => undefined);
      tell();
    }
  }
}

/** The node is asked at its port of this host, for which no engine is needed; why that is silent matters only if it is. */
async function findNodeUnlessSilent(
  ports: Context['ports'],
  project: Project,
): Promise<{ readonly node?: ObservedContainer; readonly fault?: SmeshError }> {
  try {
    const node = await findNode(await ports.docker(), project);
    return node === undefined ? {} : { node };
  } catch (fault) {
    if (!(fault instanceof SmeshError)) throw fault;
    return { fault };
  }
}

async function findNode(
  docker: Awaited<ReturnType<Context['ports']['docker']>>,
  project: Project,
): Promise<ObservedContainer | undefined> {
  const containers = await docker.containers({ project: project.name });
  const own = containers.filter((container) => !container.oneOff);
  return (
    own.find(({ labels }) => readLabels(labels)?.role === 'node') ??
    own.find(({ service }) => service === 'node')
  );
}

function nodeAway(project: Project, node: ObservedContainer | undefined): SmeshError {
  const message = node === undefined ? `${project.name} has no node yet` : `The node is ${node.state}`;
  return new SmeshError('node-down', ExitCode.unhealthy, message, {
    hint: 'It remembers its events only while it runs. Start it with: smesh-compose up',
  });
}
