import { coresOf, k2powMs, prepareMs, proofMemory, readMs } from '../schedule/estimates.ts';
import type { SchedulePolicy } from '../schedule/policy.ts';
import type { ProofDraw } from '../simulation/proof-luck.ts';
import type { ForecastIdentity } from './input.ts';

export type JobPhase =
  | 'waiting'
  /** Container, connection, the node's question, dataset. */
  | 'preparing'
  /** Its k2pow waits for a slot. */
  | 'wants-k2pow'
  | 'k2pow'
  /** Works ahead: it has done all it can without its disk. */
  | 'held'
  | 'reading'
  /** Check, hand-over and publication. */
  | 'closing'
  | 'done';

export interface JobSpan {
  readonly kind: 'preparing' | 'k2pow' | 'held' | 'reading';
  /** Milliseconds since the first could begin. */
  readonly from: number;
  readonly to: number;
}

/** What one proof takes on the average: what the schedule goes by. */
export interface JobCost {
  readonly cores: number;
  readonly memory: number;
  readonly prepareMs: number;
  readonly k2powMs: number;
  readonly readMs: number;
}

export function costOf({ settings, units, disk, bytes }: ForecastIdentity, policy: SchedulePolicy): JobCost {
  const facts = { settings, units, disk, dataBytes: bytes };
  return {
    cores: coresOf(settings, policy),
    memory: proofMemory(settings),
    prepareMs: prepareMs(settings, policy),
    k2powMs: k2powMs(facts, policy),
    readMs: readMs(facts, policy),
  };
}

/** One identity in a quick run. */
export class Job {
  readonly identity: ForecastIdentity;
  readonly draw: ProofDraw;
  readonly cost: JobCost;
  readonly cores: number;
  readonly memory: number;
  phase: JobPhase = 'waiting';
  pass = 0;
  /** Of this phase: milliseconds, hashes or bytes. */
  left = 0;
  /** Per millisecond. */
  speed = 0;
  startedAt: number | undefined;
  doneAt: number | undefined;
  readonly spans: JobSpan[] = [];
  private phaseSince = 0;

  constructor(identity: ForecastIdentity, draw: ProofDraw, cost: JobCost) {
    this.identity = identity;
    this.draw = draw;
    this.cost = cost;
    this.cores = cost.cores;
    this.memory = cost.memory;
  }

  get remote(): string | undefined {
    return this.identity.settings.remoteK2pow;
  }

  enter(phase: JobPhase, now: number, left: number): void {
    const kind = spanOf(this.phase);
    if (kind !== undefined && now > this.phaseSince)
      this.spans.push({ kind, from: this.phaseSince, to: now });
    this.phase = phase;
    this.phaseSince = now;
    this.left = left;
    this.speed = 0;
  }
}

function spanOf(phase: JobPhase): JobSpan['kind'] | undefined {
  switch (phase) {
    case 'preparing':
    case 'k2pow':
    case 'held':
    case 'reading':
      return phase;
    case 'wants-k2pow':
      return 'held';
    default:
      return undefined;
  }
}
