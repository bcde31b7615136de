import type { SmesherId } from '../identity/smesher-id.ts';
import { decide } from './decide.ts';
import type { Waiting } from './decision.ts';
import type { ScheduleObservation } from './observation.ts';
import { type Outlook, outlook } from './outlook.ts';
import type { SchedulePolicy } from './policy.ts';

/** What `status` says of the schedule. */
export interface ScheduleReport {
  /** A `smesh-compose run` is at work on this project; absent: nobody can tell. */
  readonly runs?: boolean;
  /** Who waits for what; computed from the same look by the same decision as the schedule's. */
  readonly waiting: ReadonlyMap<SmesherId, Waiting>;
  /** Whom the schedule would start at this moment. */
  readonly startsNow: ReadonlySet<SmesherId>;
  /** In which order they have their turn. */
  readonly turns: readonly SmesherId[];
  readonly outlook: Outlook;
}

/** Computes it without anything being done. Pure. */
export function scheduleReport(
  observation: ScheduleObservation,
  policy: SchedulePolicy,
  runs?: boolean,
): ScheduleReport {
  const decision = decide(observation, policy, observation.at);
  return {
    ...(runs === undefined ? {} : { runs }),
    waiting: new Map(decision.waiting.map((one) => [one.id, one])),
    startsNow: new Set(decision.acts.flatMap(({ kind, id }) => (kind === 'start' ? [id] : []))),
    turns: decision.waiting.map(({ id }) => id),
    outlook: outlook(observation, policy, decision, observation.at),
  };
}
