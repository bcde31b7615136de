import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { NodeEvent } from '../../domain/node/events.ts';
import { cycleGap, type EpochClock, epochAt, epochStart } from '../../domain/poet/epochs.ts';
import { formatDuration } from '../../ui/units.ts';

/** What happened to one identity or to the node, in words for one and for several. */
interface Happening {
  /** Alike happenings of several identities become one line. */
  readonly key: string;
  readonly one: string;
  readonly many: string;
  /**
   * A goal of several: how many have reached it is said as well. Of whom: those of that other happening (who was not
   * asked need not prove), or of all.
   */
  readonly outOf?: string | 'all';
}

interface Group extends Happening {
  readonly since: number;
  readonly names: string[];
}

/** So long a line waits for others of its kind; then it is said with those that are there. */
const GATHER_MS = 1500;

/** More names than these are counted. */
const LISTED_NAMES = 4;

const INITIAL_CHALLENGE = /^0*$/;

/**
 * Turns the node's events, one per identity and moment, into few sentences for people who have never seen an epoch. Pure:
 * time comes in from outside.
 */
export class Narrator {
  readonly #names: ReadonlyMap<SmesherId, string>;
  readonly #groups = new Map<string, Group>();
  readonly #reached = new Map<string, Set<string>>();

  constructor(names: ReadonlyMap<SmesherId, string>) {
    this.#names = names;
  }

  /** Takes an event in; `flush` says it. */
  hear(event: NodeEvent, now: number): void {
    const happening = describeEvent(event);
    if (happening === undefined) return;
    const name = 'smesher' in event ? this.#names.get(event.smesher) : undefined;
    if ('smesher' in event && name === undefined) return;
    const group = this.#groups.get(happening.key) ?? { ...happening, since: now, names: [] };
    if (name !== undefined) group.names.push(name);
    this.#groups.set(happening.key, group);
  }

  /** Sentences that have waited long enough or have everybody in them. `everything` at the end. */
  flush(now: number, everything = false): readonly string[] {
    const lines: string[] = [];
    for (const [key, group] of this.#groups) {
      const complete = group.names.length === 0 || group.names.length >= this.#expected(group);
      if (!everything && !complete && now - group.since < GATHER_MS) continue;
      this.#groups.delete(key);
      lines.push(this.#sentence(group));
    }
    return lines;
  }

  /** How many this can happen to. */
  #expected({ outOf = 'all' }: Happening): number {
    return this.#reached.get(outOf)?.size ?? this.#names.size;
  }

  #sentence(group: Group): string {
    const { key, names, one, many, outOf } = group;
    const [first] = names;
    if (first === undefined) return one;
    const reached = new Set([...(this.#reached.get(key) ?? []), ...names]);
    this.#reached.set(key, reached);
    const expected = this.#expected(group);
    const count = outOf !== undefined && names.length < expected ? ` (${reached.size} of ${expected})` : '';
    if (names.length === 1) return `${first} ${one}${count}`;
    const who =
      names.length === this.#names.size
        ? `${names.length === 2 ? 'both' : `all ${names.length}`} identities`
        : names.length <= LISTED_NAMES
          ? [...names].sort().join(', ')
          : `${names.length} identities`;
    return `${who} ${many}${count}`;
  }
}

function describeEvent(event: NodeEvent): Happening | undefined {
  switch (event.kind) {
    case 'post-start':
      return INITIAL_CHALLENGE.test(event.challenge)
        ? {
            key: 'initial-start',
            one: 'is asked for its initial proof',
            many: 'are asked for their initial proofs',
          }
        : {
            key: `start ${event.challenge}`,
            one: 'is asked to prove its data',
            many: 'are asked to prove their data',
          };
    case 'post-complete': {
      const failure = {
        key: 'failed',
        one: `FAILED to prove: ${event.help}`,
        many: `FAILED to prove: ${event.help}`,
      };
      if (event.failed) return failure;
      return INITIAL_CHALLENGE.test(event.challenge)
        ? {
            key: 'initial-done',
            one: 'has made its initial proof',
            many: 'have made their initial proofs',
            outOf: 'all',
          }
        : {
            key: `done ${event.challenge}`,
            one: 'has proved its data',
            many: 'have proved their data',
            outOf: `start ${event.challenge}`,
          };
    }
    case 'registered-in-poet':
      return {
        key: `registered ${event.roundId}`,
        one: `is registered with the PoET for round ${event.roundId}`,
        many: `are registered with the PoET for round ${event.roundId}`,
        outOf: 'all',
      };
    case 'poet-proof-downloaded': {
      const text = `the PoET has finished round ${event.roundId}: the node has its proof`;
      return { key: `round ${event.roundId}`, one: text, many: text };
    }
    case 'atx-published':
      return {
        key: `published ${event.target}`,
        one: `has published its ATX: it earns in epoch ${event.target}`,
        many: `have published their ATXs: they earn in epoch ${event.target}`,
        // An ATX of epoch n stands on round n − 1 (spacemesh.md §7.1).
        outOf: `registered ${event.current - 1}`,
      };
    case 'malfeasance':
      return {
        key: 'malfeasance',
        one: `is cancelled by the network: ${event.what}`,
        many: `are cancelled by the network: ${event.what}`,
      };
    default:
      return undefined;
  }
}

/** A moment of the epoch that comes whatever anybody does. */
export interface Moment {
  readonly at: number;
  readonly text: string;
}

/** The moments after `from` up to and including `to`, in order. */
export function momentsBetween(clock: EpochClock, from: number, to: number): readonly Moment[] {
  const moments: Moment[] = [];
  const first = Math.max(0, epochAt(clock, from) - 1);
  for (let epoch = first; epochStart(clock, epoch) <= to + clock.epoch; epoch += 1) {
    moments.push(...momentsOfEpoch(clock, epoch));
  }
  return moments.filter(({ at }) => at > from && at <= to).sort((a, b) => a.at - b.at);
}

function momentsOfEpoch(clock: EpochClock, epoch: number): readonly Moment[] {
  const gap = cycleGap(clock, epoch);
  const gapLength = formatDuration(gap.closes - gap.opens);
  const roundLength = formatDuration(clock.epoch - clock.cycleGap);
  const begins = `cycle gap ${epoch} is over, round ${epoch} of the PoET begins and takes ${roundLength} (mainnet: 13 days 12 h)`;
  if (epoch === 0) {
    return [
      {
        at: clock.genesis,
        text: `genesis: epoch 0 begins; epochs take ${formatDuration(clock.epoch)} here (mainnet: 14 days)`,
      },
      { at: gap.closes, text: begins.replace('cycle gap 0 is over, ', '') },
    ];
  }
  return [
    {
      at: gap.opens,
      text: `cycle gap ${epoch} opens for ${gapLength} (mainnet: 12 h): prove, publish, register again`,
    },
    { at: gap.closes, text: begins },
  ];
}
