import { type DoctorFinding, finding } from '../doctor/finding.ts';
import { type EpochClock, roundEnd } from './epochs.ts';

/** What a server said of one round. */
export type RoundWord =
  | { readonly kind: 'proof'; readonly leaves: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface ServerRounds {
  readonly address: string;
  /** The running round and the last finished ones; empty when the server did not answer at all. */
  readonly rounds: readonly { readonly round: number; readonly running: boolean; readonly word: RoundWord }[];
}

/** A PoET may be this late with its proof before it counts as missing: 40 minutes have been seen (operators.md). */
const LATE_MS = 2 * 3_600_000;

/** Work that is less than the best by this share is worth a word. */
const MUCH_LESS = 0.05;

/**
 * What the proofs of the last rounds say. Genesis and epoch length of a PoET cannot be asked for, but a proof exists only
 * after its round's end: one that is there too early, or never, gives away another clock (spacemesh.md §6.4, §7.1). The
 * node takes the proof with most leaves (§7.2), so work is compared.
 */
export function judgeRounds(
  servers: readonly ServerRounds[],
  clock: EpochClock,
  now: number,
): readonly DoctorFinding[] {
  const asked = servers.filter(({ rounds }) => rounds.length > 0);
  if (asked.length === 0) return [];
  const troubles = asked.flatMap((server) => judgeServer(server, clock, now));
  return [...troubles, ...compareWork(asked), unreadTimes(asked)];
}

function judgeServer(
  { address: subject, rounds }: ServerRounds,
  clock: EpochClock,
  now: number,
): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [];
  for (const { round, running, word } of rounds) {
    if (!running || word.kind !== 'proof') continue;
    const ends = new Date(roundEnd(clock, round)).toISOString();
    found.push(
      finding('poet-round-early', {
        subject,
        message: `This PoET has the proof of round ${round} already, which ends only at ${ends} by this project's arithmetic: its genesis or its epoch length is another one`,
        evidence: `round ${round}: ${word.leaves} leaves`,
        measured: { round, leaves: word.leaves },
        remedy:
          'It is no server for this network. Take it out after all identities have published: smesh-compose poet remove ADDRESS',
      }),
    );
  }
  const finished = rounds.filter(
    ({ running, round }) => !running && now - roundEnd(clock, round) >= late(clock),
  );
  const missing = finished.filter(({ word }) => word.kind === 'none').map(({ round }) => round);
  if (missing.length > 0) {
    const never = missing.length === finished.length;
    found.push(
      finding('poet-round-missing', {
        subject,
        message: never
          ? `This PoET has no proof of ${words(missing)}: it is new, it was down, or its genesis or epoch length is another one`
          : `This PoET has no proof of ${words(missing)}: it was down when the round began, or lost it`,
        evidence: rounds.map(({ round, word }) => `${round}: ${wordText(word)}`).join(', '),
        measured: { missing: missing.length, asked: finished.length },
        remedy: 'Keep another one in the list beside it: smesh-compose poet add ADDRESS',
      }),
    );
  }
  return found;
}

/** Where rounds last minutes, nobody is two hours late. */
function late(clock: EpochClock): number {
  return Math.min(LATE_MS, clock.cycleGap);
}

function compareWork(servers: readonly ServerRounds[]): readonly DoctorFinding[] {
  const best = new Map<number, number>();
  const proofs = servers.flatMap(({ address, rounds }) =>
    rounds.flatMap(({ round, running, word }) =>
      word.kind === 'proof' && !running ? [{ address, round, leaves: word.leaves }] : [],
    ),
  );
  for (const { round, leaves } of proofs) best.set(round, Math.max(best.get(round) ?? 0, leaves));
  return proofs.flatMap(({ address: subject, round, leaves }) => {
    const most = best.get(round) ?? leaves;
    const less = 1 - leaves / most;
    if (less <= MUCH_LESS) return [];
    return [
      finding('poet-less-work', {
        subject,
        message: `This PoET did ${Math.round(less * 100)} % less work in round ${round} than the best of the list: an ATX with its proof would weigh that much less, and it is used only when the others fail`,
        evidence: `round ${round}: ${leaves} leaves, the best ${most}`,
        measured: { round, leaves, most },
      }),
    ];
  });
}

function unreadTimes(servers: readonly ServerRounds[]): DoctorFinding {
  const says = servers.map(({ address, rounds }) => {
    const told = rounds.map(
      ({ round, running, word }) => `${round}${running ? ' (runs)' : ''} ${wordText(word)}`,
    );
    return `${address}: ${told.join(', ')}`;
  });
  return finding('poet-times-unread', {
    message:
      'Genesis and epoch length of a PoET cannot be read. What can be: whether it has proofs of exactly the rounds that have ended here',
    evidence: says.join('; '),
    measured: { servers: servers.length },
  });
}

function wordText(word: RoundWord): string {
  switch (word.kind) {
    case 'proof':
      return 'proof';
    case 'none':
      return 'none';
    case 'unknown':
      return `unknown (${word.reason})`;
  }
}

function words(rounds: readonly number[]): string {
  return rounds.length === 1
    ? `round ${rounds[0]}`
    : `rounds ${[...rounds].sort((a, b) => a - b).join(', ')}`;
}
