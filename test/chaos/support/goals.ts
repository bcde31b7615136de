import type { State } from './acts.ts';
import type { Journal } from './journal.ts';

/** What a run must have done for its verdict to mean something: a tool that refuses everything does not get there. */
export interface Goals {
  readonly refused: Readonly<Partial<Record<State, number>>>;
  readonly executed: Readonly<Partial<Record<State, number>>>;
  readonly publications: number;
  readonly killed: number;
  readonly busy: number;
  readonly engineRestarts: number;
  readonly upgrades: number;
}

/** Those that are not met, in words. */
export function openGoals(
  goals: Goals,
  journal: Pick<Journal, 'tally' | 'counts' | 'judge'>,
): readonly string[] {
  const { tally, counts } = journal;
  const states = (['refused', 'executed'] as const).flatMap((outcome) =>
    Object.entries(goals[outcome]).flatMap(([state, least]) => {
      const found = tally.of(outcome, state as State);
      return found < least ? [`${outcome} in state ${state}: ${found} of ${least}`] : [];
    }),
  );
  const { required } = journal.judge().epochs;
  const others = [
    ['publications required', required, goals.publications],
    ['commands killed', counts.killed, goals.killed],
    ['commands turned away as busy', counts.busy, goals.busy],
    ['engine restarts', counts.engineRestarts, goals.engineRestarts],
    ['upgrades', counts.upgrades, goals.upgrades],
  ] as const;
  return [
    ...states,
    ...others.flatMap(([what, found, least]) => (found < least ? [`${what}: ${found} of ${least}`] : [])),
  ];
}

/** Of the short run. */
export const SHORT_GOALS: Goals = {
  refused: { k2pow: 3, reading: 3, 'done-proving': 3, paused: 2, held: 1, 'fresh-node': 5 },
  executed: { idle: 5, k2pow: 1, reading: 1, 'done-proving': 1, paused: 1, 'fresh-node': 1 },
  publications: 18,
  killed: 2,
  busy: 1,
  engineRestarts: 1,
  upgrades: 1,
};

/** Of the long run: of everything enough to be no accident. */
export const SOAK_GOALS: Goals = {
  refused: { k2pow: 20, reading: 20, 'done-proving': 20, paused: 5, held: 5, wanted: 5, 'fresh-node': 20 },
  executed: { idle: 20, k2pow: 3, reading: 3, 'done-proving': 3, paused: 3, 'fresh-node': 3 },
  publications: 100,
  killed: 5,
  busy: 5,
  engineRestarts: 3,
  upgrades: 3,
};
