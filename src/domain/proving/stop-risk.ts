import type { ContainerState } from '../compose/observed.ts';
import type { ProofLog } from './proof-log.ts';
import type { ServiceStatus } from './service-status.ts';

/** What is known about one prover at the moment when somebody wants to stop it. */
export interface StopFacts {
  readonly now: number;
  readonly layerMs: number;
  /** Absent: there is no container. */
  readonly container?: ContainerState;
  /** Its CPU is cut down to next to nothing (`isHeld`): it keeps work for later. */
  readonly held?: boolean;
  /** A schedule runs that lets it go on in its turn; false: none does; absent: nobody can tell. */
  readonly heldBySchedule?: boolean;
  /** Of its container. */
  readonly startedAt?: number;
  /** What the service says; absent: it was not or could not be asked. */
  readonly status?: ServiceStatus;
  /** What the node wants of the identity; `unlisted`: the node answered and does not know it. */
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  readonly node: NodeCertainty;
  /** Since when the node wants the proof, from its events; absent: not known. */
  readonly wantedSince?: number;
  /** For how long node and service have answered the same at every look, milliseconds. */
  readonly unchangedMs?: number;
  /** Absent: it was not read, and nothing is concluded from its silence. */
  readonly log?: ProofLog;
  /** Size of the PoST data; absent: no percentage can be told. */
  readonly dataBytes?: number;
}

/**
 * How much the node's word counts. `settled`: synced and up for two layers at least. `fresh`: up for less, when all
 * states read IDLE whatever is due (spacemesh.md §14.2). `down`: its container does not run, so it fetches nothing and
 * asks for nothing. `unknown`: it runs and cannot be asked, or nobody knows whether it runs.
 */
export type NodeCertainty = 'settled' | 'fresh' | 'down' | 'unknown';

/** Nothing is lost by a stop, but something is wrong that a restart mends, or that a person must look at. */
export type SafeTrouble =
  /** Its proof failed and only a restart makes it try again. */
  | 'stuck'
  /** The node wants a proof and has not asked it: wrong key, already registered, half-open connection. */
  | 'not-connected'
  /** It goes through pass after pass without reading anything: its disk is gone. */
  | 'data-gone';

export type StopRisk =
  | { readonly safe: true; readonly why: string; readonly trouble?: SafeTrouble }
  | {
      readonly safe: false;
      /** Continues a sentence that names the prover: `is proving: 41 % read`. */
      readonly why: string;
      /** `work`: it says itself that it has a proof, or works on one. `doubt`: nobody can say that it has not. */
      readonly loses: 'work' | 'doubt';
      /** It says itself that it works on a proof. */
      readonly proving?: true;
      /** The node is settled and has not its key: whatever it works on, nobody will fetch it. */
      readonly nobodyAsks?: true;
      /** Of the data read in this pass; only while it reads. */
      readonly fraction?: number;
    };

export type UnsafeStop = Extract<StopRisk, { safe: false }>;

/** Nothing is known of it: counts as unsafe (design §7). */
export const UNKNOWN_RISK: UnsafeStop = { safe: false, loses: 'doubt', why: 'cannot be asked what it does' };

const MINUTE = 60_000;

/** The node asks within it, and takes note of a proof that it was given (operators.md d.6). */
const HANDOVER_MS = 2 * MINUTE;

/** No disk reads faster; a pass that seems to has read nothing. */
const FASTEST_BYTES_PER_MS = 20e6;

/**
 * Whether a prover can be stopped without losing work, after the table in operators.md §d.6. Everything that is not
 * known to be safe is unsafe. Rows that need time between two looks take it from the memory of looks, from the node's
 * events or from the silence of the service's log, and count as unsafe where none of them tells.
 */
export function judgeStop(facts: StopFacts): StopRisk {
  const { container } = facts;
  if (container === undefined) return { safe: true, why: 'has no container' };
  if (container === 'paused') return doubt('is paused and may hold a proof');
  if (container !== 'running') return { safe: true, why: 'is not running' };
  if (facts.held === true) return doubt(whyHeld(facts));
  const status = facts.status;
  switch (status?.kind) {
    case undefined:
      return UNKNOWN_RISK;
    case 'proving':
      return proving(status.position, facts);
    case 'done-proving':
      return doneProving(facts);
    case 'no-answer':
      return doubt(
        facts.log?.phase.kind === 'preparing'
          ? 'builds the dataset of its k2pow, and answers nothing meanwhile'
          : 'takes connections but does not answer: it prepares a proof, or hangs',
      );
    case 'refused':
      return doubt('runs, but does not answer on its operator port');
    case 'unreachable':
    case 'malformed':
      return doubt(`cannot be asked what it does (${status.reason})`);
    case 'idle':
      return idle(facts);
  }
}

/** What somebody who waits for it has to know: whether it ends by itself, and with what. */
function whyHeld({ heldBySchedule, log }: StopFacts): string {
  if (heldBySchedule === undefined) return 'is held by a CPU quota and keeps its work for later';
  if (!heldBySchedule) {
    return 'is held by a CPU quota and keeps its work for later, and no schedule runs that would release it';
  }
  const phase = log?.phase.kind;
  if (phase === 'reading') return 'is held by the schedule until its disk is free: it has begun to read';
  if (phase === 'k2pow-finished') return 'is held by the schedule until its disk is free: its k2pow is done';
  const does = phase === 'k2pow' || phase === 'preparing' ? `: ${beforeReading(log)}` : '';
  return `is held by the schedule until its disk, or a k2pow slot, is free${does}`;
}

