import type { ScheduleAlarm } from './decision.ts';
import type { ScheduleObservation } from './observation.ts';
import type { Outlook } from './outlook.ts';

/** Estimates wander about a deadline: only who is expected clearly after it counts, else it would be told in turns. */
const CLEARLY = 0.02;

const MOST_NAMES = 8;

/**
 * Who loses which epoch if the schedule goes on as it does (S34): before the round starts those that will not be
 * registered, after it those that will not be published before the epoch ends (spacemesh.md §7.1).
 */
export function missedDeadlines(
  { timeline, provers }: Pick<ScheduleObservation, 'timeline' | 'provers'>,
  { doneAt }: Pick<Outlook, 'doneAt'>,
  now: number,
): readonly ScheduleAlarm[] {
  const { deadlines } = timeline;
  const registers = now < deadlines.registerBy;
  const deadline = registers ? deadlines.registerBy : deadlines.publishBy;
  const latest = deadline + (deadline - now) * CLEARLY;
  const wanted = provers.filter((prover) => prover.wanted === 'proving');
  const late = wanted.filter(({ id }) => (doneAt.get(id) ?? 0) > latest).map(({ name }) => name);
  if (late.length === 0) return [];
  const who = late.length === 1 ? '1 identity' : `${late.length} identities`;
  const earn = late.length === 1 ? 'earns' : 'earn';
  const goOn = late.length === 1 ? 'It goes' : 'They go';
  const { epoch } = deadlines;
  return [
    registers
      ? {
          code: 'misses-registration',
          names: late,
          message: `${who} will not be done when the round starts, and ${earn} nothing in epoch ${epoch + 2}: ${names(late)}. ${goOn} on: what is done before the epoch ends still earns in epoch ${epoch + 1}`,
          next: 'smesh-compose forecast says what would make it fit',
        }
      : {
          code: 'misses-epoch',
          names: late,
          message: `${who} will not be done before epoch ${epoch} ends, and ${earn} nothing in epoch ${epoch + 1}: ${names(late)}`,
          next: 'smesh-compose forecast says what would make it fit',
        },
  ];
}

function names(late: readonly string[]): string {
  if (late.length <= MOST_NAMES) return late.join(', ');
  return `${late.slice(0, MOST_NAMES).join(', ')} and ${late.length - MOST_NAMES} more`;
}
