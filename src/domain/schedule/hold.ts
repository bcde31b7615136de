import { coresOf, groupCount, groupMs } from './estimates.ts';
import type { SchedulePolicy } from './policy.ts';
import { needsK2pow, type Worker } from './worker.ts';

/** One hundredth of one core is left to a prover that is held (spacemesh.md §14.6). */
const CRAWL = 0.01;

/** From a look to the act that follows it, at the longest. */
const LONGEST_REACTION_MS = 5000;

/** One hold in so many may come to its data before its disk is free; then it is held deeper. */
const ACCEPTED_CHANCE = 0.01;
const DEEP_FROM_CHANCE = 0.05;

/**
 * How likely one that is held finds the proofs of work of so many groups by what the crawl leaves it, while it waits. A
 * group takes as long as chance wants, exponentially: of one group in the last place much may be over in a moment, of
 * several together hardly.
 */
function crawlChance(worker: Worker, groups: number, waitMs: number, policy: SchedulePolicy): number {
  const { facts } = worker;
  const coreMs = (worker.groups?.groupMs ?? groupMs(facts, policy)) * coresOf(facts.settings, policy);
  const expected = (waitMs * CRAWL) / coreMs;
  let chance = 1;
  for (let group = 1; group <= groups; group += 1) chance *= expected / group;
  return Math.min(chance, 1);
}

/** With how many groups left it has to be held; `undefined`: its disk is busy for longer than any hold lasts. */
function groupsToKeep(worker: Worker, waitMs: number, policy: SchedulePolicy): number | undefined {
  // At two, even the quickest luck is slower than a look.
  const most = Math.max(Math.floor(groupCount(worker.facts.settings) / 2), 2);
  for (let groups = 2; groups <= most; groups += 1) {
    if (crawlChance(worker, groups, waitMs, policy) <= ACCEPTED_CHANCE) return groups;
  }
  return undefined;
}

/**
 * When one that works ahead is to be held, milliseconds from now: early enough that it cannot begin to read between two
 * looks, and that what it goes on with at a crawl lasts until its disk is free. 0: now. Infinity: something else tells.
 *
 * @param waitMs until its disk is free, as far as that can be told
 */
export function holdsIn(worker: Worker, waitMs: number, policy: SchedulePolicy): number {
  if (!needsK2pow(worker)) return 0;
  // Others do its k2pow, as fast as they can, whatever it is left.
  if (worker.remote) return 0;
  if (worker.stage !== 'k2pow') return Number.POSITIVE_INFINITY;
  const { groups } = worker;
  const keep = groupsToKeep(worker, waitMs, policy);
  // Where the log does not tell how far it is, it may read at any moment.
  if (groups === undefined || keep === undefined || groups.groupsLeft <= keep) return 0;
  const reaction = Math.min(policy.lookEveryMs, LONGEST_REACTION_MS);
  // Between two groups nothing is told: what the next line will say counts already.
  return Math.max(groups.leftMs - keep * groups.groupMs - reaction, 0);
}

/** Whether the usual crawl would bring a held prover to its data, or lets it read them already. */
export function needsDeepHold(worker: Worker, waitMs: number, policy: SchedulePolicy): boolean {
  if (!needsK2pow(worker)) return true;
  const left = worker.groups?.groupsLeft ?? groupCount(worker.facts.settings);
  return worker.remote || crawlChance(worker, left, waitMs, policy) > DEEP_FROM_CHANCE;
}

/**
 * Whether it can work ahead: its log must tell when to hold it, and a hold must last until its disk is free. Deeper ones
 * would, but leave it too little for its healthcheck.
 */
export function canWorkAhead(worker: Worker, waitMs: number, policy: SchedulePolicy): boolean {
  const { settings } = worker.facts;
  const able = policy.canHold && policy.worksAhead && settings.tellsGroups && !worker.remote;
  return able && groupCount(settings) > 2 && groupsToKeep(worker, waitMs, policy) !== undefined;
}
