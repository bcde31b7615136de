import { setTimeout as sleep } from 'node:timers/promises';
import type { State } from './acts.ts';
import { GAP_DISTURBANCES, type GapDisturbance, GapMoves } from './gap-moves.ts';
import { type Goals, openGoals } from './goals.ts';
import type { Journal } from './journal.ts';
import { Moves, UNSAFE } from './moves.ts';
import { Deck, type Random } from './random.ts';
import type { World } from './world.ts';

/** Between two gaps, with the node left in peace: in the gap its word counts. */
const CALM = ['kill-up', 'upgrade', 'kill-upgrade', 'images', 'edit', 'compose-up'] as const;
/** The others: in the gap the node has just started, or has to be started. */
const ROUGH = [
  'node-restart',
  'engine-restart',
  'down-up',
  'node-upgrade',
  'stop-all',
  'compose-restart',
] as const;
const SMALL = ['stop', 'restart', 'edit', 'compose-stop', 'kill-stop'] as const;

/** What is begun later than so long before the gap would not be over when it opens. */
const BIG_ACT_MS = 13_000;
const SMALL_ACT_MS = 8500;

export interface ChaosSettings {
  /** Epochs in which identities are to publish: 1 to this one. */
  readonly epochs: number;
  /** As long as these are not met it goes on, for at most so many epochs more. */
  readonly goals?: Goals;
  readonly moreEpochs?: number;
}

/** The course of a run: when what is done to whom. Everything random comes from the seed. */
export class Chaos {
  readonly #journal: Journal;
  readonly #world: World;
  readonly #moves: Moves;
  readonly #gapMoves: GapMoves;
  readonly #random: Random;
  readonly #settings: ChaosSettings;
  readonly #gapDeck: Deck<GapDisturbance>;
  readonly #calmDeck: Deck<(typeof CALM)[number]>;
  readonly #roughDeck: Deck<(typeof ROUGH)[number]>;
  readonly #smallDeck: Deck<(typeof SMALL)[number]>;

  constructor(journal: Journal, random: Random, settings: ChaosSettings) {
    this.#journal = journal;
    this.#world = journal.world;
    this.#moves = new Moves(journal, random);
    this.#gapMoves = new GapMoves(this.#moves);
    this.#random = random;
    this.#settings = settings;
    this.#gapDeck = new Deck(random, GAP_DISTURBANCES);
    this.#calmDeck = new Deck(random, CALM);
    this.#roughDeck = new Deck(random, ROUGH);
    this.#smallDeck = new Deck(random, SMALL);
  }

  /** From nothing to the end of the last epoch. */
  async run(): Promise<void> {
    const { times, project } = this.#world;
    this.#world.follow();
    this.#journal.excuse(project.services, 'not yet started');
    await this.#moves.restore();
    const { epochs, moreEpochs = 0 } = this.#settings;
    let last = epochs;
    for (;;) {
      const epoch = Math.max(0, times.epochAt(Date.now()));
      if (epoch > last) {
        if (this.#openGoals().length === 0 || last >= epochs + moreEpochs) break;
        this.#journal.say(`one epoch more, for: ${this.#openGoals().join('; ')}`);
        last += 1;
      }
      if (Date.now() < times.gapCloses(epoch)) await this.#gap(epoch);
      await this.#betweenGaps(
        epoch + 1,
        epoch >= last ? times.epochStart(epoch + 1) : times.gapOpens(epoch + 1),
      );
    }
    await this.#moves.restore();
    this.#world.unfollow();
  }

