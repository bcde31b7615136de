/** States in which acts are counted; one prover can be in several: it reads, and the node has just started. */
export const STATES = [
  'idle',
  'k2pow',
  'reading',
  'done-proving',
  'paused',
  'held',
  'fresh-node',
  'node-down',
  'wanted',
  'down',
] as const;

export type State = (typeof STATES)[number];

/** One thing that was done to the project. */
export interface Act {
  readonly number: number;
  /** `tool`: smesh-compose; `other`: plain Docker or Compose, the engine's restart, an edit. */
  readonly by: 'tool' | 'other';
  /** As it was typed. */
  readonly command: string;
  /** `--force`: loss is what was ordered. */
  readonly forced: boolean;
  /** Services it was aimed at. */
  readonly targets: readonly string[];
  readonly begin: number;
  readonly end: number;
  /** null: killed. */
  readonly exit: number | null;
  /** Of each target at the beginning, from the ledger. */
  readonly states: ReadonlyMap<string, readonly State[]>;
}

/** A span in which a service was not expected to work for its epoch, by what was done to it on purpose. */
export interface Excuse {
  readonly service: string;
  readonly from: number;
  /** Infinity: it lasts. */
  readonly to: number;
  readonly why: string;
}

export type Outcome = 'executed' | 'refused';

/** How often something was done, and refused, to provers in each state. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(outcome: Outcome, state: State): void {
    const key = `${outcome} ${state}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  of(outcome: Outcome, state: State): number {
    return this.#counts.get(`${outcome} ${state}`) ?? 0;
  }
}

/** Exit 5 is a refusal, 0 an execution; what was killed or waited in vain is neither. */
export function outcomeOf({ exit }: Pick<Act, 'exit'>): Outcome | undefined {
  if (exit === 0) return 'executed';
  return exit === 5 ? 'refused' : undefined;
}
