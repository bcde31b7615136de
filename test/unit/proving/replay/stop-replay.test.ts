import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { NO_MEMORY } from '../../../../src/domain/proving/stop-memory.ts';
import { judgeProver, type Seen, type World } from '../../../../src/usecases/lifecycle/judge-look.ts';
import { lookAt, type ReplayOptions, WAYS } from './recorded-look.ts';
import { storyOf } from './recorded-story.ts';
import { EPISODES, instantsOf, MAY_STOP, type Truth } from './recorded-timeline.ts';
import { nodeContainer, recordedProject, snapshotOf } from './world.ts';

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
