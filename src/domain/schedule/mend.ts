import type { ScheduleAct, ScheduleAlarm } from './decision.ts';
import type { RestartReason } from './observation.ts';
import { hasLostItsWorker, type Worker } from './worker.ts';

/** Between two restarts of one whose node does not reach it; more would only drown its log. */
const RESTART_AGAIN_MS = 15 * 60_000;
const MOST_RECONNECTS = 3;

/** The node polls every two seconds; a proof that waits for so long waits for nothing. */
const UNFETCHED_MS = 10 * 60_000;

/** Longer than a dataset takes to be built, during which nobody answers (spacemesh.md §14.1). */
const UNCLEAR_MS = 3 * 60_000;

/** A service that is mended, put to rest, or told of. */
export interface Mending {
  readonly act?: ScheduleAct;
  readonly alarm?: ScheduleAlarm;
}

/** What is wrong with one prover, and what mends it without losing anything (operators.md d.6). */
export function mend(worker: Worker, now: number): Mending {
  const { facts, risk, state } = worker;
  const { courtesy } = facts;
  if (risk.safe && risk.trouble === 'stuck') return restart(worker, 'stuck', 1, now);
  if (risk.safe && risk.trouble === 'not-connected' && courtesy.invalidProofs < 2) {
    return restart(worker, 'not-connected', MOST_RECONNECTS, now);
  }
  if (risk.safe && risk.trouble === 'data-gone') {
    return {
      ...act(worker, { kind: 'stop', reason: 'its passes read nothing: its disk is gone' }),
      ...alarm(
        worker,
        'data-gone',
        'its passes read nothing and burn k2pow: its disk is gone',
        `look at the disk, then: smesh-compose up ${facts.name}`,
      ),
    };
  }
  if (courtesy.invalidProofs > 1) {
    const idle = facts.service?.kind === 'idle' && !worker.held;
    return {
      ...(idle && worker.stage === 'failing'
        ? act(worker, { kind: 'stop', reason: 'its proof was invalid twice, and would be again' })
        : {}),
      ...alarm(
        worker,
        'invalid-proofs',
        'its proof was invalid twice: some of its data is damaged. It is not tried again for this epoch',
        `find the file when the gap is over: smesh-compose post verify ${facts.name}, then: smesh-compose up ${facts.name}`,
      ),
    };
  }
  if (state.activity.kind === 'paused') {
    return alarm(
      worker,
      'paused',
      'is paused by somebody, and its disk waits for it',
      `docker unpause ${facts.containerId?.slice(0, 12) ?? facts.name}`,
    );
  }
  if (worker.stage === 'unclear' && (facts.unchangedMs ?? 0) > UNCLEAR_MS) {
    return alarm(
      worker,
      'cannot-be-asked',
      `runs, and nobody can tell what it does: ${facts.disk} waits for it`,
      `smesh-compose logs ${facts.name}`,
    );
  }
  if (worker.stage === 'handing-over' && (facts.unchangedMs ?? 0) > UNFETCHED_MS) {
    return alarm(
      worker,
      'proof-not-fetched',
      'has a proof that the node does not come for: a restart of it would throw the proof away',
      'smesh-compose restart node --wait: post-services connect anew then, and keep their proofs',
    );
  }
  if (hasLostItsWorker(facts)) {
    return alarm(
      worker,
      'k2pow-service-failed',
      'lost its k2pow-service and its proof with it; it begins anew, and fewer ask that service at once until they are done',
      `look at the workers behind ${facts.settings.remoteK2pow}; k2pow here takes 2.3 GiB a proof: without remoteK2pow in smesh.yaml, then smesh-compose up --wait`,
    );
  }
  const interrupted = facts.log?.interrupted;
  if (interrupted !== undefined && state.wants === 'a-proof') {
    return alarm(
      worker,
      'work-lost',
      'was restarted while it proved, not by the schedule: it begins anew',
      'find who restarts it: an updater, autoheal, memory that ran out (smesh-compose status)',
    );
  }
  if (facts.wanted === 'unlisted' && facts.container.kind === 'present') {
    return alarm(
      worker,
      'unlisted',
      'the node does not know this identity: it was started before its key was there',
      'smesh-compose up --wait',
    );
  }
  if (facts.data === 'absent' && state.wants === 'a-proof') {
    return alarm(
      worker,
      'data-away',
      'the node wants its proof, and its data is not there: is its disk mounted?',
      'mount it: the schedule starts it then',
    );
  }
  return {};
}

function restart(worker: Worker, reason: RestartReason, most: number, now: number): Mending {
  const done = worker.facts.courtesy.restarts[reason];
  const words =
    reason === 'stuck'
      ? 'its proof failed, and only a restart makes it try again'
      : 'the node wants its proof and does not reach it';
  const again = done === undefined || (done.times < most && now - done.at >= RESTART_AGAIN_MS);
  return {
    ...(again ? act(worker, { kind: 'restart', mends: reason, reason: words }) : {}),
    ...(done === undefined
      ? {}
      : alarm(
          worker,
          reason,
          reason === 'stuck'
            ? 'its proof failed again after a restart: it cannot read its data or metadata'
            : 'the node still does not reach it after a restart: its connection may be half-open, another service may have its identity, or its key may be missing in the node',
          `smesh-compose logs ${worker.facts.name}`,
        )),
  };
}

type Doing =
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'restart'; readonly mends: RestartReason; readonly reason: string };

function act({ facts }: Worker, doing: Doing): Pick<Mending, 'act'> {
  const { id, name, containerId } = facts;
  return containerId === undefined ? {} : { act: { id, name, containerId, ...doing } };
}

function alarm({ facts: { id, name } }: Worker, code: string, message: string, next: string): Mending {
  return { alarm: { code, id, name, message, next } };
}
