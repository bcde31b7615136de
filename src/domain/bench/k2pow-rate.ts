import { EMPTY_PROOF_LOG, groupsOf, readProofLine } from '../proving/proof-log.ts';

/** One stretch of k2pow that a log tells: a nonce group where it shows groups, else a whole pass. */
export interface K2powStretch {
  /** Milliseconds since 1970, as the engine received the lines. */
  readonly from: number;
  readonly to: number;
  readonly groups: number;
}

/** One k2pow from its first line to its last. */
export interface K2powRun {
  readonly stretches: readonly K2powStretch[];
}

/** What is known of the prover whose log it is. */
export interface K2powSource {
  readonly service: string;
  /** Absent: its metadata could not be read. */
  readonly units?: number;
  /** Part of all cores that it may use. */
  readonly share: number;
  readonly runs: readonly K2powRun[];
}

export type K2powResult =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'measured';
      /** Of the whole host. */
      readonly hashesPerSecond: number;
      readonly hashes: number;
      readonly busyMs: number;
      readonly passes: number;
      readonly services: readonly string[];
      readonly leftOut: number;
      /** Standard error of the number of hashes, which is luck, percent. */
      readonly errorPercent: number;
    };

/** Finished k2pows of one log; those whose begin or end it does not hold are none. */
export function k2powRuns(
  lines: Iterable<{ readonly at: number; readonly text: string }>,
): readonly K2powRun[] {
  const runs: K2powRun[] = [];
  let log = EMPTY_PROOF_LOG;
  let run: { from: number; groups: number; since: number; stretches: K2powStretch[] } | undefined;
  for (const { at, text } of lines) {
    const next = readProofLine(log, text);
    const before = log.phase;
    const { phase } = next;
    if (
      phase.kind === 'k2pow' &&
      phase.nonces !== undefined &&
      (before.kind !== 'k2pow' || next.groupsDone < log.groupsDone)
    ) {
      run = { from: at, since: at, groups: groupsOf(phase.nonces), stretches: [] };
    } else if (run !== undefined && next.groupsDone > log.groupsDone) {
      run.stretches.push({ from: run.since, to: at, groups: 1 });
      run.since = at;
    } else if (run !== undefined && phase.kind === 'k2pow-finished' && before.kind === 'k2pow') {
      const { from, groups, stretches } = run;
      const whole = stretches.length === groups ? stretches : [{ from, to: at, groups }];
      runs.push({ stretches: whole });
      run = undefined;
    } else if (phase.kind !== 'k2pow') {
      run = undefined;
    }
    log = next;
  }
  return runs;
}

/** Slower than the usual one by this: it was held, not unlucky (one in e^12 is). */
const HELD_FACTOR = 12;

/** Fewer hashes than these take no time that could be measured. */
const LEAST_HASHES = 10_000;

/**
 * RandomX hashes per second of all cores: those that were to be expected (operators.md d.4) by the time in which at least
 * one prover worked at them. Two at a time share the cores, so their time counts once.
 *
 * @param hashesPerUnitGroup expected for one nonce group of one unit
 */
export function k2powRate(sources: readonly K2powSource[], hashesPerUnitGroup: number): K2powResult {
  const known = sources.filter(({ units, runs }) => units !== undefined && runs.length > 0);
  const paces = known.flatMap(({ units = 1, share, runs }) =>
    runs.flatMap((run) => run.stretches.map((one) => (share * (one.to - one.from)) / (one.groups * units))),
  );
  const usual = paces.toSorted((a, b) => a - b)[Math.floor(paces.length / 2)] ?? 0;
  const taken: { from: number; to: number; share: number; hashes: number; groups: number }[] = [];
  const services = new Set<string>();
  let passes = 0;
  let leftOut = sources
    .filter(({ units }) => units === undefined)
    .reduce((sum, { runs }) => sum + runs.length, 0);
  for (const { service, units = 1, share, runs } of known) {
    for (const { stretches } of runs) {
      const slow = ({ from, to, groups }: K2powStretch) =>
        (share * (to - from)) / (groups * units) > HELD_FACTOR * usual;
      const good = stretches.filter((stretch) => !slow(stretch));
      if (good.length === 0) {
        leftOut += 1;
        continue;
      }
      passes += 1;
      services.add(service);
      taken.push(
        ...good.map(({ from, to, groups }) => ({
          from,
          to,
          share,
          groups,
          hashes: groups * units * hashesPerUnitGroup,
        })),
      );
    }
  }
  const hashes = taken.reduce((sum, each) => sum + each.hashes, 0);
  const busyMs = busyTime(taken);
  if (hashes < LEAST_HASHES || busyMs <= 0) return { kind: 'none' };
  const groups = taken.reduce((sum, each) => sum + each.groups, 0);
  return {
    kind: 'measured',
    hashesPerSecond: (hashes / busyMs) * 1000,
    hashes,
    busyMs,
    passes,
    services: [...services],
    leftOut,
    errorPercent: Math.round(100 / Math.sqrt(groups)),
  };
}

/** Time in which somebody worked, a prover on half of the cores for half of it. */
function busyTime(
  stretches: readonly { readonly from: number; readonly to: number; readonly share: number }[],
): number {
  const edges = stretches
    .flatMap(({ from, to, share }) => [
      { at: from, change: share },
      { at: to, change: -share },
    ])
    .toSorted((a, b) => a.at - b.at);
  let busy = 0;
  let share = 0;
  let last = 0;
  for (const { at, change } of edges) {
    busy += (at - last) * Math.min(Math.max(share, 0), 1);
    share += change;
    last = at;
  }
  return busy;
}
