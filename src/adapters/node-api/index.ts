import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import {
  type PublishedAtx,
  parseActivations,
  parseCoinbase,
  parseCurrentEpoch,
  parseCurrentLayer,
  parseNetworkInfo,
  parseNodeStatus,
  parsePostStates,
  parseSmesherIds,
  parseVersion,
} from '../../domain/node/answers.ts';
import { type NodeEvent, parseNodeEvent } from '../../domain/node/events.ts';
import {
  type ActivationQuery,
  type Answer,
  type NodeApiPort,
  type NodeEndpoint,
  NodeFaultError,
  type NodeSnapshot,
  type SnapshotOptions,
} from '../../ports/node-api.ts';
import { NodeChannel } from './channel.ts';
import { failed, faultOf } from './faults.ts';
import { collectRecentEvents, EVENTS } from './recent-events.ts';

/** The node gives at most 100 rows at a time; with two epochs asked for, 50 identities fill a page. */
const SMESHERS_PER_QUESTION = 50;
const ROWS_PER_PAGE = 100;

/** NodeApiPort over gRPC. */
export function createNodeApi(): NodeApiPort {
  return { snapshot, activations, events };
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
): Promise<Answer<readonly PublishedAtx[]>> {
  const channel = new NodeChannel(endpoint.publicApi);
  try {
    return await askActivations(channel, query);
  } finally {
    channel.close();
  }
}

async function askActivations(
  channel: NodeChannel,
  query: ActivationQuery,
): Promise<Answer<readonly PublishedAtx[]>> {
  const batches: SmesherId[][] = [];
  for (let at = 0; at < query.smeshers.length; at += SMESHERS_PER_QUESTION) {
    batches.push(query.smeshers.slice(at, at + SMESHERS_PER_QUESTION));
  }
  const answers = await Promise.all(batches.map((batch) => askPages(channel, query, batch)));
  const found: PublishedAtx[] = [];
  for (const answer of answers) {
    if (!answer.ok) return answer;
    found.push(...answer.value);
  }
  return { ok: true, value: found };
}

async function askPages(
  channel: NodeChannel,
  query: ActivationQuery,
  smeshers: readonly SmesherId[],
): Promise<Answer<readonly PublishedAtx[]>> {
  const found: PublishedAtx[] = [];
  for (;;) {
    const request = {
      startEpoch: query.fromEpoch,
      endEpoch: query.toEpoch,
      smesherId: smeshers.map((id) => Buffer.from(id, 'hex')),
      offset: found.length,
      limit: ROWS_PER_PAGE,
    };
    const page = await channel.ask(
      'spacemesh.v2alpha1.ActivationService/List',
      request,
      parseActivations,
      query.timeoutMs,
    );
    if (!page.ok) return page;
    const stray = page.value.find((atx) => !smeshers.includes(atx.smesher));
    if (stray !== undefined) {
      return failed({ kind: 'malformed', message: `ActivationService/List: not asked for ${stray.smesher}` });
    }
    found.push(...page.value);
    if (page.value.length < ROWS_PER_PAGE) return { ok: true, value: found };
  }
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
