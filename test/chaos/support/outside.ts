import type { Journal } from './journal.ts';
import type { World } from './world.ts';

/** What happens to a project past the tool: plain Docker and Compose, the engine's restart, a connection that is lost. */
export class Outside {
  readonly journal: Journal;
  readonly world: World;

  constructor(journal: Journal) {
    this.journal = journal;
    this.world = journal.world;
  }

  get services(): readonly string[] {
    return this.world.project.services;
  }

  async pause(service: string): Promise<void> {
    this.world.freeze('paused', service);
    this.journal.excuse([service], 'paused');
    await this.#engine('pause', service);
  }

  async unpause(service: string): Promise<void> {
    await this.#engine('unpause', service);
    this.world.paused.delete(service);
    this.journal.settle([service]);
  }

  /** As the schedule does it: the CPU is cut down to next to nothing, and the work is kept. */
  async hold(service: string): Promise<void> {
    this.world.freeze('held', service);
    this.journal.excuse([service], 'held');
    await this.#engine('update', service, '--cpu-period', '100000', '--cpu-quota', '1000');
  }

  async release(service: string): Promise<void> {
    await this.#engine('update', service, '--cpu-quota', '-1');
    this.world.held.delete(service);
    this.journal.settle([service]);
  }

  halfOpen(services: readonly string[]): Promise<void> {
    return this.journal.other(
      `the node loses the connection of ${services.join(', ') || 'nobody'}`,
      services,
      async () => {
        this.journal.settle([...this.world.halfOpen]);
        this.world.halfOpen.clear();
        for (const service of services) this.world.halfOpen.add(service);
        this.journal.excuse(services, 'half-open');
        this.world.project.setHalfOpen(services);
      },
    );
  }

  async kill(service: string): Promise<void> {
    this.journal.excuse([service], 'killed');
    // The engine answers before the process is gone, and the next act would be blamed.
    const container = await this.world.containerOf(service);
    await this.journal.other(`docker kill ${service}`, [service], async () => {
      await this.world.engine.docker('kill', container);
      await this.world.engine.docker('wait', container);
    });
  }

  async stopNode(): Promise<void> {
    await this.#engine('stop', 'node');
  }

  async startNode(): Promise<void> {
    this.journal.counts.nodeRestarts += 1;
    await this.#engine('start', 'node');
  }

  async composeRestartNode(): Promise<void> {
    this.journal.counts.nodeRestarts += 1;
    await this.journal.other('docker compose restart node', [], () =>
      this.journal.compose('restart', 'node'),
    );
  }

  async composeUp(): Promise<void> {
    this.journal.excuse(this.services, 'plain compose');
    await this.journal.other('docker compose up -d', this.services, () => this.journal.compose('up', '-d'));
    this.journal.settle(this.services);
  }

  async composeStop(service: string): Promise<void> {
    this.journal.excuse([service], 'stopped by compose');
    await this.journal.other(`docker compose stop ${service}`, [service], () =>
      this.journal.compose('stop', service),
    );
  }

  /** Everything ends and comes back by its restart policy; meanwhile the tool has nobody to ask. */
  async restartEngine(): Promise<void> {
    const { engine } = this.world;
    this.journal.excuse(this.services, 'engine restart');
    this.journal.counts.engineRestarts += 1;
    await this.journal.other('the engine stops', this.services, () => engine.stopDaemon());
    this.world.unfollow();
    await this.journal.tool(['stop', this.services[0] ?? ''], { mayEnd: [4] });
    await this.journal.other('the engine starts', this.services, () => engine.startDaemon());
    this.world.follow();
  }

  async #engine(verb: string, service: string, ...options: readonly string[]): Promise<void> {
    await this.journal.other(`docker ${verb} ${[...options, service].join(' ')}`, [service], async () => {
      await this.world.engine.docker(verb, ...options, await this.world.containerOf(service));
    });
  }
}
