import { type Hindered, judgeMoment } from './moment.ts';
import type { StagedIdentity } from './stages.ts';
import type { Rhythms, SwitchOutcome, SwitchWindow } from './window.ts';

export type CancelDecision =
  /** `outcome.lostEpochs`: what the way back costs, empty where the former PoETs have yet to begin their round. */
  | { readonly kind: 'back'; readonly outcome: SwitchOutcome }
  /** These are registered with the new PoETs, or registering, or nobody knows: they would lose that. */
  | { readonly kind: 'registered'; readonly names: readonly string[] }
  /** The node would not be up again before registration opens. */
  | { readonly kind: 'late'; readonly hindered: readonly Hindered[]; readonly next?: SwitchWindow };

/**
 * Whether a change that is written can be taken back. The way back is a change like any other: to an earlier phase it costs
 * an epoch as soon as that has begun its round, though nobody is registered with the new one yet (spacemesh.md §6.4).
 *
 * @param facts.rhythms as they were for the change: `from` the former, `to` what is written now
 * @param facts.identities who has a challenge is not asked for more
 */
export function decideCancel(
  {
    identities,
    busy,
    rhythms,
    leadMs,
  }: {
    readonly identities: readonly StagedIdentity[];
    readonly busy: readonly string[];
    readonly rhythms: Rhythms;
    readonly leadMs: number;
  },
  now: number,
): CancelDecision {
  if (busy.length > 0) return { kind: 'registered', names: busy };
  const back = { from: rhythms.to, to: rhythms.from };
  const moment = judgeMoment(
    { identities, rhythms: back, sameRounds: false, targetAddresses: [], leadMs },
    now,
  );
  if (moment.kind === 'open') return { kind: 'back', outcome: moment.outcome };
  const { hindered, next } = moment;
  return { kind: 'late', hindered, ...(next === undefined ? {} : { next }) };
}
