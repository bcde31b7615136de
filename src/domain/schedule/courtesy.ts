import type { SmesherId } from '../identity/smesher-id.ts';
import type { ContainerFacts } from '../proving/identity-state.ts';
import type { Demand, OwnStop, ScheduleHistory } from './history.ts';
import { type Courtesy, NO_COURTESY, type ProverFacts, type ScheduleObservation } from './observation.ts';

/** A service and the node tell of one and the same invalid proof within it; log times are whole seconds. */
const SAME_PROOF_MS = 10_000;

const MOST_INVALID = 8;

/**
 * The history after one look. Forgets what is over: demands that the node has been given or that belong to another
 * epoch, stops of containers that run again or are gone. Nothing in it grows with time.
 */
export function remember(history: ScheduleHistory, observation: ScheduleObservation): ScheduleHistory {
  const { at, provers } = observation;
  const demands = new Map<SmesherId, Demand>();
  const diskOf = new Map<SmesherId, string>();
  for (const prover of provers) {
    const demand = demandOf(history.demands.get(prover.id), prover, observation);
    if (demand !== undefined) demands.set(prover.id, demand);
    const known = isUnknown(prover.disk) ? history.diskOf.get(prover.id) : prover.disk;
    if (known !== undefined) diskOf.set(prover.id, known);
  }
  return {
    ...history,
    since: history.since ?? at,
    demands,
    diskOf,
    stops: history.stops.filter((stop) => isOpen(stop, provers)),
  };
}

/** One that cannot be told is named after its directory. */
function isUnknown(disk: string): boolean {
  return disk.startsWith('/');
}

function demandOf(
  before: Demand | undefined,
  prover: ProverFacts,
  { at, node, timeline }: ScheduleObservation,
): Demand | undefined {
  const { epoch } = timeline.deadlines;
  // After a start of the node all states read IDLE, whatever is due: only a settled one closes a demand.
  if (node === 'settled' && (prover.wanted === 'idle' || prover.wanted === 'unlisted')) return undefined;
  const same = before?.epoch === epoch ? before : undefined;
  if (prover.wanted !== 'proving') return same;
  const demand = same ?? { epoch, since: prover.progress?.wantedSince ?? at, restarts: {}, invalidAt: [] };
  const invalidAt = newlyInvalid(prover, demand);
  return invalidAt === undefined
    ? demand
    : { ...demand, invalidAt: [...demand.invalidAt, invalidAt].slice(-MOST_INVALID) };
}

/** A proof that the service finds invalid is logged; one that only the node does is in its events. */
function newlyInvalid({ log, progress }: ProverFacts, { since, invalidAt }: Demand): number | undefined {
  const failure = log?.lastFailure;
  const isInvalid = failure !== undefined && /invalid/i.test(failure.reason);
  // The node tells the same of a service that cannot prove at all: that is another trouble.
  const toldByNode =
    log !== undefined && (failure === undefined || isInvalid) ? progress?.failedAt : undefined;
  const toldByService = isInvalid ? failure.at : undefined;
  const isNew = (at: number | undefined): at is number =>
    at !== undefined && at >= since && !invalidAt.some((known) => Math.abs(known - at) <= SAME_PROOF_MS);
  return [toldByService, toldByNode].find(isNew);
}

function isOpen({ container, at, finishedAt }: OwnStop, provers: readonly ProverFacts[]): boolean {
  const prover = provers.find(({ containerId }) => containerId === container);
  // An engine that does not answer shows no container at all.
  if (prover === undefined) return provers.some((one) => one.container.kind === 'unknown');
  const facts = prover.container;
  if (facts.kind !== 'present') return true;
  const isUp = facts.state === 'running' || facts.state === 'paused' || facts.state === 'restarting';
  // Somebody has started it since; an intent is over when it has not happened.
  // One that could not be ended is ended by the engine whenever it can, in this life of its.
  return isUp ? finishedAt === undefined && (facts.startedAt ?? 0) < at : true;
}

/** What is known of one identity, for the decision. */
export function courtesyOf(
  history: ScheduleHistory,
  id: SmesherId,
  container: ContainerFacts,
  containerId: string | undefined,
): Courtesy {
  const demand = history.demands.get(id);
  const stoppedByPerson = isStoppedByPerson(history, container, containerId);
  if (demand === undefined && !stoppedByPerson) return NO_COURTESY;
  return {
    stoppedByPerson,
    restarts: demand?.restarts ?? {},
    invalidProofs: demand?.invalidAt.length ?? 0,
  };
}

/** Exit codes of a stop: it ended by itself, SIGKILL, SIGTERM (spacemesh.md §14.1). */
export const STOP_CODES: readonly number[] = [0, 137, 143];

/**
 * Ended as a stop ends it, after the schedule first looked, and not by the schedule. One that was never started, that
 * failed or that was killed for its memory was stopped by nobody.
 */
export function isStoppedByPerson(
  history: ScheduleHistory,
  container: ContainerFacts,
  containerId: string | undefined,
): boolean {
  if (container.kind !== 'present' || container.state !== 'exited' || containerId === undefined) return false;
  const { exitCode, startedAt = 0, finishedAt, oomKilled, startError } = container;
  if (exitCode === undefined || !STOP_CODES.includes(exitCode) || oomKilled || startError !== undefined) {
    return false;
  }
  if (finishedAt === undefined || history.since === undefined || finishedAt < history.since) return false;
  return !history.stops.some((stop) => stop.container === containerId && isStop(stop, startedAt, finishedAt));
}

function isStop(stop: OwnStop, startedAt: number, finishedAt: number): boolean {
  if (stop.finishedAt !== undefined) return stop.finishedAt === finishedAt;
  // However long it took to end: it has not been started since it was told to.
  return startedAt < stop.at && finishedAt >= stop.at - 1000;
}
