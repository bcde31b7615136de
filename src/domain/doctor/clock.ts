import { type DoctorFinding, finding } from './finding.ts';
import type { ClockKeeper, PeerComplaints } from './time-daemon.ts';

/** One other clock. */
export interface ClockSample {
  readonly source: string;
  /** What this host's clock lacks: positive when it is behind. */
  readonly offsetMs: number;
  /** How far the offset itself may be wrong. */
  readonly uncertaintyMs: number;
}

export interface ClockFacts {
  readonly now: number;
  readonly samples: readonly ClockSample[];
  /** Sources that said nothing, and why. */
  readonly unknown: readonly { readonly source: string; readonly reason: string }[];
  readonly keepers: readonly ClockKeeper[];
  readonly complaints?: PeerComplaints;
  /** One that ended itself and runs again has been told by nobody since. */
  readonly nodeRuns: boolean;
}

/** What go-spacemesh allows between peers; ten rounds beyond it end the node (spacemesh.md §9.1 hazard 16). */
const LIMIT_MS = 10_000;
/** A clock that somebody keeps is never so far off. */
const DRIFT_MS = 2000;
/** Clocks are compared every half hour, and a good round is not logged: an older complaint is past. */
const ROUND_MS = 31 * 60_000;

const SET_CLOCK = 'Let the system keep the time: sudo timedatectl set-ntp true   (or install chrony)';

/** Decides what other clocks, local programs and the node's peers together say of this host's clock. */
export function judgeClock(facts: ClockFacts): readonly DoctorFinding[] {
  const { samples, unknown, keepers } = facts;
  const found: DoctorFinding[] = [];
  const middle = medianOffset(samples);
  const agreeing = samples.filter((sample) => middle !== undefined && agrees(sample, middle));
  if (middle === undefined) {
    const synchronised = keepers.some((keeper) => keeper.synchronised);
    found.push(
      finding('clock-unknown', {
        message: synchronised
          ? 'No other clock could be asked; the system says that it keeps the time itself'
          : 'No other clock could be asked, so nobody can say whether this one is right',
        evidence: reasons(unknown),
        measured: { sources: 0, synchronised },
        ...(synchronised
          ? {}
          : { remedy: 'Name a time server that can be reached: smesh-compose doctor --ntp HOST' }),
      }),
    );
  } else {
    found.push(judgeOffset(middle, agreeing));
    for (const sample of samples) {
      if (agreeing.includes(sample)) continue;
      found.push(
        finding('clock-sources-disagree', {
          subject: sample.source,
          message: 'This source tells another time than the others, and was left out',
          evidence: `${seconds(sample.offsetMs)} here, ${seconds(middle)} in the middle of ${samples.length} sources`,
          measured: { offsetMs: Math.round(sample.offsetMs), middleMs: Math.round(middle) },
        }),
      );
    }
  }
  if (keepers.length > 0 && keepers.every((keeper) => !keeper.synchronised)) {
    found.push(
      finding('clock-not-kept', {
        message:
          'Nothing on this host corrects the clock: sooner or later it is wrong, and the node ends at 10 s',
        evidence: keepers.map(({ program }) => `${program}: not synchronised`).join(', '),
        remedy: SET_CLOCK,
      }),
    );
  }
  return [...found, ...judgeComplaints(facts, middle)];
}

function judgeOffset(offset: number, samples: readonly ClockSample[]): DoctorFinding {
  const sources = samples.map(({ source }) => source).join(', ');
  const evidence = `${seconds(offset)} by ${samples.length} ${samples.length === 1 ? 'source' : 'sources'}: ${sources}`;
  const measured = { offsetMs: Math.round(offset), sources: samples.length };
  const side = offset > 0 ? 'behind' : 'ahead';
  if (Math.abs(offset) > LIMIT_MS) {
    return finding('clock-off', {
      message: `This host's clock is ${seconds(Math.abs(offset))} ${side}: beyond 10 s the node ends itself, and layers are missed before that`,
      evidence,
      measured,
      remedy: SET_CLOCK,
    });
  }
  if (Math.abs(offset) > DRIFT_MS) {
    return finding('clock-drifting', {
      message: `This host's clock is ${seconds(Math.abs(offset))} ${side}; at 10 s the node ends itself`,
      evidence,
      measured,
      remedy: SET_CLOCK,
    });
  }
  return finding('clock-ok', { message: 'The clock is right', evidence, measured });
}

function judgeComplaints(
  { complaints, now, nodeRuns }: ClockFacts,
  offset: number | undefined,
): readonly DoctorFinding[] {
  if (complaints === undefined) return [];
  const { count, lastAt, lastOffset, ended } = complaints;
  const past = now - lastAt > ROUND_MS && (nodeRuns || !ended);
  const minutes = Math.max(0, Math.round((now - lastAt) / 60_000));
  const right = offset !== undefined && Math.abs(offset) <= DRIFT_MS;
  return [
    finding('clock-peers-complain', {
      severity: past ? 'info' : right ? 'warning' : 'error',
      subject: 'node',
      message:
        ended && !past
          ? "The node has ended itself because its clock differs from its peers'"
          : past
            ? "The node once found that its clock differs from its peers'; since then it has not"
            : "The node finds that its clock differs from its peers'; after ten rounds in a row it ends itself",
      evidence: `${count} in its log, the last ${minutes} min ago${lastOffset === undefined ? '' : ` (${lastOffset})`}; the limit is 10 s`,
      measured: { count, lastOffset: lastOffset ?? null, minutesAgo: minutes, ended },
      ...(past
        ? {}
        : {
            remedy: right
              ? 'The clock is right now: smesh-compose logs node   shows whether it goes on'
              : SET_CLOCK,
          }),
    }),
  ];
}

/** The middle: one source that lies, or two of five, changes nothing. */
export function medianOffset(samples: readonly ClockSample[]): number | undefined {
  if (samples.length === 0) return undefined;
  // A `Date` header has whole seconds: such a source speaks only where there is no better one.
  const best = samples.filter(({ uncertaintyMs }) => uncertaintyMs < 500);
  const offsets = (best.length > 0 ? best : samples).map(({ offsetMs }) => offsetMs).sort((a, b) => a - b);
  const half = Math.floor(offsets.length / 2);
  const [low, high] = [offsets[half - 1] ?? 0, offsets[half] ?? 0];
  return offsets.length % 2 === 1 ? high : (low + high) / 2;
}

function agrees({ offsetMs, uncertaintyMs }: ClockSample, middle: number): boolean {
  return Math.abs(offsetMs - middle) <= DRIFT_MS + uncertaintyMs;
}

function reasons(unknown: ClockFacts['unknown']): string {
  if (unknown.length === 0) return 'no source was named';
  return unknown.map(({ source, reason }) => `${source}: ${reason}`).join('; ');
}

function seconds(ms: number): string {
  const value = ms / 1000;
  return `${Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1)} s`.replace(/^-0\.00 /, '0.00 ');
}
