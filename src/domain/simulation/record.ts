import type { SmesherId } from '../identity/smesher-id.ts';

/** A stretch of time in the life of one identity, milliseconds since 1970. */
export interface Span {
  /** `held` lies over what it was held in. */
  readonly kind: 'preparing' | 'k2pow' | 'reading' | 'waiting-for-node' | 'held';
  readonly from: number;
  readonly to: number;
}

/** What became of one identity. */
export interface SimulatedIdentity {
  readonly id: SmesherId;
  readonly name: string;
  readonly disk: string;
  readonly units: number;
  /** When the node began to want the proof. */
  readonly wantedAt?: number;
  readonly starts: readonly number[];
  readonly spans: readonly Span[];
  /** The node has the proof. */
  readonly doneAt?: number;
  readonly publishedAt?: number;
  /** For the round after the gap; absent: too late, or nothing to register with. */
  readonly registeredAt?: number;
}

export interface LostWork {
  readonly id: SmesherId;
  readonly name: string;
  readonly at: number;
  /** `ours`: an act of the policy. */
  readonly cause: LossCause;
  readonly workedMs: number;
}

export type LossCause = 'ours' | 'crash' | 'oom' | 'person' | 'node';

/** More at once than the policy allows. */
export interface Violation {
  readonly kind: 'disk' | 'k2pow' | 'remote-k2pow' | 'memory' | 'threads';
  /** Disk or address; empty for the host. */
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly most: number;
  readonly names: readonly string[];
}

export interface ActDone {
  readonly at: number;
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  /** Asked once more, it had something to lose, or it was already so. */
  readonly refused?: true;
}

export interface SimulationResult {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly identities: readonly SimulatedIdentity[];
  /** From the first demand to the last proof; absent: somebody was not served. */
  readonly makespanMs?: number;
  readonly peakMemoryBytes: number;
  readonly lost: readonly LostWork[];
  readonly violations: readonly Violation[];
  readonly acts: readonly ActDone[];
  readonly decisions: number;
  /** Provers that run at the end, and those that a quota holds. */
  readonly running: readonly string[];
  readonly held: readonly string[];
  /** It went on acting without end, and the simulation was given up. */
  readonly livelock: boolean;
}

interface Life {
  wantedAt?: number;
  readonly starts: number[];
  readonly spans: Span[];
  doneAt?: number;
  publishedAt?: number;
  registeredAt?: number;
  phase?: { readonly kind: Exclude<Span['kind'], 'held'>; readonly from: number };
  heldSince?: number;
}

interface OpenViolation {
  readonly kind: Violation['kind'];
  readonly what: string;
  readonly from: number;
  most: number;
  names: readonly string[];
}

/** Collects what happens; knows nothing of why. */
export class Recorder {
  readonly lives: readonly Life[];
  readonly lost: LostWork[] = [];
  readonly violations: Violation[] = [];
  readonly acts: ActDone[] = [];
  peakMemoryBytes = 0;
  private readonly open = new Map<string, OpenViolation>();

  constructor(identities: number) {
    this.lives = Array.from({ length: identities }, () => ({ starts: [], spans: [] }));
  }

  life(index: number): Life {
    const life = this.lives[index];
    if (life === undefined) throw new Error(`there is no identity ${index}`);
    return life;
  }

  /** It goes over to another phase, or to none. */
  phase(index: number, at: number, kind?: Exclude<Span['kind'], 'held'>): void {
    const life = this.life(index);
    if (life.phase?.kind === kind) return;
    if (life.phase !== undefined) life.spans.push({ ...life.phase, to: at });
    delete life.phase;
    if (kind !== undefined) life.phase = { kind, from: at };
  }

  held(index: number, at: number, held: boolean): void {
    const life = this.life(index);
    if (held) {
      life.heldSince ??= at;
    } else if (life.heldSince !== undefined) {
      life.spans.push({ kind: 'held', from: life.heldSince, to: at });
      delete life.heldSince;
    }
  }

  /** What is measured against a limit; told again whenever it may have changed. */
  load(
    at: number,
    kind: Violation['kind'],
    what: string,
    value: number,
    limit: number,
    names: () => string[],
  ): void {
    const key = `${kind} ${what}`;
    const before = this.open.get(key);
    if (value > limit) {
      if (before === undefined) this.open.set(key, { kind, what, from: at, most: value, names: names() });
      else if (value > before.most) {
        before.most = value;
        before.names = names();
      }
    } else if (before !== undefined) {
      this.open.delete(key);
      // What begins and ends in the same instant has never been.
      if (at > before.from) this.violations.push({ ...before, to: at });
    }
  }

  /** Closes what is still open. */
  end(at: number): void {
    for (const [key, before] of this.open) {
      this.open.delete(key);
      this.violations.push({ ...before, to: at });
    }
    this.lives.forEach((_, index) => {
      this.phase(index, at);
      this.held(index, at, false);
    });
  }
}
