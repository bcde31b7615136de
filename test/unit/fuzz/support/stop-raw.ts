import { parseInspect } from '../../../../src/adapters/docker/inspect.ts';
import { parseHttpAnswer } from '../../../../src/adapters/post-api/inside-status.ts';
import { parseNodeStatus, parsePostStates, parseSmesherIds } from '../../../../src/domain/node/answers.ts';
import type { Parsed } from '../../../../src/domain/node/reader.ts';
import { lookAtMetadata } from '../../../../src/domain/post/data-access.ts';
import { type ProofLog, readProofLog } from '../../../../src/domain/proving/proof-log.ts';
import type { ServiceStatus } from '../../../../src/domain/proving/service-status.ts';
import { NO_MEMORY, remember, unchangedFor } from '../../../../src/domain/proving/stop-memory.ts';
import type { Answer, NodeSnapshot } from '../../../../src/ports/node-api.ts';
import {
  type Seen,
  timelineOf,
  type World,
  wantedBy,
} from '../../../../src/usecases/lifecycle/judge-look.ts';
import { idBytes, postEvent, recordedProject } from '../../proving/replay/world.ts';
import { proverInspect } from './inspect-answer.ts';
import { LAYER, type StopEvidence, type StopTruth } from './stop-truth.ts';

/* From how things are to what is read of them, byte by byte and answer by answer, through the real parsers. */

const NAME = 'post01';
const ID = idBytes(NAME);
const now = Date.parse('2026-11-22T23:12:00Z');
const base = recordedProject([NAME, 'post02']);
const project = { ...base, network: { ...base.network, layerSeconds: LAYER / 1000, layersPerEpoch: 4032 } };

const AWAY: Answer<never> = { ok: false, error: { kind: 'timeout', message: 'Deadline exceeded' } };

function answer<T>(parsed: Parsed<T>): Answer<T> {
  return parsed.ok ? parsed : { ok: false, error: { kind: 'malformed', message: parsed.reason } };
}

/** What `lookAtProvers` hands to `judgeProver`. */
export function readTruth(
  truth: StopTruth,
  evidence: StopEvidence,
): { readonly world: World; readonly seen: Seen } {
  const snapshot = truth.node === 'answers' ? snapshotOf(truth, evidence) : undefined;
  const node = nodeInspect(truth, evidence);
  const world: World = {
    project,
    snapshot,
    database: undefined,
    node,
    now,
    timeline: timelineOf(project, now),
  };
  const container = proverContainer(truth, evidence);
  const status = truth.container === 'running' ? statusOf(truth) : undefined;
  const metadata = JSON.stringify({ NumUnits: 100, LabelsPerUnit: 2 ** 32 });
  const look = lookAtMetadata(evidence.dataBytes ? metadata : '{}');
  const seen: Seen = {
    service: NAME,
    container,
    status,
    log: logOf(truth, evidence),
    dataBytes: look.kind === 'readable' ? look.dataBytes : undefined,
    unchangedMs: watched(
      truth,
      evidence,
      status,
      wantedBy(snapshot, project.identities[0]?.id),
      container.startedAt,
    ),
  };
  return { world, seen };
}

function snapshotOf(truth: StopTruth, evidence: StopEvidence): NodeSnapshot {
  const other = { id: idBytes('post02'), state: 'IDLE', name: 'post02.key' };
  const line = (state: string | number) => ({ id: ID, state, name: 'post01.key' });
  const lines = {
    IDLE: [line('IDLE')],
    PROVING: [line('PROVING')],
    both: [line('IDLE'), line('PROVING')],
    'not listed': [],
    odd: [line(7)],
  }[truth.wants];
  const ids = truth.wants === 'not listed' ? [other.id] : [ID, other.id];
  const events = truth.wants === 'PROVING' ? [postEvent('post-start', NAME, now - truth.wantedFor)] : [];
  return {
    version: AWAY,
    network: AWAY,
    currentLayer: AWAY,
    currentEpoch: AWAY,
    coinbase: AWAY,
    activations: AWAY,
    status: evidence.nodeStatus
      ? answer(parseNodeStatus({ status: { connectedPeers: '3', isSynced: truth.synced } }))
      : AWAY,
    postStates: answer(parsePostStates({ states: [...lines, other] })),
    smesherIds: evidence.smesherIds ? answer(parseSmesherIds({ publicKeys: ids })) : AWAY,
    events: evidence.events ? { ok: true, value: events } : AWAY,
  };
}

