import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { lastWords, readStartSign } from '../../domain/node/start-log.ts';
import type { Project } from '../../domain/project/types.ts';
import { judgeReconnect, type ReconnectVerdict } from '../../domain/upgrade/reconnect.ts';
import { enumerate, printable } from '../../ui/text.ts';
import { formatCount, formatDuration, plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { askNode } from '../observe/ask-node.ts';
import { watchStart } from '../up/watch-start.ts';

/** What a service has to be again after its image was changed. */
export interface NodeGate {
  readonly containerId: string;
  readonly since: number;
  /** Was it in sync before? Then it has to be again. */
  readonly synced: boolean;
  /** Identities that it smeshed with; it has to again. Those without an installed key do not count. */
  readonly smesherIds: readonly SmesherId[];
  /** Post-services that are up, and have to find it again, as far as they can. */
  readonly provers: readonly ObservedContainer[];
  readonly timeoutMs: number;
}

export type GateResult =
  | { readonly passed: true; readonly warnings: readonly string[] }
  | { readonly passed: false; readonly why: string };

const ASK_TIMEOUT_MS = 3000;
const LOOK_EVERY_MS = 1000;

/** A post-service tries its node every 5 s (spacemesh.md §3.1). */
const RECONNECT_MS = 30_000;

/** It only has to listen and to find the node. */
const PROVER_MS = 3 * 60_000;

/**
 * Whether a node with another image does its work: healthy, in sync, the same identities loaded, post-services connected
 * again (S41). Told by engine events, its log and its API.
 */
export async function passNodeGate(
  context: Context,
  project: Project,
  standard: NodeGate,
): Promise<GateResult> {
  const { clock } = context;
  const gate = await withoutRemoved(context, project, standard);
  const until = clock.now() + gate.timeoutMs;
  const watched = await watchStart(context, {
    project: project.name,
    services: [{ service: 'node', role: 'node', containerId: gate.containerId }],
    since: gate.since,
    timeoutMs: gate.timeoutMs,
  });
  const [node] = watched.services;
  if (node?.state !== 'healthy') {
    const why = node?.reason ?? `it was not healthy after ${formatDuration(gate.timeoutMs)}`;
    return { passed: false, why: printable(why) };
  }
  const fault = await waitForSync(context, project, gate, until);
  if (fault !== undefined) return { passed: false, why: printable(fault) };
  const { nobodyCan, lost, unable } = await waitForProvers(context, gate);
  if (nobodyCan) {
    return { passed: false, why: `no post-service has found it within ${formatDuration(RECONNECT_MS)}` };
  }
  if (unable.length > 0) {
    const cannot = `held, paused or stopped, so nobody has seen whether ${unable.length === 1 ? 'it finds' : 'they find'} the new node`;
    context.out.warn(`${enumerate(unable)} ${unable.length === 1 ? 'is' : 'are'} ${cannot}.`);
  }
  const warnings =
    lost.length === 0
      ? []
      : [`${enumerate(lost)} ${lost.length === 1 ? 'has' : 'have'} not found the new node yet`];
  return { passed: true, warnings };
}

/** Who was removed meanwhile is not missed: its key was taken away, and the node is right to know nothing of it. */
async function withoutRemoved(context: Context, project: Project, gate: NodeGate): Promise<NodeGate> {
  const keys = await readInstalledKeys(context, identitiesFolder(project));
  const isInstalled = (id: string | undefined) => keys.some(({ smesherId }) => smesherId === id);
  return {
    ...gate,
    smesherIds: gate.smesherIds.filter(isInstalled),
    provers: gate.provers.filter(({ labels }) => isInstalled(readLabels(labels)?.smesherId)),
  };
}

/** `undefined`: in sync, with all identities. */
async function waitForSync(
  context: Context,
  project: Project,
  gate: NodeGate,
  until: number,
): Promise<string | undefined> {
  const { clock, out, signal } = context;
  const docker = await context.ports.docker();
  const live = out.live();
  try {
    for (;;) {
      signal.throwIfAborted();
      const container = await docker.inspect(gate.containerId);
      if (container?.state !== 'running' || container.restartCount > 0) {
        return (await wordsOf(context, gate.containerId)) ?? 'it has ended';
      }
      const snapshot = await askNode(context.ports, project, container, ASK_TIMEOUT_MS);
      const { status, smesherIds } = snapshot;
      const missing = smesherIds.ok ? gate.smesherIds.filter((id) => !smesherIds.value.includes(id)) : [];
      if (missing.length > 0)
        return `it no longer smeshes with ${plural(missing.length, 'identity', 'identities')}`;
      const synced = !gate.synced || (status.ok && status.value.synced);
      if (status.ok && smesherIds.ok && synced) return undefined;
      if (clock.now() >= until) {
        return status.ok
          ? `it was not in sync after ${formatDuration(gate.timeoutMs)}`
          : `its API does not answer: ${status.error.message}`;
      }
      const layers = status.ok
        ? `layer ${formatCount(status.value.syncedLayer)} of ${formatCount(status.value.topLayer)}, ${plural(status.value.peers, 'peer')}`
        : 'its API does not answer yet';
      live.update([
        out.interactive ? `node  healthy; syncs: ${layers}` : 'node  healthy; waits until it is in sync',
      ]);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  } finally {
    live.done();
  }
}

async function wordsOf(context: Context, containerId: string): Promise<string | undefined> {
  const docker = await context.ports.docker();
  const lines: string[] = [];
  try {
    for await (const line of docker.logs(containerId, { tail: 30 })) lines.push(line.text);
  } catch {
    return undefined;
  }
  return lastWords(lines);
}

/** Who has said since the node's start that it found it, and what the others are to be thought of. */
async function waitForProvers(context: Context, { provers, since }: NodeGate): Promise<ReconnectVerdict> {
  const { clock, signal } = context;
  const docker = await context.ports.docker();
  const until = clock.now() + RECONNECT_MS;
  const connected = new Set<string>();
  for (;;) {
    const looks = await Promise.all(
      provers.map(async ({ id, service, name }) => {
        if (!connected.has(id) && (await hasConnected(context, id, since))) connected.add(id);
        const container = await docker.inspect(id);
        return {
          name: service ?? name,
          connected: connected.has(id),
          ...(container === undefined ? {} : { container }),
        };
      }),
    );
    const verdict = judgeReconnect(looks);
    if (verdict.lost.length === 0 || clock.now() >= until) return verdict;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function hasConnected(context: Context, containerId: string, since: number): Promise<boolean> {
  const docker = await context.ports.docker();
  try {
    for await (const { text } of docker.logs(containerId, { since })) {
      if (readStartSign(text)?.kind === 'connected') return true;
    }
  } catch {
    // Gone meanwhile: it has not.
  }
  return false;
}

/** Whether post-services with another image do theirs: they listen, and a node that runs has heard of them. */
export async function passProverGate(
  context: Context,
  project: Project,
  provers: readonly { readonly service: string; readonly containerId: string }[],
  options: { readonly since: number; readonly nodeRuns: boolean },
): Promise<GateResult> {
  const watched = await watchStart(context, {
    project: project.name,
    services: provers.map((prover) => ({ ...prover, role: 'prover' })),
    since: options.since,
    timeoutMs: PROVER_MS,
  });
  const unwell = watched.services.flatMap(({ service, state, connected, reason }) => {
    if (state !== 'healthy') return [`${service}: ${reason ?? 'it does not listen'}`];
    return options.nodeRuns && !connected ? [`${service}: ${reason ?? 'it does not find the node'}`] : [];
  });
  return unwell.length === 0
    ? { passed: true, warnings: [] }
    : { passed: false, why: printable(unwell.join('; ')) };
}
