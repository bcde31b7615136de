import { openRoundAt, roundStart } from '../../domain/poet/epochs.ts';
import { outcomeOf } from '../../domain/poet/switch/window.ts';
import { proposalsCost } from '../../ui/proposals.ts';
import type { Context } from '../context.ts';
import { lookAtProvers } from '../lifecycle/look-at-provers.ts';
import { findMissed } from '../lifecycle/proposals.ts';
import { styleOf } from './report.ts';
import type { Judged } from './session.ts';

export const LATER_IS_DEARER =
  'That holds for who has published by the end of that window. Later in the same gap an epoch would be lost: then the next gap is waited for, unless --yes agrees to it.';

/** What it would cost just before the present PoETs begin their next round. */
export function lostLater({ seen, window }: Judged): number {
  const { rhythms } = seen;
  if (window === undefined) return 0;
  const last = roundStart(rhythms.from, openRoundAt(rhythms.from, window.opens)) - 1;
  return outcomeOf(rhythms, last).lostEpochs.length;
}

/** A missed proposal is a price, no reason to refuse: the next layer may be somebody's, too. */
export async function sayMissed(context: Context, judged: Judged): Promise<void> {
  const docker = await context.ports.docker();
  const own = (await docker.containers({ project: judged.project.name })).filter(({ oneOff }) => !oneOff);
  const missed = findMissed(judged.project, await lookAtProvers(context, judged.project, own));
  if (missed !== undefined) context.out.warn(`node: ${proposalsCost(missed, styleOf(context, judged))}`);
}