  #openGoals(): readonly string[] {
    return this.#settings.goals === undefined ? [] : openGoals(this.#settings.goals, this.#journal);
  }

  /** Tries everything while they prove. In epoch 0 there is no gap, but the first proofs of all. */
  async #gap(epoch: number): Promise<void> {
    const closes = this.#world.times.gapCloses(epoch);
    // Who loses the first proof of all registers for nothing, and there is nothing to judge for two epochs.
    let disturbances = epoch === 0 ? 0 : 4;
    let tries = 0;
    while (Date.now() < closes - 1500) {
      if (disturbances > 0 && tries >= 2) {
        disturbances -= 1;
        tries = 0;
        const kind = this.#wantedDisturbance() ?? this.#gapDeck.draw();
        if (!(await this.#gapMoves.disturb(kind, closes))) await this.#tryUnsafe();
      } else {
        tries += 1;
        await this.#tryUnsafe();
      }
    }
    await this.#gapMoves.end();
  }

  /** What would show something that this run has not yet shown. */
  #wantedDisturbance(): GapDisturbance | undefined {
    const { tally } = this.#journal;
    const goals = this.#settings.goals;
    if (goals === undefined) return undefined;
    const isOpen = (state: State) => tally.of('executed', state) < (goals.executed[state] ?? 0);
    if (tally.of('refused', 'paused') < (goals.refused['paused'] ?? 0)) return 'pause';
    if (tally.of('refused', 'held') < (goals.refused['held'] ?? 0)) return 'hold';
    if (isOpen('paused')) return 'paused-wait';
    const waits: readonly State[] = ['k2pow', 'reading', 'done-proving'];
    return waits.some((state) => isOpen(state) && this.#world.inState(state).length > 0) ? 'wait' : undefined;
  }

  /** Whatever has been refused least until now, of all that is the case at this moment. */
  async #tryUnsafe(): Promise<void> {
    const possible = UNSAFE.map((state) => ({ state, services: this.#world.inState(state) }))
      .filter(({ services }) => services.length > 0)
      .map((one) => ({ ...one, refused: this.#journal.tally.of('refused', one.state) + this.#random.next() }))
      .sort((left, right) => left.refused - right.refused);
    const service = this.#random.pick(possible[0]?.services ?? []);
    const how = this.#random.next();
    if (service === undefined) {
      await this.#aimless();
    } else if (how < 0.15 && this.#moves.proving().length > 0) {
      await this.#moves.onEverybody();
    } else if (how < 0.3) {
      this.#moves.edit([service]);
      await this.#moves.applyEdit([service]);
    } else if (await this.#isAlmostSettled(service)) {
      await this.#moves.waitFor(service, 'restart', '15s');
    } else {
      await this.#moves.tryOn(service);
    }
  }

  /** The node's start is nearly forgotten: a wait for that moment is a short one. */
  async #isAlmostSettled(service: string): Promise<boolean> {
    if (this.#journal.tally.of('executed', 'fresh-node') > 0 && this.#random.chance(0.8)) return false;
    return this.#world.statesOf(service).join() === 'fresh-node' && (this.#world.nodeAge() ?? 0) > 14_000;
  }

  /** Nobody proves any more, or nobody yet. */
  async #aimless(): Promise<void> {
    const service = this.#random.pick(this.#world.project.services) ?? '';
    if (this.#random.chance(0.3)) await this.#moves.tryOn(service);
    else await sleep(300);
  }

  /** @param epoch the one whose gap comes next */
  async #betweenGaps(epoch: number, until: number): Promise<void> {
    const left = () => until - Date.now();
    if (left() > BIG_ACT_MS) await this.#bigAct(epoch % 2 === 1);
    while (left() > SMALL_ACT_MS) await this.#smallAct();
    if (left() < 0) return;
    await this.#moves.restore();
    if (left() < 0) return;
    await sleep(left());
    this.#journal.say(`epoch ${epoch}: ${this.#world.summary()}`);
  }

  async #bigAct(rough: boolean): Promise<void> {
    const moves = this.#moves;
    const some = moves.some(4);
    switch (this.#wantedBigAct() ?? (rough ? this.#roughDeck.draw() : this.#calmDeck.draw())) {
      case 'node-restart':
        return moves.restartNode();
      case 'compose-restart':
        return moves.composeRestartNode();
      case 'down-up':
        return moves.everybody('down');
      case 'stop-all':
        return moves.everybody('stop');
      case 'edit':
        moves.edit(some);
        return moves.applyEdit(some);
      case 'kill-up':
        moves.edit(some);
        return moves.killed(['up', '--timeout', '60s'], some, [300, 4500]);
      case 'images':
        moves.changeImages(some);
        this.#journal.excuse(some, 'other images');
        return moves.restore();
      case 'upgrade':
        return moves.upgrade('post-service');
      case 'kill-upgrade':
        return moves.upgrade('post-service', [700, 8000]);
      case 'node-upgrade':
        return moves.upgrade('node');
      case 'compose-up':
        return moves.composeUp();
      case 'engine-restart':
        await moves.restartEngine();
        return moves.restore();
    }
  }

  /** Late in the run, what its cards have not brought. */
  #wantedBigAct(): 'engine-restart' | 'kill-up' | 'upgrade' | undefined {
    const { counts, world } = this.#journal;
    const { goals, epochs } = this.#settings;
    if (goals === undefined || world.times.epochAt(Date.now()) < epochs / 2) return undefined;
    if (counts.engineRestarts < goals.engineRestarts) return 'engine-restart';
    if (counts.upgrades < goals.upgrades) return 'upgrade';
    return counts.killed < goals.killed ? 'kill-up' : undefined;
  }

  async #smallAct(): Promise<void> {
    const moves = this.#moves;
    const service = this.#random.pick(this.#world.project.services) ?? '';
    switch (this.#smallDeck.draw()) {
      case 'stop':
        return moves.tryOn(service, 'stop');
      case 'restart':
        return moves.tryOn(service, 'restart');
      case 'edit': {
        const some = moves.some(3);
        moves.edit(some);
        return moves.applyEdit(some);
      }
      case 'compose-stop':
        await moves.composeStop(service);
        return moves.start(service);
      case 'kill-stop':
        return moves.killed(['stop', service], [service], [200, 1500]);
    }
  }
}
