import type { CycleGap, EpochClock } from '../poet/epochs.ts';

/** What the cycle gap asks of one identity, as far as it is known. `unknown` counts as not done (design §7). */
export interface GapProgress {
  readonly name: string;
  /** It has something to do in this gap: to publish, or to register for the first time. */
  readonly takesPart: boolean | 'unknown';
  /** It has an ATX to publish in this gap; somebody new has not, and only registers. */
  readonly publishes: boolean | 'unknown';
  /** Its ATX with the gap's publish epoch is out. */
  readonly published: boolean | 'unknown';
  /** Registered for the round that starts when the gap closes. */
  readonly registered: boolean | 'unknown';
}

/** Whether the node may be restarted now. */
export type NodeChange =
  | { readonly kind: 'free' }
  | {
      readonly kind: 'waits';
      /** `7 identities have yet to register` */
      readonly why: string;
      readonly names: readonly string[];
      /** When it is free at the latest, milliseconds since 1970. */
      readonly until: number;
    };

/** The restart itself, its migrations, and a PoET or a peer that answers slowly. */
const LONGEST_MARGIN_MS = 30 * 60_000;
const MARGIN_OF_EPOCH = 0.05;

/** How long before the gap a restart of the node would be too late to be over when it opens, milliseconds. */
export function restartMargin(clock: Pick<EpochClock, 'epoch'>): number {
  return Math.min(LONGEST_MARGIN_MS, clock.epoch * MARGIN_OF_EPOCH);
}

/**
 * From the opening of the gap, and the margin before it, until every identity has published and registered again the node is left alone
 * (design §8): while it starts nobody registers, and who misses the round's start earns nothing in the epoch after
 * the next. After the round's start there is nothing left to register for, and a restart loses no proof.
 *
 * @param margin of `restartMargin`: so long before the gap a node that restarts may not be back when it opens
 */
export function judgeNodeChange(
  gap: CycleGap,
  now: number,
  identities: readonly GapProgress[],
  margin: number,
): NodeChange {
  if (now < gap.opens - margin || now >= gap.closes) return { kind: 'free' };
  const involved = identities.filter((identity) => identity.takesPart !== false);
  const unpublished = involved.filter(
    ({ publishes, published }) => publishes !== false && published !== true,
  );
  const unregistered = involved.filter(
    (identity) => !unpublished.includes(identity) && identity.registered !== true,
  );
  const names = [...unpublished, ...unregistered].map((identity) => identity.name);
  if (names.length === 0) return { kind: 'free' };
  const parts = [
    ...(now < gap.opens ? [`the cycle gap opens in ${timeLeft(gap.opens - now)}`] : []),
    ...(unpublished.length > 0 ? [`${count(unpublished.length)} yet to publish`] : []),
    ...(unregistered.length > 0 ? [`${count(unregistered.length)} yet to register`] : []),
  ];
  const unsure = involved.some(
    (identity) =>
      names.includes(identity.name) &&
      [identity.takesPart, identity.publishes, identity.published, identity.registered].includes('unknown'),
  );
  const why = parts.join(', ') + (unsure ? ' (or it could not be learnt)' : '');
  return { kind: 'waits', why, names, until: gap.closes };
}

function timeLeft(ms: number): string {
  return ms < 120_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`;
}

function count(identities: number): string {
  return identities === 1 ? '1 identity has' : `${identities} identities have`;
}
