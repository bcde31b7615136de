import { needsK2pow } from './admit.ts';
import { coresOf } from './estimates.ts';
import type { SchedulePolicy } from './policy.ts';
import type { Worker } from './worker.ts';

/** One hundredth of one core is left to a prover that is held (spacemesh.md §14.6). */
const CRAWL = 0.01;

/** From a look to the act that follows it, at the longest. */
const LONGEST_REACTION_MS = 5000;

/** Estimates are wrong by so much. */
const CAUTION = 1.3;

/**
 * How long before the end of its k2pow one that works ahead is held, milliseconds of its work. It must be early enough
 * that it cannot begin to read between two looks, and that what it goes on with at a crawl lasts until its disk is free.
 *
 * @param waitMs until its disk is free, as far as that can be told
 */
export function holdMargin(worker: Worker, waitMs: number, policy: SchedulePolicy): number {
  const reaction = Math.min(policy.lookEveryMs, LONGEST_REACTION_MS);
  const crawled = (waitMs * CRAWL * CAUTION) / coresOf(worker.facts.settings, policy);
  return Math.max(reaction, crawled);
}

/** When one that works ahead is to be held: now, or at that time if nothing else tells (milliseconds from now). */
export function holdsIn(worker: Worker, waitMs: number, policy: SchedulePolicy): number {
  if (!needsK2pow(worker)) return 0;
  if (worker.stage !== 'k2pow') return Number.POSITIVE_INFINITY;
  const { groups } = worker;
  // Where the log does not tell how far it is, it may read at any moment.
  if (groups === undefined || groups.groupsLeft <= 1) return 0;
  // Between two groups nothing is told: what the next line will say counts already.
  return Math.max(groups.leftMs - groups.groupMs - holdMargin(worker, waitMs, policy), 0);
}

/** Whether the usual crawl would bring a held prover to its data, or lets it read them already. */
export function needsDeepHold(worker: Worker, waitMs: number, policy: SchedulePolicy): boolean {
  if (!needsK2pow(worker)) return true;
  const { groups } = worker;
  if (worker.stage !== 'k2pow' || groups === undefined || groups.groupsLeft > 1) return false;
  const lasts = (groups.groupMs * coresOf(worker.facts.settings, policy)) / CRAWL;
  return lasts < waitMs * CAUTION;
}

/** Whether it can work ahead at all: its log must tell when to hold it, and there must be something to hold before. */
export function canWorkAhead(
  { facts: { settings } }: Worker,
  { canHold, worksAhead }: SchedulePolicy,
): boolean {
  return canHold && worksAhead && settings.tellsGroups && settings.nonces > 16;
}
