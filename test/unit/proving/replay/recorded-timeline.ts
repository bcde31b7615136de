import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a recorded timeline: what the node and each service said, until the next line says otherwise. */
interface Line {
  readonly t: number;
  readonly post_states: string | Readonly<Record<string, 'IDLE' | 'PROVING'>>;
  /** As the service sent it; what is no answer of a service is the recorder's word for it. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** What the first line of a recording says was done, in its seconds. */
export interface Episodes {
  readonly file: string;
  /** Of the recording's second 0. */
  readonly base: number;
  /** Starts of the node's container. */
  readonly nodeStarts: readonly number[];
  readonly paused?: { readonly prover: string; readonly from: number; readonly to: number };
  readonly restarted?: { readonly prover: string; readonly at: number };
  readonly logOf?: { readonly prover: string; readonly file: string };
}

export const EPISODES: readonly Episodes[] = [
  {
    file: 'timeline-two-epochs.jsonl',
    base: Date.parse('2026-11-20T12:19:30Z'),
    nodeStarts: [0],
  },
  {
    file: 'timeline-pause-restart.jsonl',
    base: Date.parse('2026-11-20T13:00:00Z'),
    nodeStarts: [0, 288],
    paused: { prover: 'post01', from: 283, to: 352 },
    restarted: { prover: 'post03', at: 283 },
  },
  {
    file: 'timeline-three-passes.jsonl',
    // Where the log of post01 begins.
    base: Date.parse('2026-11-20T12:38:15Z'),
    nodeStarts: [0],
    logOf: { prover: 'post01', file: 'post-service-proof.log' },
  },
];

/**
 * What was true of one prover at one instant, by hindsight: a proof begins with the first word of it and ends when the
 * service is idle again and not merely silent. Only `rest` and `down` have nothing to lose for certain.
 */
export type Truth =
  | 'proving'
  | 'done'
  | 'paused'
  | 'restarted'
  | 'handover'
  | 'node away'
  | 'node young'
  | 'node settling'
  | 'rest'
  | 'down'
  | 'not there';

/** What may be stopped without losing anything. Of a node that is about to settle either answer is right. */
export const MAY_STOP: Readonly<Record<Truth, boolean | 'either'>> = {
  proving: false,
  done: false,
  paused: false,
  restarted: false,
  handover: false,
  'node away': false,
  'node young': false,
  'node settling': 'either',
  rest: true,
  down: true,
  'not there': false,
};

export interface Instant {
  readonly t: number;
  readonly postStates: Line['post_states'];
  readonly provers: readonly { readonly name: string; readonly said: unknown; readonly truth: Truth }[];
}

/** Two layers of six seconds, and the time that a start takes: sixteen in the recordings, a minute at the very most. */
const YOUNG_S = 12;
const SETTLED_S = 60;

/** Every second of a recording, and each moment at which something changed. */
export function instantsOf(recordings: string, episodes: Episodes): readonly Instant[] {
  const [note, ...lines] = readFileSync(join(recordings, episodes.file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Line & { readonly note?: string });
  if (note?.note === undefined) throw new Error('the first line says what was done');
  return lines.flatMap((line, index) => {
    const end = lines[index + 1]?.t ?? line.t + 1;
    const times = [line.t];
    for (let t = Math.floor(line.t) + 1; t < end; t += 1) times.push(t);
    return times.map((t) => ({
      t,
      postStates: line.post_states,
      provers: Object.keys(line.status).map((name) => ({
        name,
        said: line.status[name],
        truth: truthOf(lines, index, name, t, episodes),
      })),
    }));
  });
}

function truthOf(
  lines: readonly Line[],
  index: number,
  name: string,
  t: number,
  { nodeStarts, paused, restarted }: Episodes,
): Truth {
  const said = lines[index]?.status[name];
  const states = lines[index]?.post_states;
  if (said === 'down') return 'down';
  if (said === 'noip' || said === 'err:ECONNREFUSED') return 'not there';
  if (paused?.prover === name && t >= paused.from && t < paused.to) return 'paused';
  if (said === 'DoneProving') return 'done';
  if (typeof said === 'object') return 'proving';
  // Silent in the middle of a proof: before and after it the service says so itself.
  if (said === 'err:TimeoutError') return 'proving';
  if (said !== 'Idle') throw new Error(`${name} at ${t}: ${JSON.stringify(said)}`);
  if (restarted?.prover === name && t >= restarted.at && t < restarted.at + 10) return 'restarted';
  if (typeof states !== 'object') return 'node away';
  if (states[name] === 'PROVING') return 'handover';
  const up = t - Math.max(...nodeStarts.filter((start) => start <= t));
  if (up < YOUNG_S) return 'node young';
  return up < SETTLED_S ? 'node settling' : 'rest';
}
