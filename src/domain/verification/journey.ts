import type { WeighedAtx } from '../node/answers.ts';
import type { NodeEvent } from '../node/events.ts';
import { type EpochClock, epochAt, epochStart, roundEnd, roundStart } from '../poet/epochs.ts';
import { identityProgress, type Known } from '../proving/identity-progress.ts';
import type { IdentityEvidence, ProjectEvidence } from './facts.ts';

/** Epochs before this one pay nobody: the first ATX is published in epoch 1 (spacemesh.md §7.1). */
export const FIRST_PAID_EPOCH = 2;

/** Where an identity is on its way through three epochs: what it earns with now, publishes now, and prepares now. */
export interface Journey {
  /** The present epoch. */
  readonly epoch: number;
  readonly now: number;
  /** Whether its ATX of the epoch before is out, with which it earns in this one. */
  readonly earning: Known;
  readonly earningAtx?: WeighedAtx;
  /** Whether its ATX of this epoch is out, with which it earns in the next one. */
  readonly published: Known;
  readonly publishedAtx?: WeighedAtx;
  /** Whether it is in the round whose proof this epoch's ATX needs. */
  readonly due: Known;
  /** Whether it is in the round that begins in this epoch, without which there is no ATX in the next one. */
  readonly registered: Known;
  readonly initialProof: Known;
  /** Surely without any ATX before this epoch, and so not late with one. */
  readonly isNew: boolean;
  /** The round that this epoch's ATX stands on has ended then: its proof is there. */
  readonly proofFrom: number;
  /** Registration for this epoch's round opens, and ends with the round's start. */
  readonly registersFrom: number;
  readonly registersUntil: number;
  /** Later than this an ATX of this epoch is lost. */
  readonly publishesUntil: number;
  readonly cancelled: Known;
  readonly events: readonly NodeEvent[];
}

/** Puts together what the sources say; a yes of any of them counts, a no only of one that would know. */
export function journeyOf(identity: IdentityEvidence, { now, clock }: ProjectEvidence): Journey {
  const epoch = Math.max(0, epochAt(clock, now));
  const atxs = identity.atxs.kind === 'known' ? identity.atxs.value : undefined;
  const events = identity.events.kind === 'known' ? identity.events.value : [];
  const rows = identity.rows.kind === 'known' ? identity.rows.value : undefined;
  const sources = {
    smesher: identity.smesher,
    ...(atxs === undefined ? {} : { activations: atxs }),
    ...(identity.events.kind === 'known' ? { events } : {}),
    ...(rows === undefined ? {} : { rows: rows === 'none' ? rows : { ...rows, nipost: false } }),
  };
  const current = identityProgress(sources, epoch);
  const atxOf = (of: number) => atxs?.findLast(({ publishEpoch }) => publishEpoch === of);
  const earningAtx = atxOf(epoch - 1);
  const publishedAtx = atxOf(epoch);
  const { malfeasance } = identity;
  const convicted =
    events.some(({ kind }) => kind === 'malfeasance') ||
    (malfeasance.kind === 'known' && malfeasance.value !== 'none');
  return {
    epoch,
    now,
    earning: identityProgress(sources, epoch - 1).published,
    ...(earningAtx === undefined ? {} : { earningAtx }),
    published: current.published,
    ...(publishedAtx === undefined ? {} : { publishedAtx }),
    due: current.due,
    registered: current.registered,
    initialProof: current.initialProof,
    isNew:
      atxs !== undefined &&
      !atxs.some(({ publishEpoch }) => publishEpoch < epoch) &&
      !events.some((event) => event.kind === 'atx-published' && event.current < epoch),
    ...timesOf(clock, epoch),
    cancelled: convicted ? 'yes' : malfeasance.kind === 'known' ? 'no' : 'unknown',
    events,
  };
}

function timesOf(clock: EpochClock, epoch: number) {
  const registersUntil = roundStart(clock, epoch);
  return {
    proofFrom: roundEnd(clock, epoch - 1),
    registersFrom: registersUntil - clock.gracePeriod,
    registersUntil,
    publishesUntil: epochStart(clock, epoch + 1),
  };
}

/** Epochs of a rehearsal last minutes. */
const SHORT_EPOCH_MS = 6 * 3_600_000;

/** `2026-11-23 08:00 UTC`; with seconds where epochs are short. */
export function utc(at: number, clock: EpochClock): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, clock.epoch < SHORT_EPOCH_MS ? 19 : 16)} UTC`;
}

/** `1 layer`, `3,200 layers` */
export function plural(count: number, what: string): string {
  return `${digits(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `353,558` */
export function digits(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
