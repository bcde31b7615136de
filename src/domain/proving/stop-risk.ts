import type { ContainerState } from '../compose/observed.ts';
import type { ServiceStatus } from './service-status.ts';

/** What is known about one prover at the moment when somebody wants to stop it. */
export interface StopFacts {
  /** Absent: there is no container. */
  readonly container?: ContainerState;
  /** What the service says; absent: it was not or could not be asked. */
  readonly status?: ServiceStatus;
  /** What the node wants of the identity; `unlisted`: the node answered and does not know it. */
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  readonly node: NodeCertainty;
  /** Size of the PoST data; absent: no percentage can be told. */
  readonly dataBytes?: number;
}

/**
 * How much the node's word counts. `settled`: synced and up for two layers at least. `fresh`: up for less, when all
 * states read IDLE whatever is due (spacemesh.md §14.2). `down`: it does not run, so it fetches nothing.
 */
export type NodeCertainty = 'settled' | 'fresh' | 'down' | 'unknown';

export type StopRisk =
  | { readonly safe: true; readonly why: string }
  | {
      readonly safe: false;
      /** Continues a sentence that names the prover: `is proving: 41 % read`. */
      readonly why: string;
      /** It says itself that it works on a proof. */
      readonly proving?: true;
      /** Of the data read in this pass; only while it reads. */
      readonly fraction?: number;
    };

/** Nothing is known of it: counts as unsafe (design §7). */
export const UNKNOWN_RISK: StopRisk = { safe: false, why: 'cannot be asked what it does' };

/**
 * Whether a prover can be stopped without losing work, after the table in operators.md §d.6. Everything that is not
 * known to be safe is unsafe. What needs two looks with time between them (stuck, not connected) is left to the schedule
 * and counts as unsafe here.
 */
export function judgeStop(facts: StopFacts): StopRisk {
  const { container } = facts;
  if (container === undefined) return { safe: true, why: 'has no container' };
  if (container === 'paused') return unsafe('is paused and may hold a proof');
  if (container !== 'running') return { safe: true, why: 'is not running' };
  const status = facts.status;
  switch (status?.kind) {
    case undefined:
      return UNKNOWN_RISK;
    case 'proving':
      return proving(status.position, facts.dataBytes);
    case 'done-proving':
      return unsafe('has a proof that the node has not fetched yet');
    case 'no-answer':
      return unsafe('takes connections but does not answer: it prepares a proof, or is held');
    case 'refused':
      return unsafe('runs, but does not answer on its operator port');
    case 'unreachable':
    case 'malformed':
      return unsafe(`cannot be asked what it does (${status.reason})`);
    case 'idle':
      return idle(facts);
  }
}

function idle({ node, wanted }: StopFacts): StopRisk {
  if (node === 'down') return { safe: true, why: 'is idle, and the node is down' };
  if (node === 'unknown' || wanted === 'unknown') {
    return unsafe('says that it is idle, but the node cannot be asked whether it wants a proof');
  }
  if (wanted === 'proving') return unsafe('is about to prove, or has just handed its proof over');
  if (node === 'fresh') {
    return unsafe('says that it is idle, but the node has just started and does not yet say what it wants');
  }
  return { safe: true, why: 'is idle, and the node wants nothing of it' };
}

function proving(position: number, dataBytes: number | undefined): StopRisk {
  // No field tells k2pow from reading; the position moves only while reading (spacemesh.md §14.1).
  if (position === 0) return { safe: false, why: 'is proving: k2pow', proving: true };
  if (dataBytes === undefined || dataBytes <= 0) {
    return { safe: false, why: 'is proving: reading its data', proving: true };
  }
  const fraction = Math.min(position / dataBytes, 1);
  return { safe: false, why: `is proving: ${percent(fraction)} read`, proving: true, fraction };
}

/** `41 %`; never 100 while it still reads. */
export function percent(fraction: number): string {
  return `${Math.min(Math.floor(fraction * 100), 99)} %`;
}

function unsafe(why: string): StopRisk {
  return { safe: false, why };
}
