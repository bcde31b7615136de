import type { Project } from '../../../../src/domain/project/types.ts';
import { parseServiceStatus, type ServiceStatus } from '../../../../src/domain/proving/service-status.ts';
import { remember, type StopMemory, unchangedFor } from '../../../../src/domain/proving/stop-memory.ts';
import {
  type Seen,
  timelineOf,
  type World,
  wantedBy,
} from '../../../../src/usecases/lifecycle/judge-look.ts';
import type { Story } from './recorded-story.ts';
import type { Episodes, Instant } from './recorded-timeline.ts';
import { nodeContainer, proverContainer, snapshotOf } from './world.ts';

/* What looks would have found at the instants of a recording. */

/** How somebody looks who replays a recording. */
export interface ReplayOptions {
  /** Looks every so many seconds and remembers; absent: each look is the first. */
  readonly watchEverySeconds?: number;
  /** Logs and events were there. */
  readonly withEvidence: boolean;
  /** The engine does not know of the pause: as a hold, a frozen disk or a debugger look. */
  readonly pauseUnseen: boolean;
}

export const WAYS: readonly ReplayOptions[] = [
  { withEvidence: false, pauseUnseen: false },
  { withEvidence: true, pauseUnseen: true },
  { watchEverySeconds: 1, withEvidence: true, pauseUnseen: false },
  { watchEverySeconds: 2, withEvidence: false, pauseUnseen: true },
  { watchEverySeconds: 15, withEvidence: true, pauseUnseen: true },
];

export interface LookInput {
  readonly instant: Instant;
  readonly episodes: Episodes;
  readonly options: ReplayOptions;
  readonly project: Project;
  readonly before: StopMemory;
  readonly story: Story;
}

export interface Look {
  readonly world: World;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly memory: StopMemory;
}

/** What `lookAtProvers` would have found. */
export function lookAt({ instant, episodes, options, project, before, story }: LookInput): Look {
  const { t, postStates, provers } = instant;
  const { base, nodeStarts, paused, restarted } = episodes;
  const { withEvidence, pauseUnseen } = options;
  const now = base + t * 1000;
  const nodeStart = Math.max(...nodeStarts.filter((start) => start <= t));
  const told = story.events.filter(({ at }) => at <= now && at >= base + nodeStart * 1000);
  const events = withEvidence ? told.map(({ what }) => what) : [];
  const snapshot = snapshotOf(postStates, events);
  const node = nodeContainer(base + nodeStart * 1000);
  const world: World = {
    project,
    snapshot,
    database: undefined,
    node,
    now,
    timeline: timelineOf(project, now),
  };

  const looks = provers.map(({ name, said, truth }) => {
    const startedAt = base + (restarted?.prover === name && t >= restarted.at ? restarted.at : 0) * 1000;
    const isPaused = !pauseUnseen && paused?.prover === name && t >= paused.from && t < paused.to;
    const state = truth === 'down' ? 'exited' : isPaused ? 'paused' : 'running';
    const container = proverContainer(name, startedAt, state);
    const status = state === 'running' ? statusOf(said) : undefined;
    const log = withEvidence ? story.logs.get(name)?.findLast(({ at }) => at <= now)?.what : undefined;
    return { name, container, status, log };
  });
  const memory = remember(
    before,
    looks.map(({ container: { id, startedAt }, status, name }) => ({
      container: id,
      wanted: wantedBy(snapshot, project.identities.find((identity) => identity.name === name)?.id),
      status: status?.kind ?? 'unasked',
      ...(startedAt === undefined ? {} : { startedAt }),
    })),
    now,
  );
  const seen = looks.map(({ name, container, status, log }): [string, Seen] => [
    name,
    {
      service: name,
      container,
      status,
      log,
      unchangedMs: unchangedFor(memory, container.id),
      dataBytes: 128 * 2 ** 20,
    },
  ]);
  return { world, seen: new Map(seen), memory };
}

/** The bytes that the service sent, through the parser; what the recorder noted where there were none, by its kind. */
function statusOf(said: unknown): ServiceStatus {
  if (said === 'err:TimeoutError') return { kind: 'no-answer' };
  if (said === 'err:ECONNREFUSED') return { kind: 'refused' };
  if (said === 'noip') return { kind: 'unreachable', reason: 'no address' };
  return parseServiceStatus(JSON.stringify(said));
}
