import type { SchedulePolicy } from '../schedule/policy.ts';
import type { Job } from './quick-job.ts';

/** What the machine has left for one more, counted once and then taken from; as the schedule's own budget. */
export class QuickRoom {
  private readonly policy: SchedulePolicy;
  private readonly remote = new Map<string, number>();
  private count = 0;
  private memory: number;
  private threads: number;
  private threadUsers = 0;
  private slots: number;
  private preparing = 0;
  private soonestEnd = Number.POSITIVE_INFINITY;

  constructor(active: readonly Job[], policy: SchedulePolicy) {
    this.policy = policy;
    this.memory = policy.memoryBytes;
    this.threads = policy.threads ?? Number.POSITIVE_INFINITY;
    this.slots = policy.k2powSlots;
    for (const job of active) this.take(job);
  }

  take(job: Job): void {
    const { phase, remote } = job;
    this.count += 1;
    this.memory -= job.memory;
    const prepares = phase === 'preparing' || phase === 'wants-k2pow';
    if (prepares || phase === 'k2pow' || phase === 'reading') {
      this.threads -= job.cores;
      this.threadUsers += 1;
    }
    if (!prepares && phase !== 'k2pow') return;
    if (remote !== undefined) this.remote.set(remote, this.remoteLeft(remote) - 1);
    else if (prepares) this.preparing += 1;
    else {
      this.slots -= 1;
      if (job.speed > 0) this.soonestEnd = Math.min(this.soonestEnd, job.left / job.speed);
    }
  }

  /** @param prepareMs until it does k2pow: its dataset may be built towards the end of one that runs */
  has(job: Job, prepareMs: number): boolean {
    if (this.count > 0 && this.memory < job.memory) return false;
    if (this.threadUsers > 0 && this.threads < job.cores) return false;
    if (job.remote !== undefined) return this.remoteLeft(job.remote) > 0;
    return this.slots - this.preparing > 0 || (this.preparing === 0 && this.soonestEnd <= prepareMs);
  }

  private remoteLeft(address: string): number {
    return this.remote.get(address) ?? this.policy.remoteK2powSlots;
  }
}
