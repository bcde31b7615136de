import { restartMargin } from '../../plan/node-change.ts';
import { roundEnd } from '../epochs.ts';
import { isFree, type StagedIdentity } from './stages.ts';
import {
  outcomeOf,
  type Rhythms,
  type SwitchOutcome,
  type SwitchWindow,
  windowCloses,
  windowFrom,
} from './window.ts';

export interface MomentFacts {
  readonly identities: readonly StagedIdentity[];
  readonly rhythms: Rhythms;
  /** The new PoETs have the same rounds: only addresses change. */
  readonly sameRounds: boolean;
  readonly targetAddresses: readonly string[];
  /** From the stop of the node to its open ports. */
  readonly leadMs: number;
}

/** What keeps one identity from it. */
export interface Hindered {
  readonly name: string;
  /** Stands behind its name and a colon; that of several who share it, too. */
  readonly why: string;
}

export type Moment =
  | { readonly kind: 'open'; readonly closes: number; readonly outcome: SwitchOutcome }
  | {
      readonly kind: 'closed';
      readonly hindered: readonly Hindered[];
      /** The next stretch in which it can be done, if everybody has published by then. */
      readonly next?: SwitchWindow;
    };

/** How one identity bears a change at that moment; `closes`: until when, `earliest`: not before. */
type Bears =
  | { readonly ok: true; readonly closes: number }
  | { readonly ok: false; readonly why: string; readonly earliest: number };

/**
 * Whether the list of PoETs may be changed now (spacemesh.md §6.4, §14.7). With other rounds everybody must be without a
 * registration: who is registered with both for rounds that overlap could end with two ATXs of one epoch, and be cancelled
 * for ever. With the same rounds it is enough that nobody's proof is left behind at an address that goes.
 */
export function judgeMoment(facts: MomentFacts, now: number): Moment {
  const { identities, rhythms, leadMs } = facts;
  const looks = identities.map(({ name, stage }) => ({ name, bears: bears(facts, stage, now) }));
  const bad = looks.flatMap(({ name, bears }) => (bears.ok ? [] : [{ name, ...bears }]));
  const closes = Math.min(
    // Nobody has an identity yet, or all of them keep their servers: then rounds do not matter, but a node that starts does.
    ...(looks.length === 0 ? [windowCloses(rhythms, now, leadMs)] : []),
    ...looks.flatMap(({ bears }) => (bears.ok ? [bears.closes] : [])),
  );
  if (bad.length === 0 && now < closes) {
    return { kind: 'open', closes, outcome: outcomeOf(rhythms, now + leadMs) };
  }
  const late =
    bad.length > 0 ? [] : [{ name: '', why: `the node would not be up again before registration opens` }];
  const next = windowFrom(rhythms, Math.max(now, ...bad.map(({ earliest }) => earliest)), leadMs);
  return {
    kind: 'closed',
    hindered: [...bad.map(({ name, why }) => ({ name, why })), ...late],
    ...(next === undefined ? {} : { next }),
  };
}

function bears(facts: MomentFacts, stage: StagedIdentity['stage'], now: number): Bears {
  const { rhythms, sameRounds, leadMs } = facts;
  const { from } = rhythms;
  if (stage.kind === 'unknown') return { ok: false, why: `not known: ${stage.why}`, earliest: now };
  if (isFree(stage)) return { ok: true, closes: windowCloses(rhythms, now, leadMs) };
  switch (stage.kind) {
    case 'registering':
      return {
        ok: false,
        why: 'registering for the next round just now',
        earliest: sameRounds && now + leadMs < stage.starts ? now : roundEnd(from, stage.epoch - 1),
      };
    case 'registered':
      return bearsRegistered(facts, stage, now);
    case 'round-runs':
      return bearsRunning(facts, stage, now);
    case 'proving':
      return { ok: false, why: `the ATX of epoch ${stage.epoch} is not out yet`, earliest: now };
    default:
      return { ok: false, why: 'not known', earliest: now };
  }
}

type StageOf<K> = Extract<StagedIdentity['stage'], { kind: K }>;

function bearsRegistered(facts: MomentFacts, stage: StageOf<'registered'>, now: number): Bears {
  const { rhythms, sameRounds, leadMs } = facts;
  const earliest = roundEnd(rhythms.from, stage.epoch - 1);
  if (!sameRounds) {
    return {
      ok: false,
      why: `registered again already, for round ${stage.epoch - 1} of the present PoETs; registered with others for a round that overlaps it, an identity could end with two ATXs and be cancelled for ever`,
      earliest,
    };
  }
  // Registered at the new address too once the node is up; late, the node would find no registration that it may use.
  const closes = stage.starts - leadMs;
  if (now < closes) return { ok: true, closes };
  return {
    ok: false,
    why: `registered for round ${stage.epoch - 1}, which would begin before the node is up again`,
    earliest,
  };
}

function bearsRunning(facts: MomentFacts, stage: StageOf<'round-runs'>, now: number): Bears {
  const { rhythms, sameRounds, targetAddresses } = facts;
  const kept = stage.addresses.filter((address) => targetAddresses.includes(address));
  const why = `round ${stage.epoch - 1} is running, and only the present PoETs will have its proof`;
  if (!sameRounds || kept.length === 0) return { ok: false, why, earliest: stage.ends };
  const closes = stage.ends - restartMargin(rhythms.from);
  if (now < closes) return { ok: true, closes };
  return { ok: false, why: `${why}; it ends in a moment`, earliest: stage.ends };
}
