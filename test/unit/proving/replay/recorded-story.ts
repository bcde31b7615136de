import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeEvent } from '../../../../src/domain/node/events.ts';
import { type ProofLog, readProofLog } from '../../../../src/domain/proving/proof-log.ts';
import type { Episodes, Instant } from './recorded-timeline.ts';
import { postEvent } from './world.ts';

interface Moment<T> {
  readonly at: number;
  readonly what: T;
}

/** What else could be read at an instant of a recording: the logs of the services, and what the node tells in events. */
export interface Story {
  /** What the end of a log says since each moment at which a line was added. */
  readonly logs: ReadonlyMap<string, readonly Moment<ProofLog>[]>;
  readonly events: readonly Moment<NodeEvent>[];
}

/** As many lines as are asked for when a prover is idle. */
const TAIL_LINES = 80;

/**
 * The recorded log where there is one; for the others the lines that a service writes at what it was seen to do
 * (spacemesh.md §14.1). Events tell of each proof that is asked for and each that was fetched; the node forgets them
 * when it starts again.
 */
export function storyOf(recordings: string, instants: readonly Instant[], episodes: Episodes): Story {
  const logs = new Map<string, Moment<string>[]>();
  const events: Story['events'][number][] = [];
  for (const name of instants[0]?.provers.map((prover) => prover.name) ?? []) {
    const lines: Moment<string>[] = [];
    logs.set(name, lines);
    const write = (at: number, target: string, message: string) =>
      lines.push({ at, what: `[${new Date(at).toISOString().slice(0, 19)}Z INFO  ${target}] ${message}` });
    const begin = (at: number) => {
      write(at, 'post_service', 'POST network parameters: {}');
      write(at, 'post_service::client', 'obtained metadata: PostMetadata {}');
    };
    begin(episodes.base);
    let before: unknown = 'Idle';
    let hasBegunAnew = false;
    for (const { t, provers } of instants) {
      const at = episodes.base + t * 1000;
      const said = provers.find((prover) => prover.name === name)?.said;
      if (episodes.restarted?.prover === name && t >= episodes.restarted.at && !hasBegunAnew) {
        begin(at);
        hasBegunAnew = true;
        before = 'Idle';
      }
      const known = typeof said === 'object' || said === 'Idle' || said === 'DoneProving';
      if (!known || JSON.stringify(said) === JSON.stringify(before)) continue;
      for (const [target, message] of linesBetween(before, said)) write(at, target, message);
      if (before === 'Idle') events.push({ at, what: postEvent('post-start', name, at) });
      if (said === 'Idle') events.push({ at: at + 900, what: postEvent('post-complete', name, at + 900) });
      before = said;
    }
  }
  const { logOf } = episodes;
  if (logOf !== undefined) {
    const recorded = readFileSync(join(recordings, logOf.file), 'utf8').trimEnd().split('\n');
    logs.set(
      logOf.prover,
      recorded.map((line) => ({ at: Date.parse(line.slice(1, 21)), what: line })),
    );
  }
  const folded = [...logs].map(([name, lines]) => {
    const moments = lines.map(({ at }, index) => {
      const tail = lines.slice(Math.max(0, index + 1 - TAIL_LINES), index + 1);
      return { at, what: readProofLog(tail.map(({ what }) => what)) };
    });
    return [name, moments] as const;
  });
  return { logs: new Map(folded), events };
}

interface Proving {
  readonly nonces: { readonly start: number; readonly end: number };
  readonly position: number;
}

function linesBetween(
  before: unknown,
  said: unknown,
): readonly (readonly [target: string, message: string])[] {
  const was = (before as { Proving?: Proving }).Proving;
  const is = (said as { Proving?: Proving }).Proving;
  const lines: (readonly [string, string])[] = [];
  if (before === 'Idle') lines.push(['post_service::service', 'starting proof generation for challenge 00']);
  if (is !== undefined && is.nonces.end > 0 && is.nonces.end !== was?.nonces.end) {
    if (was !== undefined && was.nonces.end > 0)
      lines.push(['post::prove', 'finished reading POST data in 0m 20s']);
    lines.push(['post::prove', `calculating proof of work for nonces ${is.nonces.start}..${is.nonces.end}`]);
  }
  if ((is?.position ?? 0) > 0 && (was?.position ?? 0) === 0) {
    lines.push(['post::prove', 'finished k2pow in 0m 20s'], ['post::prove', 'started reading POST data']);
  }
  if (said === 'DoneProving' || (said === 'Idle' && before !== 'DoneProving')) {
    lines.push(['post::prove', 'found proof for nonce: 4, pow: 1 with []']);
    lines.push(['post_service::service', 'proof generation is finished']);
  }
  if (said === 'Idle') {
    lines.push(['post_service::client', 'verifying proof']);
    lines.push(['post_service::client', 'proof is valid (verification took: 0.6s)']);
  }
  return lines;
}
