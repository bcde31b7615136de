import { type Admission, admit } from './admit.ts';
import type { Decision, ScheduleAct, ScheduleAlarm, Waiting } from './decision.ts';
import { needsDeepHold } from './hold.ts';
import { mend } from './mend.ts';
import type { ScheduleObservation } from './observation.ts';
import { orderTurns } from './order.ts';
import type { SchedulePolicy } from './policy.ts';
import { startWaiting } from './start.ts';
import { judgeWorker, rankOf, type Worker } from './worker.ts';

/** Whoever ended by itself is not started again at once: it would end again. */
const FAILED_PAUSE_MS = 60_000;

/**
 * What the schedule does now (design §7). Pure: the same observation, policy and time give the same decision, and nothing
 * is remembered between two, so whoever comes after a dead loop decides as it would have.
 *
 * Nothing that works on a proof, or may, is ever stopped: it is held, by CPU quota, while it has no right to its disk or
 * to a k2pow slot. Started is who is wanted by the node, whatever the clock says; stopped is who rests on both sides.
 */
export function decide(observation: ScheduleObservation, policy: SchedulePolicy, now: number): Decision {
  const workers = observation.provers.map((facts, index) =>
    judgeWorker(facts, index, observation, policy, now),
  );
  const acts: ScheduleAct[] = [];
  const alarms: ScheduleAlarm[] = [];
  const mended = new Set<Worker>();
  for (const worker of workers) {
    const mending = mend(worker, now);
    if (mending.alarm !== undefined) alarms.push(mending.alarm);
    const done = mending.act ?? giveWay(worker, workers, now);
    if (done === undefined) continue;
    acts.push(done);
    mended.add(worker);
  }
  const working = workers.filter((worker) => !mended.has(worker));
  const admission = admit(working, policy);
  let lookAgainAt = now + policy.lookEveryMs;
  const lookIn = (ms: number) => {
    if (ms > 0) lookAgainAt = Math.min(lookAgainAt, now + ms);
  };
  for (const worker of working) {
    const act = rankOf(worker) > 0 ? steer(worker, admission, policy, now, lookIn) : rest(worker);
    if (act !== undefined) acts.push(act);
  }

  const waiting: Waiting[] = [];
  const ready: Worker[] = [];
  for (const worker of working) {
    if (worker.state.wants !== 'a-proof' || (worker.stage !== 'down' && worker.stage !== 'absent')) continue;
    const why = whyNotAtAll(worker, now);
    if (why === undefined) ready.push(worker);
    else waiting.push(why);
  }
  const turns = orderTurns(working, ready, observation, policy, now);
  const started = startWaiting(ready, turns, admission, policy);
  acts.push(...started.acts);
  waiting.unshift(...started.waiting);
  const told = new Set(alarms.map(({ id }) => id));
  alarms.push(...waiting.flatMap((one) => (told.has(one.id) ? [] : alarmOf(one))));
  const over = admission.budget.overMemory();
  if (over > 0) {
    alarms.push({
      code: 'memory-over-budget',
      message: `proofs that have begun take ${(over / 2 ** 30).toFixed(1)} GiB more than the budget; none is stopped for that`,
      next: 'nothing; let the schedule start them: docker compose up starts all at once',
    });
  }
  // Acts are done one after the other: who has to make room does so before it is taken, else two read for that long.
  acts.sort((a, b) => Number(makesRoom(b)) - Number(makesRoom(a)));
  return { acts, waiting, alarms, lookAgainAt: Math.max(Math.ceil(lookAgainAt), now + 1) };
}

function makesRoom({ kind }: ScheduleAct): boolean {
  return kind === 'hold' || kind === 'stop';
}

/**
 * One whose proof was invalid would begin anew in the next layer, before those that wait for its disk: it is stopped, and
 * has its turn after them (S32). It holds nothing: the service has thrown the proof away.
 */
function giveWay(worker: Worker, workers: readonly Worker[], now: number): ScheduleAct | undefined {
  const { facts, stage, held, state } = worker;
  const rests = facts.service?.kind === 'idle' && state.activity.kind === 'failed' && !held;
  if (facts.courtesy.invalidProofs !== 1 || stage !== 'beginning' || !rests) return undefined;
  const others = workers.some(
    (other) =>
      other !== worker &&
      other.facts.disk === facts.disk &&
      other.state.wants === 'a-proof' &&
      other.facts.courtesy.invalidProofs === 0 &&
      (other.stage === 'down' ? whyNotAtAll(other, now) === undefined : rankOf(other) > 0),
  );
  return others
    ? act(worker, { kind: 'stop', reason: 'its proof was invalid: the others of its disk go first' })
    : undefined;
}

