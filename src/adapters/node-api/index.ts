import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import {
  type MalfeasanceProof,
  type PublishedAtx,
  parseActivations,
  parseCoinbase,
  parseCurrentEpoch,
  parseCurrentLayer,
  parseHighestAtx,
  parseMalfeasance,
  parseNetworkInfo,
  parseNodeStatus,
  parsePostStates,
  parseRewards,
  parseSmesherIds,
  parseVersion,
  type Reward,
  type WeighedAtx,
} from '../../domain/node/answers.ts';
import { type NodeEvent, parseNodeEvent } from '../../domain/node/events.ts';
import {
  type ActivationQuery,
  type Answer,
  type MalfeasanceQuery,
  type NodeApiPort,
  type NodeEndpoint,
  NodeFaultError,
  type NodeSnapshot,
  type RewardQuery,
  type SnapshotOptions,
} from '../../ports/node-api.ts';
import { NodeChannel } from './channel.ts';
import { faultOf } from './faults.ts';
import { askForAll } from './paged.ts';
import { collectRecentEvents, EVENTS } from './recent-events.ts';

/** NodeApiPort over gRPC. */
export function createNodeApi(): NodeApiPort {
  return { snapshot, activations, highestAtx, rewards, malfeasance, events };
}

async function snapshot(endpoint: NodeEndpoint, options: SnapshotOptions): Promise<NodeSnapshot> {
  const open = new NodeChannel(endpoint.publicApi);
  const inner = new NodeChannel(endpoint.privateApi);
  const { timeoutMs } = options;
  try {
    const currentEpoch = open.ask('spacemesh.v1.MeshService/CurrentEpoch', {}, parseCurrentEpoch, timeoutMs);
    const [
      version,
      status,
      network,
      currentLayer,
      epoch,
      postStates,
      smesherIds,
      coinbase,
      recent,
      published,
    ] = await Promise.all([
      open.ask('spacemesh.v1.NodeService/Version', {}, parseVersion, timeoutMs),
      open.ask('spacemesh.v1.NodeService/Status', {}, parseNodeStatus, timeoutMs),
      open.ask('spacemesh.v2alpha1.NetworkService/Info', {}, parseNetworkInfo, timeoutMs),
      open.ask('spacemesh.v1.MeshService/CurrentLayer', {}, parseCurrentLayer, timeoutMs),
      currentEpoch,
      inner.ask('spacemesh.v1.PostInfoService/PostStates', {}, parsePostStates, timeoutMs),
      inner.ask('spacemesh.v1.SmesherService/SmesherIDs', {}, parseSmesherIds, timeoutMs),
      inner.ask('spacemesh.v1.SmesherService/Coinbase', {}, parseCoinbase, timeoutMs),
      options.withoutEvents ? nothing<NodeEvent>() : collectRecentEvents(inner, timeoutMs),
      currentEpoch.then((current) => latestActivations(open, current, options)),
    ]);
    return {
      version,
      status,
      network,
      currentLayer,
      currentEpoch: epoch,
      postStates,
      smesherIds,
      coinbase,
      events: recent,
      activations: published,
    };
  } finally {
    open.close();
    inner.close();
  }
}

function nothing<T>(): Answer<readonly T[]> {
  return { ok: true, value: [] };
}

function latestActivations(
  channel: NodeChannel,
  current: Answer<number>,
  options: SnapshotOptions,
): Answer<readonly PublishedAtx[]> | Promise<Answer<readonly PublishedAtx[]>> {
  const smeshers = options.activationsOf ?? [];
  if (smeshers.length === 0) return nothing();
  if (!current.ok) return current;
  const toEpoch = current.value;
  return askActivations(channel, {
    smeshers,
    fromEpoch: Math.max(0, toEpoch - 1),
    toEpoch,
    timeoutMs: options.timeoutMs,
  });
}

async function activations(
  endpoint: NodeEndpoint,
  query: ActivationQuery,
): Promise<Answer<readonly WeighedAtx[]>> {
  const channel = new NodeChannel(endpoint.publicApi);
  try {
    return await askActivations(channel, query);
  } finally {
    channel.close();
  }
}

function askActivations(
  channel: NodeChannel,
  { smeshers, fromEpoch, toEpoch, timeoutMs }: ActivationQuery,
): Promise<Answer<readonly WeighedAtx[]>> {
  const question = {
    method: 'spacemesh.v2alpha1.ActivationService/List',
    parse: parseActivations,
    timeoutMs,
  };
  return askForAll(channel, question, smeshers, (batch) => ({
    startEpoch: fromEpoch,
    endEpoch: toEpoch,
    smesherId: batch.map(bytesOf),
  }));
}

async function highestAtx(endpoint: NodeEndpoint, timeoutMs: number): Promise<Answer<string>> {
  const channel = new NodeChannel(endpoint.publicApi);
  try {
    return await channel.ask('spacemesh.v1.ActivationService/Highest', {}, parseHighestAtx, timeoutMs);
  } finally {
    channel.close();
  }
}

async function rewards(endpoint: NodeEndpoint, query: RewardQuery): Promise<Answer<readonly Reward[]>> {
  const { smeshers, fromLayer, toLayer, timeoutMs } = query;
  const channel = new NodeChannel(endpoint.publicApi);
  const question = { method: 'spacemesh.v2alpha1.RewardService/List', parse: parseRewards, timeoutMs };
  const request = ([smesher]: readonly SmesherId[]) => ({
    startLayer: fromLayer,
    endLayer: toLayer,
    ...(smesher === undefined ? {} : { smesher: bytesOf(smesher) }),
  });
  try {
    // It takes one smesher a question (spacemesh.md §5.6).
    return await askForAll(channel, question, smeshers, request, 1);
  } finally {
    channel.close();
  }
}

async function malfeasance(
  endpoint: NodeEndpoint,
  { smeshers, timeoutMs }: MalfeasanceQuery,
): Promise<Answer<readonly MalfeasanceProof[]>> {
  const channel = new NodeChannel(endpoint.publicApi);
  const question = {
    method: 'spacemesh.v2alpha1.MalfeasanceService/List',
    parse: parseMalfeasance,
    timeoutMs,
  };
  try {
    return await askForAll(channel, question, smeshers, (batch) => ({ smesherId: batch.map(bytesOf) }));
  } finally {
    channel.close();
  }
}

function bytesOf(id: SmesherId): Buffer {
  return Buffer.from(id, 'hex');
}

async function* events(endpoint: NodeEndpoint, signal: AbortSignal): AsyncGenerator<NodeEvent> {
  if (signal.aborted) return;
  const channel = new NodeChannel(endpoint.privateApi);
  const stream = channel.stream(EVENTS, {});
  const cancel = (): void => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const answer of stream) {
      const parsed = parseNodeEvent(answer);
      if (!parsed.ok) throw new NodeFaultError({ kind: 'malformed', message: `an event: ${parsed.reason}` });
      yield parsed.value;
    }
    if (!signal.aborted) {
      throw new NodeFaultError({ kind: 'unreachable', message: 'the node closed the stream of events' });
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof NodeFaultError ? error : new NodeFaultError(faultOf(error));
  } finally {
    signal.removeEventListener('abort', cancel);
    // A cancelled stream still reports an error, which nobody waits for any more.
    stream.on('error', () => undefined);
    stream.cancel();
    channel.close();
  }
}
