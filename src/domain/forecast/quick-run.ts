import type { SmesherId } from '../identity/smesher-id.ts';
import { diskRate, prepareMs } from '../schedule/estimates.ts';
import type { ProofDraw } from '../simulation/proof-luck.ts';
import { type ForecastInput, scanRate } from './input.ts';
import { costOf, Job, type JobPhase } from './quick-job.ts';
import { QuickRoom } from './quick-room.ts';
import { turnsOf } from './quick-turns.ts';

/*
 * The schedule in short, for being run hundreds of times: the same budgets and the same order as `decide`, but identities
 * go from phase to phase without containers, polls, logs and looks. How far it is from the schedule itself is measured by
 * every forecast on the same luck (`forecast.ts`).
 */

/** Container, connection and the node's next question. */
const START_MS = 4000;

/** Check of the proof, hand-over, and the ATX (the simulator's usual times). */
const CLOSE_MS = 8000;

export interface QuickRun {
  readonly jobs: readonly Job[];
  readonly peakMemoryBytes: number;
  /** Most that had begun and were not done. */
  readonly mostAtOnce: number;
  /** Milliseconds from the beginning until the last one is done. */
  readonly endMs: number;
}

/**
 * One run of all identities with their luck, in milliseconds from the moment when the node wants the proofs.
 *
 * @param registerMs how long there is until registration closes: the order depends on it
 */
export function quickRun(
  input: ForecastInput,
  draws: ReadonlyMap<SmesherId, ProofDraw>,
  registerMs: number,
): QuickRun {
  return new Runner(input, draws, registerMs).run();
}

class Runner {
  private readonly input: ForecastInput;
  private readonly jobs: readonly Job[];
  private readonly registerMs: number;
  /** Who may read, by disk. */
  private readonly owners = new Map<string, Job>();
  private readonly scanPerCore: number;
  /** Begun and not done. */
  private active: Job[] = [];
  private waiting: readonly Job[];
  private now = 0;
  private peakMemoryBytes = 0;
  private mostAtOnce = 0;

  constructor(input: ForecastInput, draws: ReadonlyMap<SmesherId, ProofDraw>, registerMs: number) {
    this.input = input;
    this.registerMs = registerMs;
    this.jobs = input.identities.map((identity) => {
      const draw = draws.get(identity.id);
      if (draw === undefined) throw new Error(`${identity.name} has no draw`);
      return new Job(identity, draw, costOf(identity, input.policy));
    });
    this.waiting = this.jobs;
    const most = Math.max(16, ...input.identities.map(({ settings }) => settings.nonces));
    this.scanPerCore = scanRate(most);
  }

  run(): QuickRun {
    for (;;) {
      this.admit();
      this.setSpeeds();
      const next = this.nextEnd();
      if (next === undefined) break;
      this.advance(next);
    }
    const endMs = Math.max(0, ...this.jobs.map(({ doneAt }) => doneAt ?? 0));
    const { jobs, peakMemoryBytes, mostAtOnce } = this;
    return { jobs, peakMemoryBytes, mostAtOnce, endMs };
  }

  private nextEnd(): number | undefined {
    let next: number | undefined;
    for (const { speed, left } of this.active) {
      if (speed > 0) next = Math.min(next ?? Number.POSITIVE_INFINITY, left / speed);
    }
    return next;
  }

  private advance(ms: number): void {
    this.now += ms;
    let ended = false;
    for (const job of this.active) {
      if (job.speed === 0) continue;
      job.left -= job.speed * ms;
      if (job.left <= job.speed * 1e-3) this.step(job);
      ended ||= job.phase === 'done';
    }
    if (ended) this.active = this.active.filter(({ phase }) => phase !== 'done');
  }

  /** It is done with its phase. */
  private step(job: Job): void {
    const { now } = this;
    switch (job.phase) {
      case 'preparing':
        job.enter('wants-k2pow', now, 0);
        break;
      case 'k2pow':
        job.enter('held', now, 0);
        break;
      case 'reading':
        job.pass += 1;
        if (job.pass < job.draw.passes.length) job.enter('wants-k2pow', now, 0);
        else {
          this.owners.delete(job.identity.disk);
          job.enter('closing', now, CLOSE_MS);
        }
        break;
      case 'closing':
        job.doneAt = now;
        job.enter('done', now, 0);
        break;
      default:
        break;
    }
  }

