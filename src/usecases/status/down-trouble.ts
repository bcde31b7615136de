import type { IdentityReport } from '../../domain/proving/status-report.ts';
import type { Observation } from '../observe.ts';
import { waitingTrouble } from './schedule-trouble.ts';
import { neededFrom, startThem } from './stopped.ts';
import { type Known, notice, problem, type Trouble } from './trouble.ts';

const MINUTE = 60_000;

/** Of a prover that does not run, or was never made. */
export function downTrouble(identity: IdentityReport, known: Known, { at }: Observation): readonly Trouble[] {
  const { state, progress, name } = identity;
  const { timeline, schedule } = known;
  const { activity, wants } = state;
  const reason = activity.kind === 'down' ? activity.reason : 'it has no container yet';
  const fails = /fail|crash|killed/.test(reason);
  if (wants === 'a-proof') {
    // A failure is told also where the schedule tries again.
    const waits = fails ? undefined : waitingTrouble(identity, known);
    if (waits !== undefined) return waits;
    return [
      problem(
        'wanted-but-down',
        `is wanted${wantedFor(progress.wantedSince, at)}, but its service is down: ${reason}`,
        fails ? `smesh-compose logs ${name}` : 'smesh-compose up',
      ),
    ];
  }
  // Nothing is lost by it yet, but nobody starts it when the gap opens, least of all at night.
  if (reason === 'stopped' && wants === 'nothing') {
    if (schedule?.runs === true && identity.waiting?.why !== 'stopped-by-person') return [];
    return [
      notice('stopped', `is stopped; ${neededFrom(timeline, progress.published === 'yes')}`, startThem),
    ];
  }
  const next = fails ? `smesh-compose logs ${name}` : 'smesh-compose up';
  return [problem('service-down', `is down: ${reason}`, next)];
}

/** ` for 14 min`, or nothing where it is not known or has only just begun. */
export function wantedFor(since: number | undefined, now: number): string {
  if (since === undefined) return '';
  const minutes = Math.floor((now - since) / MINUTE);
  return minutes < 1 ? '' : minutes < 120 ? ` for ${minutes} min` : ` for ${Math.floor(minutes / 60)} h`;
}
