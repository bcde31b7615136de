import { parseInspect } from '../../../../src/adapters/docker/inspect.ts';
import type { ObservedContainer } from '../../../../src/domain/compose/observed.ts';
import { parseNodeStatus, parsePostStates, parseSmesherIds } from '../../../../src/domain/node/answers.ts';
import { type NodeEvent, parseNodeEvent } from '../../../../src/domain/node/events.ts';
import type { Parsed } from '../../../../src/domain/node/reader.ts';
import { requireProject } from '../../../../src/domain/project/parse.ts';
import type { Project } from '../../../../src/domain/project/types.ts';
import type { Answer, NodeSnapshot } from '../../../../src/ports/node-api.ts';
import { EXAMPLE_DIRECTORY, EXAMPLE_POET_KEY } from '../../../fixtures/example-projects.ts';
import { proverInspect } from '../../fuzz/support/inspect-answer.ts';

/* What the adapters would hand over if they had asked at an instant of a recording. */

const COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';

/** 32 bytes of the number in a name such as `post03`. */
export function idBytes(name: string): Buffer {
  return Buffer.alloc(32, Number(name.replace(/\D/g, '')));
}

/** A project as the recorded one was: layers of six seconds, epochs of three minutes. */
export function recordedProject(names: readonly string[]): Project {
  const identities = names.map(
    (name) => `  - {id: '${idBytes(name).toString('hex')}', name: ${name}, data: /mnt/${name}}\n`,
  );
  const text = `version: 1
network:
  standalone:
    genesisTime: '2026-11-20T12:00:00Z'
    poetPrivateKey: ${EXAMPLE_POET_KEY}
    layer: 6s
    layersPerEpoch: 30
poet: {phaseShift: 90s, cycleGap: 90s, gracePeriod: 30s, positioningAtxTimeout: 18s}
coinbase: ${COINBASE}
identities:
${identities.join('')}`;
  return requireProject(text, { directory: EXAMPLE_DIRECTORY }).project;
}

const containers = new Map<string, ObservedContainer>();

/** Each of them is parsed once: it is asked for thousands of times. */
function containerOf(name: string, startedAt: number, labels: object, state = 'running'): ObservedContainer {
  const key = `${name} ${startedAt} ${state}`;
  const known = containers.get(key);
  if (known !== undefined) return known;
  const base = proverInspect({
    smesherId: idBytes(name).toString('hex'),
    startedAt: new Date(startedAt).toISOString(),
  });
  const Labels = { ...base.Config.Labels, 'com.docker.compose.service': name, ...labels };
  const runs = state === 'running' || state === 'paused';
  const parsed = parseInspect({
    ...base,
    Id: `container-${name}`,
    Config: { ...base.Config, Labels },
    State: { ...base.State, Status: state, Running: runs, Paused: state === 'paused' },
  });
  containers.set(key, parsed);
  return parsed;
}

export function proverContainer(name: string, startedAt: number, state: string) {
  return containerOf(name, startedAt, {}, state);
}

export function nodeContainer(startedAt: number) {
  return containerOf('node', startedAt, { 'io.smesh-compose.role': 'node' });
}

const AWAY: Answer<never> = { ok: false, error: { kind: 'unreachable', message: 'connect ECONNREFUSED' } };

function answer<T>(parsed: Parsed<T>): Answer<T> {
  return parsed.ok ? parsed : { ok: false, error: { kind: 'malformed', message: parsed.reason } };
}

/** @param states by name; a text where the node did not answer */
export function snapshotOf(
  states: string | Readonly<Record<string, string>>,
  events: readonly NodeEvent[],
): NodeSnapshot {
  const away = { version: AWAY, network: AWAY, currentLayer: AWAY, currentEpoch: AWAY, coinbase: AWAY };
  if (typeof states === 'string') {
    return { ...away, status: AWAY, postStates: AWAY, smesherIds: AWAY, events: AWAY, activations: AWAY };
  }
  const lines = Object.entries(states).map(([name, state]) => ({
    id: idBytes(name),
    state,
    name: `${name}.key`,
  }));
  return {
    ...away,
    // The recording does not say whether the node was synced: at its worst it said so from its first answer on.
    status: answer(parseNodeStatus({ status: { connectedPeers: '0', isSynced: true } })),
    postStates: answer(parsePostStates({ states: lines })),
    smesherIds: answer(parseSmesherIds({ publicKeys: lines.map(({ id }) => id) })),
    events: { ok: true, value: events },
    activations: { ok: true, value: [] },
  };
}

/** The event with which the node tells that it has asked for a proof, or has fetched one. */
export function postEvent(kind: 'post-start' | 'post-complete', name: string, at: number): NodeEvent {
  const details = kind === 'post-start' ? 'postStart' : 'postComplete';
  const parsed = parseNodeEvent({
    timestamp: { seconds: String(Math.floor(at / 1000)), nanos: (at % 1000) * 1e6 },
    failure: false,
    help: '',
    details,
    [details]: { smesher: idBytes(name), challenge: Buffer.alloc(32) },
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}
