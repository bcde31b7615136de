import type { IdentityReport } from '../../domain/proving/status-report.ts';
import { PATIENT } from '../../domain/schedule/outlook.ts';
import { formatBytes } from '../../ui/units.ts';
import { type Known, notice, problem, type Trouble } from './trouble.ts';

/** What the schedule, or its absence, means for the whole project. */
export function scheduleTrouble({ schedule, identities }: Known): Trouble[] {
  if (schedule === undefined) return [];
  const found: Trouble[] = [];
  const down = identities.filter(
    ({ state: { wants, activity }, dataSeen }) =>
      wants === 'a-proof' && activity.kind === 'down' && dataSeen !== 'absent',
  );
  if (schedule.runs === false && down.length > 0) {
    found.push(
      notice(
        'no-schedule',
        'No schedule runs: whoever is wanted and down is not started by itself',
        'smesh-compose run',
      ),
    );
  }
  const { proofs, bytes, budget } = schedule.outlook.memory;
  // One proof alone is always possible.
  if (proofs > 1 && bytes > budget) {
    found.push(
      notice(
        'memory-over-budget',
        `${proofs} proofs at once hold ${formatBytes(bytes)}, and the budget is ${formatBytes(budget)}: no other is started before some of them are done`,
      ),
    );
  }
  return found;
}

/** A prover that is slowed down, and nobody there who would let it go on. */
export function heldTrouble({ state }: IdentityReport, { schedule }: Known): Trouble[] {
  if (!state.held || schedule?.runs !== false) return [];
  return [
    problem(
      'held-without-schedule',
      'is held by a CPU quota, and no schedule runs that would release it',
      'smesh-compose run   (or smesh-compose up, which lifts the quota)',
    ),
  ];
}

/**
 * What a wanted prover that is down means while a schedule runs; `undefined`: no more and no less than without one.
 */
export function waitingTrouble(
  { waiting, startsNow }: Pick<IdentityReport, 'waiting' | 'startsNow'>,
  { schedule }: Known,
): Trouble[] | undefined {
  if (schedule?.runs !== true) return undefined;
  if (startsNow === true) return [];
  if (waiting === undefined) return undefined;
  if (PATIENT.has(waiting.why)) return [];
  if (waiting.why !== 'stopped-by-person') return undefined;
  return [
    notice(
      'stopped-by-person',
      'is wanted, but somebody stopped it: the schedule leaves it alone',
      (services) => ['smesh-compose up', ...(services.length > 3 ? [] : services)].join(' '),
    ),
  ];
}
