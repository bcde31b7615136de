import type { LedgerEntry } from '../../chaos/support/ledger.ts';
import { livesOf } from '../../chaos/support/truth.ts';

/*
 * What a schedule did, judged by what the stand-ins wrote down and what the services said; never by what the schedule
 * says of itself. Times are milliseconds since 1970.
 */

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** One proof within one life of a prover. */
export interface ProofHistory {
  readonly service: string;
  readonly disk: string;
  /** From the node's question until it is handed over, has failed, or its process has ended. */
  readonly whole: Interval;
  /** It waits for the node from then on, and its memory is free. */
  readonly foundAt?: number;
  readonly k2pow: readonly Interval[];
  readonly reading: readonly Interval[];
  /** Slowed to next to nothing, as the prover itself felt it. */
  readonly held: readonly Interval[];
  /** Ends of nonce groups. */
  readonly groups: readonly number[];
  readonly end: 'handed-over' | 'invalid' | 'failed' | 'lost' | 'open';
}

/** More at once than there should be. */
export interface Excess extends Interval {
  readonly what: string;
  readonly names: readonly string[];
}

const PROOF_ENDS = ['handed-over', 'invalid', 'failed'] as const;

/** All proofs of one prover. @param deaths of its container, as the engine tells them */
export function proofsOf(
  { service, disk }: { readonly service: string; readonly disk: string },
  ledger: readonly LedgerEntry[],
  deaths: readonly number[],
): readonly ProofHistory[] {
  return livesOf(ledger, deaths).flatMap(({ boot, to }) => {
    const own = ledger.filter((entry) => entry.boot === boot);
    const begins = own.flatMap(({ event }, index) => (event === 'asked' ? [index] : []));
    return begins.map((begin, number) => {
      const entries = own.slice(begin, begins[number + 1]);
      return { service, disk, ...proofOf(entries, to) };
    });
  });
}

function proofOf(entries: readonly LedgerEntry[], lifeEnds: number): Omit<ProofHistory, 'service' | 'disk'> {
  const k2pow: Interval[] = [];
  const reading: Interval[] = [];
  const held: Interval[] = [];
  const groups: number[] = [];
  let phase: { readonly into: Interval[]; readonly from: number } | undefined;
  let heldSince: number | undefined;
  let foundAt: number | undefined;
  let end: ProofHistory['end'] | undefined;
  let to = lifeEnds;
  const enter = (at: number, into?: Interval[]) => {
    if (phase !== undefined && at > phase.from) phase.into.push({ from: phase.from, to: at });
    phase = into === undefined ? undefined : { into, from: at };
  };
  for (const { at, event } of entries) {
    if (event === 'k2pow') enter(at, k2pow);
    else if (event === 'reading') enter(at, reading);
    else if (event === 'group') groups.push(at);
    else if (event === 'held') heldSince ??= at;
    else if (event === 'lifted' && heldSince !== undefined) {
      held.push({ from: heldSince, to: at });
      heldSince = undefined;
    } else if (event === 'done') {
      enter(at);
      foundAt = at;
    }
    const known = PROOF_ENDS.find((one) => one === event);
    if (known !== undefined && end === undefined) {
      end = known;
      to = at;
    }
  }
  enter(to);
  if (heldSince !== undefined) held.push({ from: heldSince, to });
  const from = entries[0]?.at ?? 0;
  return {
    whole: { from, to },
    ...(foundAt === undefined ? {} : { foundAt }),
    k2pow,
    reading,
    held,
    groups,
    end: end ?? (Number.isFinite(lifeEnds) ? 'lost' : 'open'),
  };
}

/** What is left of the intervals without the others. */
export function without(intervals: readonly Interval[], others: readonly Interval[]): readonly Interval[] {
  return others.reduce<readonly Interval[]>(
    (left, cut) =>
      left.flatMap(({ from, to }) =>
        [
          { from, to: Math.min(to, cut.from) },
          { from: Math.max(from, cut.to), to },
        ].filter((piece) => piece.to > piece.from),
      ),
    intervals,
  );
}

/**
 * Times at which more than `limit` of the named intervals go on. Each is as long as the same ones are at it; what is
 * shorter than `leastMs` in one piece counts for nothing: a hold is felt a moment after it was set.
 */