function idle(facts: StopFacts): StopRisk {
  const { node, wanted } = facts;
  // Known to be down is not the same as unreachable: nobody can have asked it, and it holds nothing.
  if (node === 'down') return { safe: true, why: 'is idle, and the node is down' };
  if (node === 'unknown' || wanted === 'unknown') {
    return doubt('says that it is idle, while the node cannot be asked whether it wants a proof');
  }
  if (wanted === 'proving') {
    if (idleWhileWantedMs(facts) <= HANDOVER_MS) {
      return doubt('is about to prove, or has just handed its proof over');
    }
    return { safe: true, why: 'is wanted, but the node does not reach it', trouble: 'not-connected' };
  }
  if (node === 'fresh') {
    return doubt('says that it is idle, while the node has just started and does not yet say what it wants');
  }
  return { safe: true, why: 'is idle, and the node wants nothing of it' };
}

/** For how long it has surely been wanted and idle at once: the longer one of what was seen and what can be concluded. */
function idleWhileWantedMs({ now, unchangedMs, log, wantedSince, startedAt }: StopFacts): number {
  const seen = unchangedMs ?? 0;
  if (log === undefined || wantedSince === undefined || startedAt === undefined) return seen;
  // A service tells at once how it stands to the node: a log without a word of it is kept elsewhere, or cut away.
  if (log.lastProofAt === undefined && log.connection.kind === 'unseen') return seen;
  const idleSince = Math.max(startedAt, log.lastProofAt ?? 0, wantedSince);
  return Math.max(seen, now - idleSince);
}

function doneProving(facts: StopFacts): StopRisk {
  const { node, wanted, log, now, layerMs, unchangedMs } = facts;
  const failed = log?.phase.kind === 'failed' ? log.phase : undefined;
  const failedMs =
    failed === undefined
      ? 0
      : Math.max(unchangedMs ?? 0, failed.since === undefined ? 0 : now - failed.since);
  // Only the log tells a proof that failed from one that waits; without it this is work.
  if (failed !== undefined && node === 'settled' && wanted === 'proving' && failedMs > 2 * layerMs) {
    return { safe: true, why: `cannot prove (${failed.reason}) until it is restarted`, trouble: 'stuck' };
  }
  return {
    safe: false,
    loses: 'work',
    why: 'has a proof that the node has not fetched yet',
    ...forNobody(facts),
  };
}

function forNobody({ node, wanted }: StopFacts): { readonly nobodyAsks?: true } {
  return node === 'settled' && wanted === 'unlisted' ? { nobodyAsks: true } : {};
}

function proving(position: number, facts: StopFacts): StopRisk {
  const { dataBytes, log } = facts;
  if (log !== undefined && hasLostItsData(log, dataBytes)) {
    return { safe: true, why: 'reads nothing in pass after pass: its data are gone', trouble: 'data-gone' };
  }
  const works = { safe: false, loses: 'work', proving: true, ...forNobody(facts) } as const;
  // No field tells k2pow from reading; the position moves only while reading (spacemesh.md §14.1).
  if (position === 0) return { ...works, why: `is proving: ${beforeReading(log)}` };
  if (dataBytes === undefined || dataBytes <= 0) return { ...works, why: 'is proving: reading its data' };
  const fraction = Math.min(position / dataBytes, 1);
  return { ...works, why: `is proving: ${percent(fraction)} read`, fraction };
}

function beforeReading(log: ProofLog | undefined): string {
  const phase = log?.phase;
  switch (phase?.kind) {
    case 'preparing':
      return 'prepares its k2pow';
    case 'k2pow':
      if (phase.group === undefined) return 'k2pow';
      return `k2pow, group ${phase.group}${phase.groups === undefined ? '' : ` of ${phase.groups}`}`;
    case 'k2pow-finished':
      return 'k2pow is done, it begins to read';
    case 'reading':
      return '0 % read';
    case 'found':
    case 'verifying':
      return 'it has just found its proof';
    default:
      return 'k2pow';
  }
}

/**
 * Whether its passes end without having read anything (operators.md d.6). Files that cannot be read are not enough,
 * however many: each of them only ends itself (spacemesh.md §3.2), and the proof may be found in the others.
 */
export function hasLostItsData(log: ProofLog, dataBytes: number | undefined): boolean {
  // A pass that ends at once with a proof has found it early; only one that is followed by another has read it all.
  const wentOn = ['k2pow', 'k2pow-finished', 'reading'].includes(log.phase.kind);
  return (
    wentOn &&
    log.lastPassMs !== undefined &&
    dataBytes !== undefined &&
    // Log times are whole seconds.
    dataBytes / (log.lastPassMs + 1000) > FASTEST_BYTES_PER_MS
  );
}

/** `41 %`; never 100 while it still reads. */
export function percent(fraction: number): string {
  return `${Math.min(Math.floor(fraction * 100), 99)} %`;
}

function doubt(why: string): UnsafeStop {
  return { safe: false, loses: 'doubt', why };
}