/** Holds or releases one that works, or is about to; stops one that has not begun and has no right to. */
function steer(
  worker: Worker,
  { roles, owners, waitOn, holdsIn }: Admission,
  policy: SchedulePolicy,
  now: number,
  lookIn: (ms: number) => void,
): ScheduleAct | undefined {
  const { facts, held, stage } = worker;
  if (stage === 'unclear') return undefined;
  const owner = owners.get(facts.disk);
  const waitMs = owner === worker ? 0 : (waitOn.get(facts.disk) ?? 0);
  const busy = `${facts.disk} is busy with ${owner?.facts.name ?? 'another'}`;
  const release = (reason: string) => (held ? act(worker, { kind: 'release', reason }) : undefined);
  switch (roles.get(worker) ?? 'excess') {
    case 'owner':
      return release(`${facts.disk} is free for it`);
    case 'ahead':
      lookIn(holdsIn.get(worker) ?? 0);
      return release('a k2pow slot is free, it works ahead');
    case 'parked':
      return hasNotBegun(worker, now)
        ? act(worker, { kind: 'stop', reason: `${busy}, and it has not begun` })
        : hold(
            worker,
            waitMs,
            policy,
            stage === 'k2pow' ? `its k2pow is done as far as it can be while ${busy}` : busy,
          );
    case 'excess': {
      const reason =
        owner === worker ? 'all k2pow slots or threads are taken' : `others come first, and ${busy}`;
      return hasNotBegun(worker, now)
        ? act(worker, { kind: 'stop', reason: `${reason}: it has not begun` })
        : hold(worker, waitMs, policy, reason);
    }
  }
}

function hold(
  worker: Worker,
  waitMs: number,
  policy: SchedulePolicy,
  reason: string,
): ScheduleAct | undefined {
  const { facts, held } = worker;
  if (!policy.canHold) return undefined;
  const deep = needsDeepHold(worker, waitMs, policy);
  const isDeep = facts.container.kind === 'present' && facts.container.heldDeep === true;
  if (held && (isDeep || !deep)) return undefined;
  return act(worker, { kind: 'hold', deep, reason });
}

/** Seconds old, and the node has not asked it for anything: a stop throws nothing away. */
function hasNotBegun({ facts, stage, state }: Worker, now: number): boolean {
  const { container, log, service } = facts;
  return (
    stage === 'beginning' &&
    state.activity.kind === 'about-to-prove' &&
    service?.kind === 'idle' &&
    log?.phase.kind === 'none' &&
    container.kind === 'present' &&
    container.startedAt !== undefined &&
    now - container.startedAt < 2 * 60_000
  );
}

/** One that claims nothing: stopped when both sides have said so for long enough, never left held. */
function rest(worker: Worker): ScheduleAct | undefined {
  const { state, stage, risk, held } = worker;
  if (held && (stage === 'resting' || stage === 'handing-over' || stage === 'failing')) {
    return act(worker, { kind: 'release', reason: 'it has nothing to wait for' });
  }
  if (stage !== 'resting' || state.wants !== 'nothing' || state.activity.kind !== 'idle') return undefined;
  if (!risk.safe) return undefined;
  return act(worker, { kind: 'stop', reason: 'the node wants nothing of it, and it is idle' });
}

/** Why one that is wanted and down is not even a candidate. */
function whyNotAtAll({ facts, stage }: Worker, now: number): Waiting | undefined {
  const { id, name, container, courtesy, data } = facts;
  const waits = (why: Waiting['why'], words: string): Waiting => ({ id, name, why, words });
  if (container.kind === 'present' && container.state === 'restarting') {
    return waits('trouble', `fails and is restarted again and again (exit ${container.exitCode ?? '?'})`);
  }
  if (stage === 'absent' || facts.containerId === undefined) {
    return waits(
      'no-container',
      container.kind === 'absent' ? 'has no container: smesh-compose up' : 'the engine is at it',
    );
  }
  if (courtesy.stoppedByPerson)
    return waits('stopped-by-person', `stopped by somebody: smesh-compose up ${name}`);
  if (data === 'absent') return waits('data-away', 'its data is away');
  if (courtesy.invalidProofs > 1) return waits('invalid-proofs', 'its proof was invalid twice');
  if (container.kind === 'present' && hasFailed(container.exitCode) && container.finishedAt !== undefined) {
    if (now - container.finishedAt < FAILED_PAUSE_MS)
      return waits('trouble', `ended with ${container.exitCode}`);
  }
  return undefined;
}

/** Waits that do not end by themselves: the node wants the proof, and nobody works on it until somebody does something. */
function alarmOf({ id, name, why, words }: Waiting): readonly ScheduleAlarm[] {
  switch (why) {
    case 'disk':
    case 'k2pow':
    case 'memory':
    case 'threads':
      return [];
    case 'trouble':
      return [
        {
          code: 'wanted-but-fails',
          id,
          name,
          message: `is wanted, and ${words}`,
          next: `smesh-compose logs ${name}`,
        },
      ];
    case 'stopped-by-person':
      return [
        {
          ...{ code: 'wanted-but-stopped', id, name, next: `smesh-compose up ${name}` },
          message: 'is wanted, and was stopped by somebody: it stays down until it is asked for',
        },
      ];
    case 'no-container':
      return [
        {
          code: 'wanted-but-absent',
          id,
          name,
          message: 'is wanted, and has no container',
          next: 'smesh-compose up',
        },
      ];
    case 'data-away':
    case 'invalid-proofs':
      return [];
  }
}

function hasFailed(exitCode: number | undefined): boolean {
  return exitCode !== undefined && ![0, 137, 143].includes(exitCode);
}

type Steering =
  | { readonly kind: 'stop' | 'release'; readonly reason: string }
  | { readonly kind: 'hold'; readonly deep: boolean; readonly reason: string };

function act({ facts: { id, name, containerId } }: Worker, steering: Steering): ScheduleAct | undefined {
  return containerId === undefined ? undefined : { id, name, containerId, ...steering };
}
