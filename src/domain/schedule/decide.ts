import type { Decision } from './decision.ts';
import type { ScheduleObservation } from './observation.ts';
import type { SchedulePolicy } from './policy.ts';

/** What the schedule does now. Pure: the same observation, policy and time give the same decision. */
export function decide(observation: ScheduleObservation, policy: SchedulePolicy, now: number): Decision {
  return { acts: [], waiting: [], alarms: [], lookAgainAt: now + policy.lookEveryMs };
}
