import type { IdentityReport, StatusReport } from '../domain/proving/status-report.ts';
import { formatDuration, plural } from './units.ts';

/**
 * The next deadline in one sentence: what it is, in how long, and who will miss it. An epoch that is named is the one
 * that pays: who registers in the gap of epoch k earns in k + 2, whose proof is published in k earns in k + 1
 * (spacemesh.md §7.1).
 */
export function deadlineWords(report: StatusReport): string {
  const { timeline, at } = report;
  const { phase, deadlines, gap } = timeline;
  switch (phase.kind) {
    case 'before-genesis':
      return `the network begins in ${formatDuration(phase.until - at)}`;
    case 'cycle-gap':
      return `registration for epoch ${deadlines.epoch + 2} closes in ${formatDuration(deadlines.registerBy - at)}: ${gapWords(report)}`;
    case 'late': {
      const late = report.identities.filter(isLate).length;
      if (late === 0) break;
      const proofs = plural(late, 'late proof');
      return `epoch ${deadlines.epoch} ends in ${formatDuration(deadlines.publishBy - at)}: ${proofs} still ${late === 1 ? 'earns' : 'earn'} epoch ${deadlines.epoch + 1}`;
    }
    case 'waiting':
  }
  return `cycle gap opens in ${formatDuration(gap.opens - at)}${meanwhile(report)}`;
}

function gapWords(report: StatusReport): string {
  const { have, miss, unknown } = report.counts.registration;
  const all = report.counts.identities;
  // The gap is open, and the proof of the round is not there yet: nothing can be started (S27).
  if (isAwaitingPoet(report)) return 'waiting for the PoET proof';
  if (have === all) return all === 1 ? 'the identity is registered' : `all ${all} are registered`;
  if (miss === 0 && unknown === 0) return all === 1 ? 'the identity will make it' : `all ${all} will make it`;
  return `${miss} of ${all} will miss it${unknown === 0 ? '' : `, ${unknown} unknown`}`;
}

function isAwaitingPoet({ node, identities }: StatusReport): boolean {
  return (
    node.certainty === 'settled' &&
    identities.every(({ state }) => state.wants === 'nothing') &&
    identities.some(({ progress }) => progress.due === 'yes' && progress.published === 'no')
  );
}

/** Its round has begun without it, and its proof can still be published. */
function isLate({ state, progress }: IdentityReport): boolean {
  return state.wants === 'a-proof' && progress.due !== 'no' && progress.published !== 'yes';
}

/** First proofs are made at any time (S28). */
function meanwhile({ identities }: StatusReport): string {
  const wanted = identities.filter(({ state }) => state.wants === 'a-proof').length;
  return wanted === 0 ? '' : `; ${plural(wanted, 'proof is', 'proofs are')} wanted before it`;
}
