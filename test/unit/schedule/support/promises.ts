import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../../../src/domain/schedule/decide.ts';
import { drawFarm } from '../../../../src/domain/simulation/farm.ts';
import type { Fault } from '../../../../src/domain/simulation/faults.ts';
import { seededRandom } from '../../../../src/domain/simulation/random.ts';
import type { SimulationResult, Violation } from '../../../../src/domain/simulation/record.ts';
import { type PolicyFunction, simulate } from '../../../../src/domain/simulation/simulate.ts';
import type { Case } from './random-farms.ts';

/** Runs a case with the real decision. Every so often the same is decided once more, on a copy. */
export function play(
  { farm, policy, faults, seed, allRun, actMs }: Case,
  chosen: PolicyFunction = decide,
): {
  readonly result: SimulationResult;
  readonly undecided: number;
} {
  let looks = 0;
  let undecided = 0;
  const result = simulate({
    farm,
    policy,
    faults,
    seed,
    allRun,
    actMs,
    draws: drawFarm(farm, seededRandom(seed)),
    decide: chosen,
    onDecision: (observation, decision) => {
      looks += 1;
      if (looks % 40 !== 1) return;
      const again = chosen(structuredClone(observation), structuredClone(policy), observation.at);
      if (!isDeepStrictEqual(decision, again)) undecided += 1;
    },
  });
  return { result, undecided };
}

/** Everything that the schedule has promised and not kept in a run, in words; empty: nothing. */
export function broken(drawn: Case, result: SimulationResult): string[] {
  return [
    ...overTheLimits(drawn, result),
    ...lostByUs(drawn, result),
    ...notServed(drawn, result),
    ...(result.livelock ? ['it acts without end'] : []),
    ...tooBusy(drawn, result),
    ...leftBehind(drawn, result),
  ];
}

/** Two look at most passes until the schedule has seen and done what it can. */
function reactionMs({ policy, actMs, farm }: Case): number {
  return policy.lookEveryMs + 2 * (farm.identities.length + 1) * actMs + 3000;
}

/** Stretches in which others than the schedule decide who works, or it cannot see or act. */
function excused(
  drawn: Case,
  { startedAt }: SimulationResult,
): { readonly from: number; readonly to: number }[] {
  const after = reactionMs(drawn);
  const windows = drawn.faults.map((fault) => ({
    from: startedAt + fault.at,
    to: startedAt + endOf(fault) + after,
  }));
  return merged(drawn.allRun ? [{ from: startedAt, to: startedAt + after }, ...windows] : windows);
}

/** What begins in the one and ends in the other is excused by both together. */
function merged(
  windows: readonly { readonly from: number; readonly to: number }[],
): { readonly from: number; readonly to: number }[] {
  const all: { from: number; to: number }[] = [];
  for (const { from, to } of [...windows].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else all.push({ from, to });
  }
  return all;
}

function endOf(fault: Fault): number {
  switch (fault.kind) {
    case 'loop-dead':
    case 'engine-unreachable':
    case 'node-unreachable':
    case 'service-silent':
    case 'log-missing':
      return fault.until;
    case 'node-restarts':
      return fault.at + fault.downMs + fault.idleMs;
    default:
      return fault.at;
  }
}

/** Somebody beside the schedule starts something, or it begins again by itself: memory cannot be taken back from it. */
const STARTS: ReadonlySet<Fault['kind']> = new Set<Fault['kind']>([
  'person-starts-all',
  'person-restarts',
  'prover-crashes',
  'prover-oom',
  'loop-dead',
  'engine-unreachable',
  'proof-fails',
  'proof-invalid',
  'half-open',
]);

function overTheLimits(drawn: Case, result: SimulationResult): string[] {
  const windows = excused(drawn, result);
  return result.violations
    .filter((violation) => !isExcused(violation, windows, drawn, result))
    .map(
      ({ kind, what, from, to, most, names }) =>
        `${most} on ${kind} ${what} for ${(to - from) / 1000} s from ${minutes(from, result)}: ${names.join(', ')}`,
    );
}

