import { rolesIn } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { ScheduleShare } from '../../domain/plan/decide-up.ts';
import type { Project } from '../../domain/project/types.ts';
import { isStoppedByPerson, STOP_CODES } from '../../domain/schedule/courtesy.ts';
import type { Context } from '../context.ts';
import { loadHistory } from '../schedule/history.ts';
import { containerFacts } from '../status/report.ts';
import { scheduleIsRunning } from '../status/schedule-is-running.ts';

/**
 * Whom of the project's provers a schedule keeps down while it runs. Who was stopped by a person is started: that is what
 * `up` is for.
 *
 * @param own containers of the project
 */
export async function scheduleShare(
  context: Context,
  project: Project,
  own: readonly ObservedContainer[],
): Promise<ScheduleShare> {
  const orchestrator = own.find(({ service }) => service === 'orchestrator');
  const runs = await scheduleIsRunning(
    context.ports.files,
    context.directory,
    orchestrator === undefined ? {} : { orchestrator },
  );
  if (runs !== true) return { runs: false, keptDown: new Set() };
  const { history } = await loadHistory(context);
  const roleOf = rolesIn(project);
  const keptDown = own.filter(
    (one) =>
      roleOf(one) === 'prover' &&
      isResting(one) &&
      !isStoppedByPerson(history, containerFacts({}, one), one.id),
  );
  return { runs: true, keptDown: new Set(keptDown.flatMap(({ service }) => service ?? [])) };
}

/** Down without anything being wrong with it. */
export function isResting({ state, exitCode, oomKilled, startError }: ObservedContainer): boolean {
  if (startError !== undefined || oomKilled) return false;
  return (
    state === 'created' || (state === 'exited' && exitCode !== undefined && STOP_CODES.includes(exitCode))
  );
}

/** What `up` leaves to the schedule, in words; `undefined`: nothing. */
export function leftWords({ keptDown }: ScheduleShare): string | undefined {
  if (keptDown.size === 0) return undefined;
  const are = keptDown.size === 1 ? 'post-service is' : 'post-services are';
  return `${keptDown.size} ${are} left to the schedule, which starts them when their proof is wanted (smesh-compose up NAME starts one now).`;
}
