import type { Decision, ScheduleAct } from '../../src/domain/schedule/decision.ts';
import type { ProverFacts, ScheduleObservation } from '../../src/domain/schedule/observation.ts';
import type { SchedulePolicy } from '../../src/domain/schedule/policy.ts';
import type { PolicyFunction } from '../../src/domain/simulation/simulate.ts';

/*
 * What people use today (operators.md a), as functions of the signature of `decide`: for comparison, and for nothing
 * else. All of them start what the node wants, when it wants it, and stop what is idle: that much they are given.
 */

/** `restart: always`: whatever is wanted, at once. */
export const allAtOnce: PolicyFunction = (observation, policy) =>
  decision(observation, policy, waitingOf(observation));

/** One proof after the other, in the order of the configuration (Multi-Post-Tato-Masher). */
export const oneAtATime: PolicyFunction = (observation, policy) =>
  decision(observation, policy, observation.provers.some(isAtWork) ? [] : waitingOf(observation).slice(0, 1));

/** The next one as soon as nobody is before its reading; disks as it comes (psm, sm-psm with max_POW=1). */
export const k2powSerial: PolicyFunction = (observation, policy) =>
  decision(
    observation,
    policy,
    observation.provers.some((prover) => isAtWork(prover) && !hasBegunToRead(prover))
      ? []
      : waitingOf(observation).slice(0, 1),
  );

/** The demo's graph: on each disk one after the other, all disks at once, and k2pow as it comes. */
export const staticGraph: PolicyFunction = (observation, policy) => {
  const busy = new Set(observation.provers.filter(isAtWork).map(({ disk }) => disk));
  const next: ProverFacts[] = [];
  for (const prover of waitingOf(observation)) {
    if (busy.has(prover.disk)) continue;
    busy.add(prover.disk);
    next.push(prover);
  }
  return decision(observation, policy, next);
};

export const OTHER_POLICIES: ReadonlyMap<string, PolicyFunction> = new Map([
  ['all at once', allAtOnce],
  ['one at a time', oneAtATime],
  ['k2pow serial', k2powSerial],
  ['static graph', staticGraph],
]);

function decision(
  observation: ScheduleObservation,
  policy: SchedulePolicy,
  start: readonly ProverFacts[],
): Decision {
  const stop = observation.provers.filter(
    ({ container, service, wanted }) =>
      container.kind === 'present' &&
      container.state === 'running' &&
      wanted === 'idle' &&
      service?.kind === 'idle',
  );
  const act = (prover: ProverFacts, kind: 'start' | 'stop'): ScheduleAct => {
    const { id, name, containerId = '' } = prover;
    const named = { id, name, containerId, reason: kind };
    return kind === 'start' ? { ...named, kind, ahead: false } : { ...named, kind };
  };
  return {
    acts: [...stop.map((prover) => act(prover, 'stop')), ...start.map((prover) => act(prover, 'start'))],
    waiting: [],
    alarms: [],
    lookAgainAt: observation.at + policy.lookEveryMs,
  };
}

function waitingOf({ provers }: ScheduleObservation): ProverFacts[] {
  return provers.filter(
    ({ wanted, container }) =>
      wanted === 'proving' &&
      container.kind === 'present' &&
      container.state !== 'running' &&
      container.state !== 'restarting',
  );
}

/** Its proof is not over: also where it is only about to begin. */
function isAtWork({ wanted, container }: ProverFacts): boolean {
  return (
    wanted === 'proving' &&
    container.kind === 'present' &&
    (container.state === 'running' || container.state === 'restarting')
  );
}

function hasBegunToRead({ service }: ProverFacts): boolean {
  return service?.kind === 'done-proving' || (service?.kind === 'proving' && service.position > 0);
}
