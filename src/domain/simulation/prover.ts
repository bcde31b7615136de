import type { ContainerState } from '../compose/observed.ts';
import type { ReadingSample } from '../proving/identity-state.ts';
import { EMPTY_PROOF_LOG, type ProofLog, readProofLine } from '../proving/proof-log.ts';
import type { ServiceStatus } from '../proving/service-status.ts';
import type { ProverFacts, RestartReason } from '../schedule/observation.ts';
import { PROOF_MEMORY } from '../schedule/policy.ts';
import type { FarmIdentity } from './farm.ts';
import type { PassDraw, ProofDraw } from './proof-luck.ts';

/** What a post-service does, in truth. */
export type Work =
  /** No process. */
  | 'none'
  /** Its port is not open yet. */
  | 'starting'
  | 'idle'
  | 'preparing'
  | 'k2pow'
  | 'reading'
  /** Waits for the node's next question. */
  | 'found'
  | 'verifying'
  /** Ended with an error that only a restart clears. */
  | 'failed';

/** By CPU quota: 1 % of a core, or a tenth of that. */
export type Hold = 'none' | 'held' | 'deep';

/** What the loop remembers of one prover between two looks; gone when the loop dies. */
export interface LoopMemory {
  readonly startedAt: number | undefined;
  readonly wanted: ProverFacts['wanted'];
  readonly status: ServiceStatus['kind'];
  readonly since: number;
  seenAt: number;
  firstSample?: ReadingSample;
}

/** One identity with its container, its process and what the node holds of it. */
export class SimulatedProver {
  readonly plan: FarmIdentity;
  readonly draw: ProofDraw;
  readonly index: number;
  readonly containerId: string;

  state: ContainerState = 'exited';
  hold: Hold = 'none';
  startedAt: number | undefined;
  finishedAt: number | undefined;
  exitCode: number | undefined = 143;
  startError: string | undefined;
  oomKilled = false;
  /** Counts processes: what was meant for one does not reach the next. */
  life = 0;
  /** How often it has been restarted by its policy without running for long. */
  failures = 0;

  work: Work = 'none';
  connected = false;
  halfOpen = false;
  /** Its process has lost sight of the data, until it ends. */
  dataGone = false;
  failsNext = false;
  invalidNext = false;
  /** Of the present phase: milliseconds of one thread, hashes or bytes. */
  left = 0;
  /** Of the same, per millisecond. */
  speed = 0;
  /** Counts passes of this proof. */
  pass = 0;
  /** Which draw the pass is: one in which nothing was read uses none up. */
  drawn = 0;
  group = 0;
  proofSince = 0;
  readingSince = 0;
  datasetMs = 0;
  log: ProofLog = EMPTY_PROOF_LOG;

  /** The node needs a proof of it. */
  demanded = false;
  demandedAt: number | undefined;
  askedAt: number | undefined;
  failedAt: number | undefined;
  /** The node has the proof, and has not yet published. */
  taken = false;
  notBefore = 0;
  /** The next question of the node is under way. */
  questionAt = -1;
  published = false;
  registered = false;
  initialProof: boolean;

  stoppedByPerson = false;
  restarts: Partial<Record<RestartReason, { readonly times: number; readonly at: number }>> = {};
  invalidProofs = 0;
  memory: LoopMemory | undefined;
  /** As it was seen last, and after how many events. */
  seen: { readonly events: number; readonly facts: ProverFacts } | undefined;

  constructor(plan: FarmIdentity, draw: ProofDraw, index: number) {
    this.plan = plan;
    this.draw = draw;
    this.index = index;
    this.containerId = `container-${plan.name}`;
    this.initialProof = plan.demand !== 'initial';
  }

  /** Whether its end would lose something. */
  get worksOnProof(): boolean {
    switch (this.work) {
      case 'preparing':
      case 'k2pow':
      case 'reading':
      case 'found':
      case 'verifying':
        return true;
      default:
        return false;
    }
  }

  get passDraw(): PassDraw {
    const { passes } = this.draw;
    return passes[Math.min(this.drawn, passes.length - 1)] ?? { groupHashes: [], fraction: 1 };
  }

  /** This pass finds the proof, if it reads. */
  get finds(): boolean {
    return this.drawn >= this.draw.passes.length - 1;
  }

  get nonces(): { readonly start: number; readonly end: number } {
    const width = this.plan.settings.nonces;
    return { start: this.pass * width, end: (this.pass + 1) * width };
  }

  /** Bytes that the present pass has read. */
  get position(): number {
    if (this.work !== 'reading') return 0;
    return Math.max(0, this.passDraw.fraction * this.plan.bytes - this.left);
  }

  /**
   * What it keeps allocated: from its start until the proof is found (spacemesh.md §3.3). The 256 MiB of the seconds in
   * which it is checked are left out.
   */
  get memoryBytes(): number {
    if (!this.worksOnProof || this.work === 'found' || this.work === 'verifying') return 0;
    const { remoteK2pow, randomx } = this.plan.settings;
    return remoteK2pow === undefined ? PROOF_MEMORY[randomx] : PROOF_MEMORY.remote;
  }

  /** Of its dataset, 0 to 1. */
  get datasetBuilt(): number {
    return this.work === 'preparing' && this.datasetMs > 0 ? 1 - this.left / this.datasetMs : 1;
  }

  /** Of the CPU that it would use, what the quota leaves, for one thread. */
  get quota(): number {
    return this.hold === 'none' ? 1 : this.hold === 'held' ? 0.01 : 0.001;
  }

  /** A line of its log, in the words of the real one; times are whole seconds there. */
  write(at: number, target: string, message: string, level = 'INFO '): void {
    const time = `${new Date(Math.floor(at / 1000) * 1000).toISOString().slice(0, 19)}Z`;
    this.log = readProofLine(this.log, `[${time} ${level} ${target}] ${message}`);
  }
}
