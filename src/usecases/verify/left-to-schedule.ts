import type { IdentityReport } from '../../domain/proving/status-report.ts';
import { isStoppedByPerson } from '../../domain/schedule/courtesy.ts';
import type { ScheduleHistory } from '../../domain/schedule/history.ts';
import { PATIENT } from '../../domain/schedule/outlook.ts';
import type { IdentityEvidence } from '../../domain/verification/facts.ts';
import { containerFacts } from '../status/report.ts';
import { isResting } from '../up/schedule-share.ts';

type Seen = Pick<IdentityReport, 'state' | 'waiting' | 'startsNow' | 'container' | 'expectedAt'>;

/**
 * Whether a schedule that runs is what keeps a service down or held, so that it also starts or releases it in its turn;
 * `undefined`: it does not. Whom a person stopped, whose data is away and who fails is not left to it: it does nothing there.
 */
export function leftToSchedule(seen: Seen, history: ScheduleHistory): IdentityEvidence['leftToSchedule'] {
  const { expectedAt } = seen;
  if (!seen.state.held && !isKeptDown(seen, history)) return undefined;
  return expectedAt === undefined ? {} : { expectedAt };
}

function isKeptDown({ state, waiting, startsNow, container }: Seen, history: ScheduleHistory): boolean {
  if (state.activity.kind !== 'down' || container === undefined) return false;
  if (startsNow === true) return true;
  if (waiting !== undefined) return PATIENT.has(waiting.why);
  // It starts nobody whom the node does not know, and has said already why it starts not everybody who is wanted.
  if (state.wants === 'unlisted' || state.wants === 'a-proof') return false;
  return isResting(container) && !isStoppedByPerson(history, containerFacts({}, container), container.id);
}
