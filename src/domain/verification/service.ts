import { type Check, checksOf } from './check.ts';
import type { IdentityEvidence, ProjectEvidence } from './facts.ts';
import { utc } from './journey.ts';

/** It tells why the engine cannot be asked, and what to do. */
export const DOCTOR = 'smesh-compose doctor';

/** Whether its post-service does what it has to do now. */
export function checkService(identity: IdentityEvidence, project: ProjectEvidence): Check {
  const check = checksOf('service');
  const { state, doing, name, leftToSchedule } = identity;
  const { engineFault } = project.node;
  const { activity, wants, held } = state;
  const logs = `smesh-compose logs ${name}`;
  const wanted = wants === 'a-proof';
  const start = howToStart(identity, project);
  switch (activity.kind) {
    case 'down':
    case 'not-created':
      if (leftToSchedule !== undefined) return leftCheck(identity, project);
      return wanted
        ? check.costs('service-down', 'is wanted, but its service is down', [doing], start)
        : check.warning('service-down', 'has no service running', [doing], start);
    case 'paused':
      return wanted
        ? check.costs('paused', 'is wanted, but paused', [doing], `docker compose unpause ${name}`)
        : check.warning('paused', 'is paused', [doing], `docker compose unpause ${name}`);
    case 'failed':
      return check.costs('proof-failed', 'cannot prove', [doing], logs);
    case 'silent':
    case 'unknown':
      if (held && leftToSchedule !== undefined) return leftCheck(identity, project);
      return engineFault === undefined
        ? check.unknown('has a service that does not say what it does', doing, logs)
        : check.unknown(
            'has a service of which nothing is known: Docker cannot be asked',
            engineFault,
            DOCTOR,
          );
    case 'starting':
      return check.warning('starting', 'has a service that is just starting', [doing]);
    default:
      if (!held) return check.ok('has its service running', [doing]);
      return leftToSchedule === undefined
        ? check.warning('held', 'is held back by a CPU quota', [doing], RELEASE)
        : leftCheck(identity, project);
  }
}

/** A quota outlives the schedule that set it. */
const RELEASE = 'smesh-compose run   (or smesh-compose up, which lifts the quota)';

function howToStart({ name }: IdentityEvidence, { scheduleRuns }: ProjectEvidence): string {
  return scheduleRuns === true
    ? `smesh-compose up ${name}`
    : 'smesh-compose up   (or smesh-compose run, which starts each when its proof is wanted)';
}

/** Down, or held, because others have their turn first: no fault as long as somebody is there who ends it. */
function leftCheck({ state, doing, leftToSchedule }: IdentityEvidence, { clock }: ProjectEvidence): Check {
  const check = checksOf('service');
  const at = leftToSchedule?.expectedAt;
  const message = state.held
    ? 'is left to the schedule, which holds it until its turn comes'
    : state.wants === 'a-proof'
      ? 'is left to the schedule, which starts it when its turn comes'
      : 'is left to the schedule, which starts it when its proof is wanted';
  const expected = at === undefined ? [] : [`its proof is expected about ${utc(at, clock)}, by averages`];
  return check.notDue('left-to-schedule', message, [doing, ...expected]);
}