  /** Gives disks, slots and memory to those whose turn it is. */
  private admit(): void {
    this.giveDisks();
    this.giveSlots();
    if (this.waiting.length > 0) this.startMore();
    const memory = this.active.reduce((sum, job) => sum + job.memory, 0);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.active.length);
    this.peakMemoryBytes = Math.max(this.peakMemoryBytes, memory);
  }

  private giveDisks(): void {
    for (const job of this.active) {
      const { disk } = job.identity;
      const rank = RANK[job.phase] ?? -1;
      if (rank < 0 || this.owners.get(disk) === job) continue;
      const owner = this.owners.get(disk);
      const ownerRank = owner === undefined ? -1 : (RANK[owner.phase] ?? -1);
      // Whoever is further has the disk; one that reads keeps it between two passes.
      if (owner === undefined || (owner.pass === 0 && ownerRank < rank && owner.phase !== 'reading')) {
        this.owners.set(disk, job);
      }
    }
    for (const job of this.active) {
      if (job.phase !== 'held' || this.owners.get(job.identity.disk) !== job) continue;
      const fraction = job.draw.passes[job.pass]?.fraction ?? 1;
      job.enter('reading', this.now, job.identity.bytes * fraction);
    }
  }

  private giveSlots(): void {
    const isOwner = (job: Job) => this.owners.get(job.identity.disk) === job;
    const wanting = this.active.filter(({ phase }) => phase === 'wants-k2pow');
    if (wanting.length === 0) return;
    wanting.sort((a, b) => Number(isOwner(b)) - Number(isOwner(a)));
    const { policy } = this.input;
    for (const job of wanting) {
      const used = this.active.filter(
        ({ phase, remote }) => phase === 'k2pow' && remote === job.remote,
      ).length;
      if (used < (job.remote === undefined ? policy.k2powSlots : policy.remoteK2powSlots)) {
        job.enter('k2pow', this.now, hashesOfPass(job));
      }
    }
  }

  /** One for each idle disk, in turn; then, where slots are left, work ahead on busy ones. */
  private startMore(): void {
    const { policy } = this.input;
    const room = new QuickRoom(this.active, policy);
    // Ordering those that wait is what a run takes its time for: only where somebody can start.
    const ahead = this.countAhead();
    const deepest = policy.canHold && policy.worksAhead ? policy.k2powSlots : 0;
    const mayStart = (job: Job) => {
      const { disk } = job.identity;
      return (!this.owners.has(disk) || (ahead.get(disk) ?? 0) < deepest) && this.canStart(job, room);
    };
    if (!this.waiting.some(mayStart)) return;
    const turns = turnsOf(this.jobs, this.registerMs - this.now, policy);
    let isShort = false;
    const left: Job[] = [];
    const busy = new Set(this.owners.keys());
    for (const job of turns) {
      const { disk } = job.identity;
      if (busy.has(disk)) {
        left.push(job);
        continue;
      }
      busy.add(disk);
      if (this.canStart(job, room)) {
        this.start(job, room);
        this.owners.set(disk, job);
      } else isShort = true;
    }
    if (!isShort && deepest > 0) this.startAhead(left, room, ahead);
    this.waiting = this.waiting.filter(({ phase }) => phase === 'waiting');
  }

  /** Those that work ahead, by disk. */
  private countAhead(): Map<string, number> {
    const ahead = new Map<string, number>();
    for (const job of this.active) {
      const { disk } = job.identity;
      if (job.phase === 'closing' || this.owners.get(disk) === job) continue;
      ahead.set(disk, (ahead.get(disk) ?? 0) + 1);
    }
    return ahead;
  }

  private startAhead(left: readonly Job[], room: QuickRoom, ahead: Map<string, number>): void {
    for (let depth = 1; depth <= this.input.policy.k2powSlots; depth += 1) {
      for (const job of left) {
        const { disk, settings } = job.identity;
        if (job.phase !== 'waiting' || (ahead.get(disk) ?? 0) >= depth) continue;
        if (!settings.tellsGroups || settings.nonces <= 16 || !this.canStart(job, room)) continue;
        this.start(job, room);
        ahead.set(disk, (ahead.get(disk) ?? 0) + 1);
      }
    }
  }

  private canStart(job: Job, room: QuickRoom): boolean {
    return room.has(job, START_MS + prepareMs(job.identity.settings, this.input.policy));
  }

  private start(job: Job, room: QuickRoom): void {
    job.startedAt = this.now;
    const prepare = prepareMs(job.identity.settings, this.input.policy);
    job.enter('preparing', this.now, START_MS + prepare);
    this.active.push(job);
    room.take(job);
  }

  private setSpeeds(): void {
    const { policy, remoteHashesPerSecond } = this.input;
    const { rates } = policy;
    const local: Job[] = [];
    for (const job of this.active) {
      switch (job.phase) {
        case 'preparing':
        case 'closing':
          job.speed = 1;
          break;
        case 'k2pow':
          if (job.remote === undefined) local.push(job);
          else job.speed = remoteSpeed(job, remoteHashesPerSecond, rates.datasetMs);
          break;
        case 'reading':
          job.speed = Math.min(diskRate(job.identity.disk, policy), this.scanPerCore * job.cores) / 1000;
          break;
        default:
          job.speed = 0;
      }
    }
    const whole = rates.hashesPerSecond / 1000;
    for (const job of local) {
      const slower = job.identity.settings.randomx === 'light' ? 10 : 1;
      job.speed = Math.min((whole * job.cores) / policy.cores, whole / local.length) / slower;
    }
  }
}

/** How far somebody is who has a claim to its disk. */
const RANK: Readonly<Partial<Record<JobPhase, number>>> = {
  preparing: 0,
  'wants-k2pow': 1,
  k2pow: 2,
  held: 3,
  reading: 4,
};

function hashesOfPass(job: Job): number {
  return (job.draw.passes[job.pass]?.groupHashes ?? []).reduce((sum, each) => sum + each, 0);
}

/** A k2pow-service builds its dataset anew for every nonce group (operators.md d.4). */
function remoteSpeed(job: Job, hashesPerSecond: number, datasetMs: number): number {
  const groups = job.draw.passes[job.pass]?.groupHashes.length ?? 0;
  const hashes = hashesOfPass(job);
  return hashes / ((hashes / hashesPerSecond) * 1000 + groups * datasetMs);
}