function isExcused(
  violation: Violation,
  windows: readonly { readonly from: number; readonly to: number }[],
  drawn: Case,
  { startedAt }: SimulationResult,
): boolean {
  const { kind, from, to } = violation;
  // Slots and threads change hands in one decision, by one act after the other.
  const handover = 500 + 2 * drawn.farm.identities.length * drawn.actMs;
  const before = kind === 'disk' || kind === 'memory' ? 0 : handover;
  if (windows.some((window) => window.from - before <= from && to <= window.to)) return true;
  if (kind === 'disk') return false;
  if (kind === 'memory') {
    return (
      drawn.allRun || drawn.faults.some((fault) => STARTS.has(fault.kind) && startedAt + fault.at <= from)
    );
  }
  return to - from <= handover;
}

function lostByUs(drawn: Case, result: SimulationResult): string[] {
  return result.lost
    .filter(({ cause }) => cause === 'ours' || (cause === 'oom' && !mayRunOut(drawn)))
    .map(({ name, cause, at }) => `${name} lost its work (${cause}) at ${minutes(at, result)}`);
}

/** Memory runs out only where somebody else starts things, or there is less of it than one proof takes. */
function mayRunOut({ allRun, faults, farm }: Case): boolean {
  return allRun || farm.host.physicalBytes < 2.5 * 2 ** 30 || faults.some(({ kind }) => STARTS.has(kind));
}

function notServed({ farm, faults }: Case, { identities, endedAt, startedAt }: SimulationResult): string[] {
  return identities
    .filter(({ doneAt, id, disk, spans }) => {
      const plan = farm.identities.find((identity) => identity.id === id);
      if (doneAt !== undefined || plan?.demand === 'none') return false;
      const gone = faults.some(
        (fault) => fault.kind === 'disk-vanishes' && fault.disk === disk && fault.until === undefined,
      );
      // Nobody may end a process that has a proof, also where the node does not come for it.
      const kept = spans.at(-1)?.kind === 'waiting-for-node' && isOf('half-open', id, faults) > 0;
      return !gone && !kept && !isStopped(id, faults) && !isDamaged(id, faults);
    })
    .map(({ name }) => `${name} was never served (${((endedAt - startedAt) / 3_600_000).toFixed(1)} h)`);
}

/** By a person, and nobody has started it since. */
function isStopped(id: string, faults: readonly Fault[]): boolean {
  const last = faults.findLast(
    (fault) =>
      fault.kind === 'person-starts-all' ||
      ((fault.kind === 'person-stops' || fault.kind === 'person-restarts') && fault.id === id),
  );
  return last?.kind === 'person-stops';
}

/** Invalid twice: not tried a third time. Failed twice: nothing but its data can mend that. */
function isDamaged(id: string, faults: readonly Fault[]): boolean {
  return (
    isOf('proof-invalid', id, faults) > 1 ||
    isOf('proof-fails', id, faults) > 1 ||
    isOf('half-open', id, faults) > 2
  );
}

function isOf(kind: Fault['kind'], id: string, faults: readonly Fault[]): number {
  return faults.filter((fault) => fault.kind === kind && 'id' in fault && fault.id === id).length;
}

/** Started, held, released, stopped, and all of that a few times more for whatever happens. */
function tooBusy({ farm, faults }: Case, { acts, lost }: SimulationResult): string[] {
  // Whoever is killed again and again begins again and again, and is answered each time.
  const limit = farm.identities.length * (12 + 12 * faults.length) + 20 + 12 * lost.length;
  return acts.length > limit ? [`${acts.length} acts for ${farm.identities.length} identities`] : [];
}

function leftBehind({ faults }: Case, { held, makespanMs }: SimulationResult): string[] {
  if (makespanMs === undefined || held.length === 0) return [];
  // Who was stopped, or ended, while it was held keeps its quota, and is let go when it is started.
  return faults.length > 0 ? [] : [`${held.join(', ')} left held`];
}

function minutes(at: number, { startedAt }: SimulationResult): string {
  return `${((at - startedAt) / 60_000).toFixed(1)} min`;
}
