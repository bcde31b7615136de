import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from './journal.ts';
import type { Moves } from './moves.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What disturbs a gap. */
export const GAP_DISTURBANCES = [
  'wait',
  'pause',
  'half-open',
  'hold',
  'force',
  'wait',
  'node-stop',
  'kill-waiting',
  'docker-kill',
  'paused-wait',
] as const;

export type GapDisturbance = (typeof GAP_DISTURBANCES)[number];

/** Moves that only say something while identities prove. */
export class GapMoves {
  readonly #moves: Moves;
  readonly #journal: Journal;
  readonly #world: World;
  readonly #random: Random;

  constructor(moves: Moves) {
    this.#moves = moves;
    this.#journal = moves.journal;
    this.#world = moves.world;
    this.#random = moves.random;
  }

  /** @param closes of the gap that is open. False: at this moment it would say nothing, and nothing was done. */
  async disturb(kind: GapDisturbance, closes: number): Promise<boolean> {
    const left = closes - Date.now();
    const proving = this.#random.pick(this.#moves.proving());
    switch (kind) {
      case 'wait': {
        const service = this.#moves.leastExecuted(['k2pow', 'reading', 'done-proving']);
        if (service === undefined || !this.#moves.nodeIsSettled || left < 3000) return false;
        await this.#moves.waitFor(service, this.#random.chance(0.7) ? 'restart' : 'stop');
        return true;
      }
      case 'pause':
        return this.#while(proving, 'pause', 'unpause');
      case 'hold':
        return this.#while(proving, 'hold', 'release');
      case 'half-open':
        return this.#halfOpen(closes);
      case 'paused-wait':
        return this.#waitForPaused(this.#random.pick(this.#world.inState('idle')), left);
      case 'force':
        return this.#force(proving);
      case 'node-stop':
        return this.#withoutNode(closes);
      case 'kill-waiting':
        if (proving === undefined) return false;
        await this.#moves.killed(['stop', proving, '--wait'], [proving], [1000, 4000]);
        return true;
      case 'docker-kill':
        if (proving === undefined) return false;
        await this.#moves.kill(proving);
        await this.#moves.start(proving);
        return true;
    }
  }

  /** Ends what lasts. */
  async end(): Promise<void> {
    if (this.#world.halfOpen.size > 0) await this.#moves.halfOpen([]);
  }

  /** Tries the tool on one that has been put into a state by somebody else, then ends that state. */
  async #while(
    service: string | undefined,
    enter: 'pause' | 'hold',
    leave: 'unpause' | 'release',
  ): Promise<boolean> {
    if (service === undefined) return false;
    await this.#moves[enter](service);
    await this.#moves.tryOn(service);
    await this.#moves.tryOn(service);
    await this.#moves[leave](service);
    return true;
  }

  async #waitForPaused(service: string | undefined, left: number): Promise<boolean> {
    if (service === undefined || left < 3000) return false;
    const from = Date.now();
    await this.#moves.pause(service);
    const run = await this.#journal.tool(['restart', service, '--wait', '20s'], {
      targets: [service],
      mayEnd: [0, 6],
      meanwhile: async () => {
        await sleep(2500);
        await this.#moves.unpause(service);
      },
    });
    this.#journal.excuse([service], 'paused', from, Date.now());
    await this.#moves.after('restart', service, run);
    return true;
  }

  /** The node wants a proof of somebody whom it cannot reach. */
  async #halfOpen(closes: number): Promise<boolean> {
    const world = this.#world;
    const epoch = world.times.epochAt(Date.now());
    // Only while it still has to be asked: afterwards nobody wants anything of it.
    const early = Date.now() < world.times.gapOpens(epoch) + 3000;
    const service =
      this.#random.pick(world.inState('wanted')) ??
      (early ? this.#random.pick(world.inState('idle')) : undefined);
    if (service === undefined || closes - Date.now() < 8000) return false;
    await this.#moves.halfOpen([service]);
    const isWanted = await world.until(() => (world.wantedFor(service) ?? 0) > 4500, 6000);
    if (isWanted && world.statesOf(service).includes('wanted')) await this.#moves.tryOn(service);
    await this.#moves.halfOpen([]);
    return true;
  }

  async #force(service: string | undefined): Promise<boolean> {
    if (service === undefined) return false;
    const command = this.#random.chance(0.5) ? 'stop' : 'restart';
    const from = Date.now();
    const run = await this.#journal.tool([command, service, '--force'], { targets: [service], mayEnd: [0] });
    this.#journal.excuse([service], 'forced', from, Date.now());
    await this.#moves.after(command, service, run);
    return true;
  }

  /** The node is down, and those who prove go on. */
  async #withoutNode(closes: number): Promise<boolean> {
    if (this.#moves.proving().length === 0 || closes - Date.now() < 8000) return false;
    await this.#moves.stopNode();
    for (const service of this.#random.shuffle(this.#moves.proving()).slice(0, 2))
      await this.#moves.tryOn(service);
    await this.#moves.startNode();
    return true;
  }
}
