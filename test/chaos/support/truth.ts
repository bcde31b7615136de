import type { LedgerEntry } from './ledger.ts';

/** One proof of one prover, from the node's question to the hand-over, as the ledger tells it. */
export interface Proof {
  readonly askedAt: number;
  readonly readingAt?: number;
  /** It is there and waits for the node. */
  readonly doneAt?: number;
  readonly endedAt?: number;
  readonly end?: 'handed-over' | 'invalid' | 'failed';
}

/** One life of a process. */
export interface Life {
  readonly boot: string;
  readonly from: number;
  /** Infinity: it lives. */
  readonly to: number;
  readonly proofs: readonly Proof[];
}

export interface NodeLife {
  readonly from: number;
  /** Absent: it never opened its ports. */
  readonly readyAt?: number;
  readonly to: number;
}

/** What one prover is doing. `asked` and k2pow are one: nothing has been read. */
export type ProverActivity = 'down' | 'idle' | 'k2pow' | 'reading' | 'done';

const PROOF_ENDS = ['handed-over', 'invalid', 'failed'] as const;

function byBoot(entries: readonly LedgerEntry[]): readonly (readonly LedgerEntry[])[] {
  const boots = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const own = boots.get(entry.boot) ?? [];
    own.push(entry);
    boots.set(entry.boot, own);
  }
  return [...boots.values()];
}

/**
 * When a life ended: it says so itself where it got a SIGTERM; else the engine has seen it die; else it was over when
 * the next one began.
 */
function endOf(own: readonly LedgerEntry[], next: number, deaths: readonly number[]): number {
  const terminated = own.find(({ event }) => event === 'terminated');
  if (terminated !== undefined) return terminated.at;
  const last = own.at(-1)?.at ?? 0;
  // The engine's clock is this one, but its event is written after the fact.
  return deaths.find((at) => at >= last && at <= next + 1000) ?? next;
}

function startsOf(boots: readonly (readonly LedgerEntry[])[]): readonly number[] {
  return boots.map((own) => own[0]?.at ?? 0);
}

/** @param deaths of its container, as the engine tells them, in order */
export function livesOf(entries: readonly LedgerEntry[], deaths: readonly number[]): readonly Life[] {
  const boots = byBoot(entries);
  const starts = startsOf(boots);
  return boots.map((own, index) => ({
    boot: own[0]?.boot ?? '',
    from: starts[index] ?? 0,
    to: endOf(own, starts[index + 1] ?? Number.POSITIVE_INFINITY, deaths),
    proofs: proofsOf(own),
  }));
}

export function nodeLivesOf(entries: readonly LedgerEntry[], deaths: readonly number[]): readonly NodeLife[] {
  const boots = byBoot(entries);
  const starts = startsOf(boots);
  return boots.map((own, index) => {
    const ready = own.find(({ event }) => event === 'ready')?.at;
    return {
      from: starts[index] ?? 0,
      to: endOf(own, starts[index + 1] ?? Number.POSITIVE_INFINITY, deaths),
      ...(ready === undefined ? {} : { readyAt: ready }),
    };
  });
}

function proofsOf(own: readonly LedgerEntry[]): readonly Proof[] {
  const proofs: Proof[] = [];
  for (const { at, event } of own) {
    if (event === 'asked') proofs.push({ askedAt: at });
    const last = proofs.at(-1);
    if (last === undefined || last.endedAt !== undefined) continue;
    const end = PROOF_ENDS.find((one) => one === event);
    if (event === 'reading' && last.readingAt === undefined)
      proofs[proofs.length - 1] = { ...last, readingAt: at };
    if (event === 'done') proofs[proofs.length - 1] = { ...last, doneAt: at };
    if (end !== undefined) proofs[proofs.length - 1] = { ...last, endedAt: at, end };
  }
  return proofs;
}

/** The proof that is in work at that moment, within one life. */
export function proofAt({ proofs }: Life, at: number): Proof | undefined {
  return proofs.find(({ askedAt, endedAt }) => askedAt <= at && (endedAt === undefined || endedAt > at));
}

export function lifeAt<T extends { readonly from: number; readonly to: number }>(
  lives: readonly T[],
  at: number,
): T | undefined {
  return lives.findLast(({ from, to }) => from <= at && at < to);
}

export function activityAt(lives: readonly Life[], at: number): ProverActivity {
  const life = lifeAt(lives, at);
  if (life === undefined) return 'down';
  const proof = proofAt(life, at);
  if (proof === undefined) return 'idle';
  if (proof.doneAt !== undefined && proof.doneAt <= at) return 'done';
  return proof.readingAt !== undefined && proof.readingAt <= at ? 'reading' : 'k2pow';
}

/** Since when the node has wanted a proof of it, at that moment; undefined: it does not. Nothing outlives the node. */
export function wantedSince(node: readonly LedgerEntry[], id: string, at: number): number | undefined {
  const own = node.findLast(
    (entry) =>
      entry.at <= at &&
      (entry.event === 'started' || (entry.id === id && /^wants(-nothing)?$/.test(entry.event))),
  );
  return own?.event === 'wants' ? own.at : undefined;
}
