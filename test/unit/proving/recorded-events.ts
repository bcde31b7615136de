import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NodeEvent, parseNodeEvent } from '../../../src/domain/node/events.ts';

const BYTES = new Set(['smesher', 'challenge', 'id', 'atx', 'beacon', 'proposal']);
const TIMES = new Set(['timestamp', 'until', 'roundEnd']);

/** The recording is protobuf JSON, which leaves out zeros; the parser takes decoded messages with all fields. */
function decode(name: string, value: unknown): unknown {
  if (TIMES.has(name)) {
    const ms = Date.parse(String(value));
    return { seconds: String(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
  }
  if (BYTES.has(name) && typeof value === 'string') return Buffer.from(value, 'base64');
  if (Array.isArray(value)) return value.map((item) => decode('', item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decode(key, inner)]));
}

/** The recorded event stream of a real node (SMESH_RECORDINGS). */
export function recordedEvents(recordings: string): readonly NodeEvent[] {
  const text = readFileSync(join(recordings, 'events-two-epochs.jsonl'), 'utf8').trimEnd();
  return text.split('\n').map((line) => {
    const { timestamp, help, failure, ...details } = JSON.parse(line) as Record<string, unknown>;
    const [name = ''] = Object.keys(details);
    const inner = decode(name, details[name]) as Record<string, unknown>;
    const message =
      name === 'poetWaitRound' || name === 'poetWaitProof' || name.startsWith('waiting')
        ? { current: 0, publish: 0, target: 0, ...inner }
        : inner;
    const parsed = parseNodeEvent({
      timestamp: decode('timestamp', timestamp),
      failure: failure === true,
      help,
      details: name,
      [name]: message,
    });
    if (!parsed.ok) throw new Error(`${line}: ${parsed.reason}`);
    return parsed.value;
  });
}
