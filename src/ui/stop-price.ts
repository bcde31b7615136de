import { type SmesherId, shortId } from '../domain/identity/smesher-id.ts';
import type { EpochTimeline } from '../domain/poet/epochs.ts';
import { missesByStop, type ProofDeadline, type StopPrice } from '../domain/proving/stop-price.ts';
import type { UnsafeStop } from '../domain/proving/stop-risk.ts';
import { type MomentStyle, momentHere, shortMoment } from './moments.ts';
import { printable } from './text.ts';
import { formatDuration } from './units.ts';

/** One prover that a stop would, or might, cost something. */
export interface Loss {
  readonly service: string;
  readonly smesherId?: SmesherId;
  /** Continues a sentence that names the prover. */
  readonly why: string;
  /** As in StopRisk: work that is surely lost, or a doubt whether there is any. */
  readonly loses: UnsafeStop['loses'];
  readonly price?: StopPrice;
}

/** Epochs of a rehearsal last minutes. */
const SHORT_EPOCH_MS = 6 * 3_600_000;

/** How moments are written to whoever reads about this project. */
export function momentStyle(
  timeline: EpochTimeline,
  now: number,
  localOffsetMinutes: MomentStyle['localOffsetMinutes'],
): MomentStyle {
  return { now, localOffsetMinutes, seconds: timeline.epochEnds - timeline.epochStarts < SHORT_EPOCH_MS };
}

/** `post-0002 (8dd53ad1) is proving: 41 % read, 5 h 10 m of work` */
export function lossHeadline({ service, smesherId, why, price }: Loss): string {
  const id = smesherId === undefined ? '' : ` (${shortId(smesherId)})`;
  return [`${service}${id} ${printable(why)}`, ...workDone(price)].join(', ');
}

/** `5 h 10 m of work`; empty where nobody knows. */
function workDone(price: StopPrice | undefined): readonly string[] {
  return price?.workedMs === undefined ? [] : [`${formatDuration(price.workedMs)} of work`];
}

/** The same without the name and what it does, for where both have been said. */
export function lossPrice(loss: Loss, style: MomentStyle): readonly string[] {
  return [...workDone(loss.price), ...lossConsequences(loss, style)];
}

/** `…, 5 h 10 m of work that a restart throws away.` */
export function lossSentence(loss: Loss, verb: string): string {
  const headline = lossHeadline(loss);
  if (loss.loses === 'doubt') return `${headline}: a ${verb} may throw a proof away.`;
  return loss.price?.workedMs === undefined
    ? `${headline}; a ${verb} throws that work away.`
    : `${headline} that a ${verb} throws away.`;
}

/** What that means for the identity: when it would be done either way, and what hangs on it. */
export function lossConsequences({ price, loses }: Loss, style: MomentStyle): readonly string[] {
  if (price === undefined) return ['what that would cost nobody can say'];
  const { doneAt, againAt, deadline } = price;
  const done =
    doneAt === undefined
      ? []
      : againAt === undefined
        ? [`left alone it is done about ${shortMoment(doneAt, style)}`]
        : [
            `left alone it is done about ${shortMoment(doneAt, style)}; begun anew at once, about ${shortMoment(againAt, style)}`,
          ];
  const doubt =
    loses === 'work' ? '' : deadline.kind === 'initial' ? 'perhaps ' : 'if it has a proof to make: ';
  return [...done, `${doubt}${deadlineWords(deadline, style)}${lateness(price)}`];
}

function deadlineWords(deadline: ProofDeadline, style: MomentStyle): string {
  const at = momentHere(deadline.at, style);
  switch (deadline.kind) {
    case 'register':
      return `published and registered later than ${at}, it earns nothing in epoch ${deadline.epoch}`;
    case 'publish':
      return `published later than ${at}, it earns nothing in epoch ${deadline.epoch}`;
    case 'initial':
      return `its first proof: registered by ${at}, it earns from epoch ${deadline.epoch} on, else an epoch later`;
  }
}

/** What beginning anew decides; nothing where nobody knows when it would be done. */
function lateness(price: StopPrice): string {
  if (missesByStop(price) === true) return ': begun anew it would be too late';
  const { doneAt, deadline } = price;
  return doneAt !== undefined && doneAt > deadline.at ? ': it is too late for that either way' : '';
}

/** For `--json`: times as ISO 8601, durations in milliseconds. */
export function lossToJson({
  service,
  smesherId,
  why,
  loses,
  price,
}: Loss): Readonly<Record<string, unknown>> {
  return {
    service,
    smesherId: smesherId ?? null,
    why,
    loses,
    workedMs: price?.workedMs ?? null,
    doneAt: isoOrNull(price?.doneAt),
    againAt: isoOrNull(price?.againAt),
    deadline:
      price === undefined
        ? null
        : { kind: price.deadline.kind, at: isoOrNull(price.deadline.at), epoch: price.deadline.epoch },
  };
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined || !Number.isFinite(at) ? null : new Date(at).toISOString();
}
