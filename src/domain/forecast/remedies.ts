import {
  type ChangedInput,
  halves,
  withMemory,
  withNonces,
  withRate,
  withRemote,
  withThreads,
  withUnits,
} from './changes.ts';
import type { ForecastInput } from './input.ts';
import { draw, type Outcome } from './outcome.ts';

/** What could be changed, and what the gap would be like then. */
export type Remedy = { readonly outcome: Outcome } & (
  | { readonly kind: 'nonces'; readonly nonces: number }
  | { readonly kind: 'threads'; readonly threads: number }
  /** `bytes` for all proofs together. */
  | { readonly kind: 'memory'; readonly bytes: number }
  /** The named ones in a second project on a PoET of another phase; of both gaps the later end and all who miss. */
  | { readonly kind: 'second-phase'; readonly moved: readonly string[] }
  /** The most that fit, for each disk that is late now. */
  | {
      readonly kind: 'fewer-units';
      readonly disks: readonly { readonly disk: string; readonly units: number; readonly of: number }[];
    }
  | {
      readonly kind: 'faster-disk';
      readonly disks: readonly { readonly disk: string; readonly bytesPerSecond: number }[];
    }
  /** A k2pow-service as fast as this host, for all. */
  | { readonly kind: 'remote-k2pow'; readonly hashesPerSecond: number }
);

export interface RemedySearch {
  /** Disks on which somebody misses the registration. */
  readonly lateDisks: ReadonlySet<string>;
  readonly seed: number;
  readonly scale: number;
  readonly depth: 'all' | 'quick';
  readonly begins: number;
}

const NONCES = [64, 96, 128, 192, 208, 288] as const;
const SEARCH_STEPS = 6;
const FASTEST = 8;

/** Changes that make fewer miss the registration, or everybody be done clearly sooner; best first. */
export function findRemedies(input: ForecastInput, search: RemedySearch): readonly Remedy[] {
  const runs = Math.min(Math.max(Math.round(2400 / input.identities.length ** 1.25), 8), 40);
  const tries = search.depth === 'quick' ? Math.min(runs, 10) : runs;
  const run = (changed: ForecastInput) =>
    draw(changed, { runs: tries, seed: search.seed }, search.scale).outcome;
  // On the same luck as the changes are tried on, so that luck is no remedy.
  const base = run(input);
  const helps = (outcome: Outcome) => isBetter(outcome, base, search.begins);
  const found: Remedy[] = [];
  const consider = (remedy: Remedy) => {
    if (helps(remedy.outcome)) found.push(remedy);
  };
  const best = bestOf(
    NONCES.map((nonces) => ({ nonces, changed: withNonces(input, nonces) })),
    run,
  );
  if (best !== undefined) consider({ kind: 'nonces', nonces: best.nonces, outcome: best.outcome });
  const threads = withThreads(input);
  if (threads !== undefined) consider({ kind: 'threads', threads: 0, outcome: run(threads) });
  const split = halves(input);
  if (split !== undefined) {
    const outcome = together(run(split.stay), run(split.move));
    consider({ kind: 'second-phase', moved: split.move.identities.map(({ name }) => name), outcome });
  }
  if (search.depth === 'quick') return ranked(found);
  const memory = bestOf(
    withMemory(input).map((changed) => ({ bytes: changed.policy.memoryBytes, changed })),
    run,
  );
  if (memory !== undefined) consider({ kind: 'memory', bytes: memory.bytes, outcome: memory.outcome });
  const remote = withRemote(input);
  if (remote !== undefined) {
    consider({ kind: 'remote-k2pow', hashesPerSecond: remote.remoteHashesPerSecond, outcome: run(remote) });
  }
  const units = searchFactor((factor) => withUnits(input, search.lateDisks, factor), run, [1, 0]);
  if (units !== undefined)
    consider({
      kind: 'fewer-units',
      disks: unitsOf(input, units.changed, search.lateDisks),
      outcome: units.outcome,
    });
  const faster = searchFactor((factor) => withRate(input, search.lateDisks, factor), run, [1, FASTEST]);
  if (faster !== undefined) {
    const rates = faster.changed.policy.rates.diskBytesPerSecond;
    const disks = [...search.lateDisks].map((disk) => ({ disk, bytesPerSecond: rates.get(disk) ?? 0 }));
    consider({ kind: 'faster-disk', disks, outcome: faster.outcome });
  }
  return ranked(found);
}