export function excess(
  what: string,
  named: readonly (Interval & { readonly name: string })[],
  limit: number,
  leastMs: number,
): readonly Excess[] {
  const times = [...new Set(named.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  const found: { what: string; names: string[]; from: number; to: number }[] = [];
  times.forEach((from, index) => {
    const to = times[index + 1];
    if (to === undefined) return;
    const names = [
      ...new Set(named.filter((one) => one.from <= from && one.to >= to).map(({ name }) => name)),
    ].toSorted();
    if (names.length <= limit) return;
    const last = found.at(-1);
    if (last !== undefined && last.to === from) {
      last.to = to;
      last.names = [...new Set([...last.names, ...names])].toSorted();
    } else found.push({ what, names, from, to });
  });
  return found.filter(({ from, to }) => to - from >= leastMs);
}

/** Two that read one disk at the same time and are not held. */
export function readersTogether(proofs: readonly ProofHistory[], leastMs: number): readonly Excess[] {
  const disks = new Set(proofs.map(({ disk }) => disk));
  return [...disks].flatMap((disk) =>
    excess(
      disk,
      namedOf(
        proofs.filter((proof) => proof.disk === disk),
        'reading',
      ),
      1,
      leastMs,
    ),
  );
}

/** More than so many that do k2pow and are not held. */
export function k2powTogether(
  proofs: readonly ProofHistory[],
  slots: number,
  leastMs: number,
): readonly Excess[] {
  return excess('k2pow', namedOf(proofs, 'k2pow'), slots, leastMs);
}

function namedOf(proofs: readonly ProofHistory[], kind: 'reading' | 'k2pow') {
  return proofs.flatMap((proof) =>
    without(proof[kind], proof.held).map((interval) => ({ ...interval, name: proof.service })),
  );
}

/** More than so many proofs that have begun and are not found: each has its memory, held or not. */
export function proofsTogether(
  proofs: readonly ProofHistory[],
  most: number,
  leastMs: number,
): readonly Excess[] {
  const named = proofs.map(({ service, whole, foundAt }) => ({
    name: service,
    from: whole.from,
    to: Math.min(foundAt ?? whole.to, whole.to),
  }));
  return excess('memory', named, most, leastMs);
}

/**
 * Proofs that ended with their process and had work in them. The node may ask in the instant between the last question to
 * a prover and its stop: that one has not begun its k2pow, and loses nothing.
 */
export function lostProofs(
  proofs: readonly ProofHistory[],
): readonly { readonly service: string; readonly at: number; readonly workedMs: number }[] {
  return proofs
    .filter(({ end, k2pow, reading }) => end === 'lost' && k2pow.length + reading.length > 0)
    .map(({ service, whole }) => ({ service, at: whole.to, workedMs: whole.to - whole.from }));
}

/**
 * Those whose k2pow was done ahead: half of the groups at least while another one read their disk, then held, and not a
 * byte read before they were released.
 */
export function workedAhead(proofs: readonly ProofHistory[], groups: number): readonly ProofHistory[] {
  return proofs.filter((proof) => {
    const read = proof.reading[0]?.from ?? 0;
    const hold = proof.held.findLast(({ to }) => to <= read);
    if (hold === undefined) return false;
    const done = proof.groups.filter((at) => at <= hold.to).length;
    const before = proofs.filter(
      (other) =>
        other.disk === proof.disk &&
        other.service !== proof.service &&
        other.reading.some(({ from, to }) => from < hold.to && to > (proof.k2pow[0]?.from ?? hold.to)),
    );
    return done >= groups / 2 && before.length > 0;
  });
}

/** Who has not published in that epoch, by the node's ledger. */
export function unpublished(
  node: readonly LedgerEntry[],
  ids: ReadonlyMap<string, string>,
  epoch: number,
): readonly string[] {
  return notNoted(ids, node, (entry) => entry.event === 'published' && entry.epoch === epoch);
}

/** Who is not registered for that round, by the node's ledger. */
export function unregistered(
  node: readonly LedgerEntry[],
  ids: ReadonlyMap<string, string>,
  round: number,
): readonly string[] {
  return notNoted(ids, node, (entry) => entry.event === 'registered' && entry.round === round);
}

function notNoted(
  ids: ReadonlyMap<string, string>,
  node: readonly LedgerEntry[],
  matches: (entry: LedgerEntry) => boolean,
): readonly string[] {
  const noted = new Set(node.filter(matches).map(({ id }) => id));
  return [...ids].flatMap(([service, id]) => (noted.has(id) ? [] : [service]));
}

/** The excesses that do not lie within the times in which somebody else had a hand in it. */
export function outside(found: readonly Excess[], allowed: readonly Interval[]): readonly Excess[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of allowed.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return found.filter(({ from, to }) => !joined.some((one) => one.from <= from && to <= one.to));
}

/** A line per proof, in seconds since the first began, for whoever has to find out why a judgement failed. */
export function describeProofs(proofs: readonly ProofHistory[]): string {
  const began = Math.min(...proofs.map(({ whole }) => whole.from));
  const time = (at: number) => (Number.isFinite(at) ? ((at - began) / 1000).toFixed(1) : '…');
  const all = (intervals: readonly Interval[]) =>
    intervals.map(({ from, to }) => `${time(from)}–${time(to)}`).join(', ') || '–';
  return proofs
    .toSorted((a, b) => a.whole.from - b.whole.from)
    .map(
      ({ service, disk, whole, k2pow, reading, held, groups, end }) =>
        `${disk} ${service} ${all([whole])} k2pow ${all(k2pow)} (${groups.length} groups) held ${all(held)} read ${all(reading)} ${end}`,
    )
    .join('\n');
}
