import process from 'node:process';
import { describe, expect, it } from 'vitest';
import type { Project } from '../../../../src/domain/project/types.ts';
import { parseServiceStatus, type ServiceStatus } from '../../../../src/domain/proving/service-status.ts';
import {
  NO_MEMORY,
  remember,
  type StopMemory,
  unchangedFor,
} from '../../../../src/domain/proving/stop-memory.ts';
import {
  judgeProver,
  type Seen,
  timelineOf,
  type World,
  wantedBy,
} from '../../../../src/usecases/lifecycle/judge-look.ts';
import { type Story, storyOf } from './recorded-story.ts';
import {
  EPISODES,
  type Episodes,
  type Instant,
  instantsOf,
  MAY_STOP,
  type Truth,
} from './recorded-timeline.ts';
import { nodeContainer, proverContainer, recordedProject, snapshotOf } from './world.ts';

const recordings = process.env.SMESH_RECORDINGS;

/** Somebody who looks at a prover and says whether it may be stopped. */
type Decision = (world: World, seen: Seen) => boolean;

const decide: Decision = (world, seen) => judgeProver(world, seen).risk.safe;

const LONG_AGO = Date.parse('2026-11-01T00:00:00Z');

/** As most tools do it: the node says IDLE, so away with it (operators.md §0.1). */
const ignoresStatus: Decision = (world, seen) =>
  decide({ ...world, node: nodeContainer(LONG_AGO) }, { ...seen, status: { kind: 'idle' } });

/** The service says Idle, so away with it. */
const ignoresNode: Decision = (world, seen) => {
  const names = world.project.identities.map(({ name }) => [name, 'IDLE'] as const);
  return decide(
    { ...world, node: nodeContainer(LONG_AGO), snapshot: snapshotOf(Object.fromEntries(names), []) },
    seen,
  );
};

/** Believes the node, but not its youth. */
const ignoresPostStates: Decision = (world, seen) => {
  const { snapshot } = world;
  if (snapshot === undefined || !snapshot.postStates.ok) return decide(world, seen);
  const value = snapshot.postStates.value.map((state) => ({ ...state, state: 'idle' as const }));
  return decide({ ...world, snapshot: { ...snapshot, postStates: { ok: true, value } } }, seen);
};

const refusesAll: Decision = () => false;

interface ReplayOptions {
  /** Looks every so many seconds and remembers; absent: each look is the first. */
  readonly watchEverySeconds?: number;
  /** Logs and events were there. */
  readonly withEvidence: boolean;
  /** The engine does not know of the pause: as a hold, a frozen disk or a debugger look. */
  readonly pauseUnseen: boolean;
}

const WAYS: readonly ReplayOptions[] = [
  { withEvidence: false, pauseUnseen: false },
  { withEvidence: true, pauseUnseen: true },
  { watchEverySeconds: 1, withEvidence: true, pauseUnseen: false },
  { watchEverySeconds: 2, withEvidence: false, pauseUnseen: true },
  { watchEverySeconds: 15, withEvidence: true, pauseUnseen: true },
];

interface Outcome {
  readonly wrong: readonly { readonly where: string; readonly truth: Truth; readonly safe: boolean }[];
  readonly counts: ReadonlyMap<Truth, number>;
}

function replay(decision: Decision, options: ReplayOptions): Outcome {
  const wrong: Outcome['wrong'][number][] = [];
  const counts = new Map<Truth, number>();
  for (const episodes of EPISODES) {
    let memory = NO_MEMORY;
    let next = 0;
    const instants = instantsOf(recordings ?? '', episodes);
    const project = recordedProject(instants[0]?.provers.map(({ name }) => name) ?? []);
    const story = storyOf(recordings ?? '', instants, episodes);
    for (const instant of instants) {
      const { watchEverySeconds: every } = options;
      if (every !== undefined && instant.t < next) continue;
      next = instant.t + (every ?? 0);
      const before = every === undefined ? NO_MEMORY : memory;
      const look = lookAt({ instant, episodes, options, project, before, story });
      memory = look.memory;
      for (const { name, truth } of instant.provers) {
        const seen = look.seen.get(name);
        if (seen === undefined) throw new Error(name);
        const safe = decision(look.world, seen);
        counts.set(truth, (counts.get(truth) ?? 0) + 1);
        const right = MAY_STOP[truth];
        if (right !== 'either' && safe !== right) {
          wrong.push({ where: `${episodes.file} ${name} at ${instant.t}`, truth, safe });
        }
      }
    }
  }
  return { wrong, counts };
}

interface LookInput {
  readonly instant: Instant;
  readonly episodes: Episodes;
  readonly options: ReplayOptions;
  readonly project: Project;
  readonly before: StopMemory;
  readonly story: Story;
}

interface Look {
  readonly world: World;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly memory: StopMemory;
}

/** What `lookAtProvers` would have found. */
function lookAt({ instant, episodes, options, project, before, story }: LookInput): Look {
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

/** At the very least so many instants of each kind, when every one of them is looked at. */
const LEAST: Readonly<Partial<Record<Truth, number>>> = {
  proving: 600,
  done: 10,
  paused: 70,
  restarted: 3,
  handover: 30,
  'node away': 20,
  'node settling': 5,
  rest: 500,
  down: 80,
};

describe.skipIf(recordings === undefined)(
  'recorded timelines through the decision (SMESH_RECORDINGS)',
  { timeout: 60_000 },
  () => {
    it('S31: it is right at every instant, looked at once or watched', () => {
      const total = new Map<Truth, number>();
      for (const options of WAYS) {
        const { wrong, counts } = replay(decide, options);
        expect(wrong.slice(0, 5), JSON.stringify(options)).toEqual([]);
        for (const [truth, count] of counts) total.set(truth, (total.get(truth) ?? 0) + count);
        if (options.watchEverySeconds !== undefined) continue;
        for (const [truth, least] of Object.entries(LEAST)) {
          expect(counts.get(truth as Truth) ?? 0, truth).toBeGreaterThanOrEqual(least);
        }
      }
      const shown = [...total].map(([truth, count]) => `${truth} ${count}`).join(', ');
      console.info(`instants judged: ${shown}`);
    });

    it('and others are not: one that ignores /status', () => {
      const { wrong } = replay(ignoresStatus, { withEvidence: false, pauseUnseen: false });
      // The seconds after the restart of the node in which all states read IDLE.
      const during = wrong.filter(({ truth, safe }) => truth === 'proving' && safe);
      expect(during.map(({ where }) => where.split(' ').slice(0, 2).join(' '))).toContain(
        'timeline-pause-restart.jsonl post02',
      );
    });

    it('one that ignores the node, and one that ignores only its PostStates', () => {
      for (const mutant of [ignoresNode, ignoresPostStates]) {
        const { wrong } = replay(mutant, { withEvidence: false, pauseUnseen: false });
        expect(wrong.filter(({ truth, safe }) => truth === 'handover' && safe).length).toBeGreaterThan(10);
      }
      const { wrong } = replay(ignoresNode, { withEvidence: false, pauseUnseen: false });
      expect(wrong.some(({ truth, safe }) => truth === 'node away' && safe)).toBe(true);
    });

    it('one that refuses everything', () => {
      const { wrong } = replay(refusesAll, { withEvidence: false, pauseUnseen: false });
      expect(wrong.filter(({ truth, safe }) => truth === 'rest' && !safe).length).toBeGreaterThan(500);
    });
  },
);