/** Fewer that miss count first; with the same number, a clearly earlier end. */
function isBetter(outcome: Outcome, base: Outcome, begins: number): boolean {
  if (base.missing - outcome.missing >= 0.5) return true;
  if (outcome.missing - base.missing >= 0.05) return false;
  if (outcome.fits && !base.fits) return true;
  return outcome.doneP90 - begins < 0.93 * (base.doneP90 - begins);
}

/** What costs nothing first, among those that do as well. */
const EFFORT = ['nonces', 'threads', 'memory', 'remote-k2pow', 'second-phase', 'fewer-units', 'faster-disk'];

function ranked(remedies: readonly Remedy[]): readonly Remedy[] {
  const score = ({ outcome }: Remedy) => (outcome.fits ? -1 : Math.round(outcome.missing * 2) / 2);
  return remedies.toSorted((a, b) => score(a) - score(b) || EFFORT.indexOf(a.kind) - EFFORT.indexOf(b.kind));
}

/** Of several changes the one with the fewest that miss, then the earliest end; the first of those that fit alike. */
function bestOf<T extends { readonly changed: ForecastInput | undefined }>(
  tries: readonly T[],
  run: (input: ForecastInput) => Outcome,
): (T & { readonly outcome: Outcome }) | undefined {
  let best: (T & { readonly outcome: Outcome }) | undefined;
  for (const one of tries) {
    if (one.changed === undefined) continue;
    const outcome = run(one.changed);
    const better =
      best === undefined ||
      outcome.missing < best.outcome.missing - 0.05 ||
      (outcome.missing <= best.outcome.missing + 0.05 && outcome.doneP90 < best.outcome.doneP90);
    if (better) best = { ...one, outcome };
  }
  return best;
}

/** The smallest change that fits, by halving; `undefined` where even the largest does not. */
function searchFactor(
  change: (factor: number) => ChangedInput,
  run: (input: ForecastInput) => Outcome,
  [from, to]: readonly [number, number],
): { readonly changed: ForecastInput; readonly outcome: Outcome } | undefined {
  let bad = from;
  let good = to;
  let found: { changed: ForecastInput; outcome: Outcome } | undefined;
  const last = change(to);
  if (last !== undefined) {
    const outcome = run(last);
    if (!outcome.fits) return undefined;
    found = { changed: last, outcome };
  }
  for (let step = 0; step < SEARCH_STEPS; step += 1) {
    const middle = (bad + good) / 2;
    const changed = change(middle);
    // Less than the network takes: the search goes on above.
    if (changed === undefined) {
      good = middle;
      continue;
    }
    const outcome = run(changed);
    if (outcome.fits) {
      good = middle;
      found = { changed, outcome };
    } else bad = middle;
  }
  return found;
}

/** Both halves, each in a gap of its own: all who miss, the later end. */
function together(stay: Outcome, move: Outcome): Outcome {
  return {
    fits: stay.fits && move.fits,
    missing: stay.missing + move.missing,
    missingEpoch: stay.missingEpoch + move.missingEpoch,
    doneP50: Math.max(stay.doneP50, move.doneP50),
    doneP90: Math.max(stay.doneP90, move.doneP90),
    peakMemoryBytes: Math.max(stay.peakMemoryBytes, move.peakMemoryBytes),
    mostAtOnce: Math.max(stay.mostAtOnce, move.mostAtOnce),
  };
}

function unitsOf(before: ForecastInput, after: ForecastInput, disks: ReadonlySet<string>) {
  const sum = ({ identities }: ForecastInput, disk: string) =>
    identities.reduce((units, one) => (one.disk === disk ? units + one.units : units), 0);
  return [...disks].map((disk) => ({ disk, units: sum(after, disk), of: sum(before, disk) }));
}
