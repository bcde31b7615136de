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

/** From the line that tells to the hold that follows it: a look, and the acts before this one. */
const REACTION_MS = 1500;

/** One in so many may begin to read before the hold has reached it: that is two readers on a disk for a moment. */
const ACCEPTED_SLIP = 0.0002;

/**
 * How likely one that is held finds the proofs of work of so many groups by what the crawl leaves it, while it waits. A
 * group takes as long as chance wants, exponentially: of one group in the last place much may be over in a moment, of
 * several together hardly.
 */
function crawlChance(worker: Worker, groups: number, waitMs: number, policy: SchedulePolicy): number {
  const { facts } = worker;
  const coreMs = paceOf(worker, policy) * coresOf(facts.settings, policy);
  return chanceOf(groups, (waitMs * CRAWL) / coreMs);
}

/** How likely so many groups are found before a hold that has been decided is there. */
function slipChance(worker: Worker, groups: number, policy: SchedulePolicy): number {
  return chanceOf(groups, REACTION_MS / paceOf(worker, policy));
}

/** That so many happen where so many are expected; a little too high, which is the safe side. */
function chanceOf(groups: number, expected: number): number {
  let chance = 1;
  for (let group = 1; group <= groups; group += 1) chance *= expected / group;
  return Math.min(chance, 1);
}

function paceOf({ groups, facts }: Worker, policy: SchedulePolicy): number {
  return groups?.groupMs ?? groupMs(facts, policy);
}

/**
 * With how many groups left it has to be held; `undefined`: its disk is busy for longer than any hold lasts, or its k2pow
 * over sooner than a hold can come.
 */
function groupsToKeep(worker: Worker, waitMs: number, policy: SchedulePolicy): number | undefined {
  const most = Math.max(Math.floor(groupCount(worker.facts.settings) / 2), 2);
  for (let groups = 2; groups <= most; groups += 1) {
    if (slipChance(worker, groups, policy) > ACCEPTED_SLIP) continue;
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
  const { groups } = worker;
  const keep = groupsToKeep(worker, waitMs, policy);
  // Where no hold would come in time, or the log tells nobody when, it is not even to begin.
  if (keep === undefined || !worker.facts.settings.tellsGroups) return 0;
  if (worker.stage !== 'k2pow') return Number.POSITIVE_INFINITY;
  // Where its log was not read it may read at any moment.
  if (groups === undefined || groups.groupsLeft <= keep) return 0;
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