function nodeInspect({ node, nodeUpFor }: StopTruth, { startTimes }: StopEvidence) {
  const raw = proverInspect({ startedAt: new Date(now - nodeUpFor).toISOString() });
  const Status = node === 'down' ? 'exited' : 'running';
  const State = { ...raw.State, Status, Running: node !== 'down', ...(startTimes ? {} : { StartedAt: '' }) };
  return parseInspect({ ...raw, Id: 'node', State });
}

function proverContainer({ container, held, startedFor }: StopTruth, { startTimes }: StopEvidence) {
  const raw = proverInspect({
    smesherId: ID.toString('hex'),
    startedAt: new Date(now - startedFor).toISOString(),
  });
  const runs = container === 'running' || container === 'paused';
  const State = { ...raw.State, Status: container, Running: runs, Paused: container === 'paused' };
  const HostConfig = { ...raw.HostConfig, ...(held ? { CpuPeriod: 100_000, CpuQuota: 1000 } : {}) };
  return parseInspect({ ...raw, State: { ...State, ...(startTimes ? {} : { StartedAt: '' }) }, HostConfig });
}

function statusOf({ says }: StopTruth): ServiceStatus {
  const http = (body: string) =>
    parseHttpAnswer(
      `HTTP/1.0 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  switch (says) {
    case 'Idle':
    case 'DoneProving':
      return http(`"${says}"`);
    case 'Proving':
      return http('{"Proving":{"nonces":{"start":0,"end":128},"position":0}}');
    case 'nonsense':
      return http('"Idle" ');
    case 'silent':
      return { kind: 'no-answer' };
    case 'refused':
      return { kind: 'refused' };
    case 'unreachable':
      return { kind: 'unreachable', reason: 'no route' };
  }
}

function logOf(truth: StopTruth, evidence: StopEvidence): ProofLog | undefined {
  if (evidence.log === 'unread' || truth.container !== 'running') return undefined;
  return readProofLog(evidence.log === 'empty' ? [] : linesOf(truth));
}

/** As a service would have written them, in whole seconds, cut as its clock does it. */
function linesOf({ says, saidFor, startedFor, failed, dataGone }: StopTruth): readonly string[] {
  const line = (ago: number, target: string, message: string) =>
    `[${new Date(now - ago).toISOString().slice(0, 19)}Z INFO  ${target}] ${message}`;
  const prove = (message: string) => line(saidFor, 'post::prove', message);
  const started = [
    line(startedFor, 'post_service', 'POST network parameters: {}'),
    line(startedFor, 'post_service::client', 'obtained metadata: PostMetadata {}'),
  ];
  const begun = line(saidFor, 'post_service::service', 'starting proof generation for challenge 00');
  const k2pow = prove('calculating proof of work for nonces 0..128');
  switch (says) {
    case 'Idle':
      // Idle for as long as it lives: it has never proved.
      if (saidFor === startedFor) return started;
      return [...started, line(saidFor, 'post_service::client', 'proof is valid (verification took: 0.6s)')];
    case 'DoneProving':
      if (failed)
        return [
          ...started,
          begun,
          line(saidFor, 'post_service::service', 'proof generation failed: no data'),
        ];
      return [...started, begun, k2pow, prove('found proof for nonce: 4, pow: 1 with []')];
    case 'Proving':
      if (dataGone === 'no') return [...started, begun, k2pow];
      return [
        ...[...started, begun, k2pow, prove('started reading POST data')],
        ...(dataGone === 'unreadable'
          ? [0, 1, 2].map((file) => line(saidFor, 'post::reader', `failed to read file: ${file}`))
          : []),
        prove('finished reading POST data in 0m 0s'),
        ...(dataGone === 'at-once' ? [prove('calculating proof of work for nonces 128..256')] : []),
      ];
    default:
      return started;
  }
}

const LOOK_EVERY_MS = 5000;

/** What somebody remembers who has looked every five seconds. */
function watched(
  { saidFor, wantedFor, wants }: StopTruth,
  { watchedFor }: StopEvidence,
  status: ServiceStatus | undefined,
  wanted: 'idle' | 'proving' | 'unlisted' | 'unknown',
  startedAt: number | undefined,
): number {
  let memory = NO_MEMORY;
  for (let ago = watchedFor; ago > 0; ago -= LOOK_EVERY_MS) memory = look(memory, ago);
  return unchangedFor(look(memory, 0), 'c');

  function look(before: typeof memory, ago: number) {
    const other = status?.kind === 'proving' ? 'idle' : 'proving';
    const wish = ago <= wantedFor || wants !== 'PROVING' ? wanted : 'idle';
    const one = {
      container: 'c',
      wanted: wish,
      status: ago <= saidFor ? (status?.kind ?? 'unasked') : other,
      ...(startedAt === undefined ? {} : { startedAt }),
    } as const;
    return remember(before, [one], now - ago);
  }
}
