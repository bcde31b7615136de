import { setTimeout as sleep } from 'node:timers/promises';
import type { State } from './acts.ts';
import type { Journal, ToolRun } from './journal.ts';
import { Outside } from './outside.ts';
import type { Random } from './random.ts';

/** States in which the tool has to refuse, or to wait. */
export const UNSAFE = ['k2pow', 'reading', 'done-proving', 'paused', 'held', 'wanted', 'fresh-node'] as const;

/** Everything that can be done to a project with the tool. Each leaves account of what it made impossible. */
export class Moves extends Outside {
  readonly random: Random;

  constructor(journal: Journal, random: Random) {
    super(journal);
    this.random = random;
  }

  get nodeIsSettled(): boolean {
    const states = new Set(this.services.flatMap((service) => this.world.statesOf(service)));
    return !states.has('fresh-node') && !states.has('node-down');
  }

  /** What was frozen stays unhealthy until its next probe, two minutes later, and `up` rightly says so. */
  private get upMayEnd(): readonly number[] {
    return this.world.wasFrozen(150_000) ? [0, 5, 6] : [0, 5];
  }

  /** Brings everything up, as the operator would: afterwards all are expected to work again. */
  async restore(): Promise<void> {
    const mayEnd = this.upMayEnd.filter((code) => code !== 5);
    const { act } = await this.journal.tool(['up', '--timeout', '60s'], { mayEnd });
    if (act.exit !== 0 && act.exit !== 6) return;
    this.journal.settle(this.services);
    const states = await this.world.containers();
    const down = ['node', ...this.services].filter((service) => states.get(service) !== 'running');
    if (down.length > 0) {
      this.journal.complain(`act ${act.number}, ${act.command} ended, but ${down.join(', ')} is not running`);
    }
  }

  /** Executed or refused, as its state has it. */
  async tryOn(
    service: string,
    command: 'stop' | 'restart' = this.random.chance(0.6) ? 'stop' : 'restart',
  ): Promise<void> {
    // What was stopped a moment ago cannot be restarted, and the tool says so.
    const isDown = this.world.statesOf(service).includes('down');
    const mayEnd = isDown ? [0, 5, 6] : [0, 5];
    const run = await this.journal.tool([command, service], { targets: [service], mayEnd });
    await this.after(command, service, run);
  }

  /** What an executed stop or restart means: it is down until somebody starts it, or was for a moment. */
  async after(command: 'stop' | 'restart', service: string, { act }: ToolRun): Promise<void> {
    if (act.exit !== 0) return;
    const running = (await this.world.containers()).get(service) === 'running';
    if (running !== (command === 'restart')) {
      this.journal.complain(
        `act ${act.number}, ${act.command} ended well, and ${service} is ${running ? 'up' : 'down'}`,
      );
    }
    if (command === 'restart') return this.journal.excuse([service], 'restarted', act.begin, act.end);
    this.journal.excuse([service], 'stopped', act.begin);
    if (this.random.chance(0.6)) await this.start(service);
  }

  async start(service: string): Promise<void> {
    const { act } = await this.journal.tool(['up', service, '--timeout', '60s'], { mayEnd: this.upMayEnd });
    if (act.exit === 0 || act.exit === 6) this.journal.settle([service]);
  }

  /** What is aimed at all at once: one who proves is enough for a refusal. */
  async onEverybody(): Promise<void> {
    const verb = this.random.pick(['stop', 'down', 'node'] as const);
    if (verb === 'node') await this.journal.tool(['restart', 'node']);
    else await this.everybody(verb ?? 'stop');
  }

  async everybody(command: 'down' | 'stop'): Promise<void> {
    const from = Date.now();
    const { act } = await this.journal.tool([command], { targets: this.services });
    if (act.exit !== 0) return;
    this.journal.excuse(this.services, command, from);
    await this.restore();
  }

  /** All provers to the other release, or the node to the next one; those who prove have to be left for later. */
  async upgrade(what: 'node' | 'post-service', killWithin?: readonly [number, number]): Promise<void> {
    const { project, images } = this.world;
    const [choice] = project.choices.provers.values();
    const tagged = project.choices.nodeImage.split('@', 1)[0] ?? '';
    const node = images.nodes[images.nodes.indexOf(tagged) + 1];
    const to = what === 'node' ? node : other(images.provers, choice?.image ?? '');
    if (to === undefined) return;
    const args = ['upgrade', `--${what}`, to, '--timeout', '60s'];
    const targets = what === 'node' ? [] : this.services;
    if (killWithin !== undefined) {
      await this.killed(args, this.services, killWithin);
      return project.readImages();
    }
    const from = Date.now();
    const { act } = await this.journal.tool(args, { targets, mayEnd: [0, 5, 10] });
    project.readImages();
    this.journal.excuse(this.services, 'upgrade', from, Date.now());
    if (act.exit === 0) this.journal.counts.upgrades += 1;
  }

  async restartNode(): Promise<void> {
    const { act } = await this.journal.tool(['restart', 'node']);
    if (act.exit === 0) this.journal.counts.nodeRestarts += 1;
  }

  /** A command is killed at a random moment; the next one has to put right what it left. */
  async killed(
    args: readonly string[],
    targets: readonly string[],
    [least, most]: readonly [number, number],
  ): Promise<void> {
    this.journal.excuse(targets, 'killed command');
    const killAfterMs = Math.round(this.random.between(least, most));
    await this.journal.tool(args, { targets, killAfterMs, mayEnd: [0, 5, 10] });
    await this.restore();
  }

  /** Those who have work to lose: on the way to a proof, or with one. */
  withWork(): readonly string[] {
    return [...this.proving(), ...this.world.inState('done-proving')];
  }

  /** Those on the way to a proof. */
  proving(): readonly string[] {
    return (['k2pow', 'reading'] as const).flatMap((state) => this.world.inState(state));
  }

  /** Somebody in that one of the states in which least has been executed. */
  leastExecuted(states: readonly State[]): string | undefined {
    const [first] = states
      .map((state) => ({
        services: this.world.inState(state),
        done: this.journal.tally.of('executed', state),
      }))
      .filter(({ services }) => services.length > 0)
      .sort((left, right) => left.done - right.done);
    return this.random.pick(first?.services ?? []);
  }

  /** Another number of nonces for some: their containers have to be made anew. */
  edit(services: readonly string[]): void {
    for (const service of services) {
      const choice = this.world.project.choices.provers.get(service);
      if (choice !== undefined) choice.nonces = choice.nonces === 16 ? 32 : 16;
    }
    this.world.project.write();
  }

  /** As somebody does it who edits smesh.yaml: to the other release, and back again. */
  changeImages(services: readonly string[]): void {
    const { choices } = this.world.project;
    for (const service of services) {
      const choice = choices.provers.get(service);
      if (choice !== undefined) choice.image = other(this.world.images.provers, choice.image);
    }
    this.world.project.write();
  }

  some(most: number): readonly string[] {
    return this.random.shuffle(this.services).slice(0, 1 + Math.floor(this.random.next() * most));
  }

  /** Executed where they are idle, put off where they prove. */
  async applyEdit(services: readonly string[]): Promise<void> {
    const named = this.random.chance(0.5) ? services.slice(0, 1) : [];
    const targets = named.length > 0 ? named : services;
    const from = Date.now();
    const { act } = await this.journal.tool(['up', ...named, '--timeout', '60s'], {
      targets: named,
      mayEnd: this.upMayEnd,
    });
    if (act.exit !== 5) this.journal.excuse(targets, 'recreated', from, Date.now());
    if (act.exit === 0 && named.length === 0) this.journal.settle(this.services);
  }

  /** Waits for the safe moment of one that proves; a second command meanwhile must be told that it is busy. */
  async waitFor(service: string, command: 'stop' | 'restart', wait = '25s'): Promise<void> {
    let second: { readonly run: ToolRun; readonly service: string } | undefined;
    let ended = false;
    const first = this.journal
      .tool([command, service, '--wait', wait], {
        targets: [service],
        mayEnd: [0, 6],
        meanwhile: async () => {
          await sleep(1500);
          const another = this.random.pick(this.services.filter((one) => one !== service));
          if (ended || another === undefined) return;
          const run = await this.journal.tool(['restart', another], {
            targets: [another],
            mayEnd: [0, 5, 6, 75],
          });
          second = { run, service: another };
        },
      })
      .finally(() => {
        ended = true;
      });
    const { act, output } = await first;
    await this.after(command, service, { act, output });
    if (second === undefined) return;
    await this.after('restart', second.service, second.run);
    const within = second.run.act.end < act.end;
    if (within && second.run.act.exit !== 75) {
      this.journal.complain(
        `act ${second.run.act.number} ran while act ${act.number}, ${act.command}, had the project`,
      );
    }
  }
}

/** The release that it is not, whether it is named by its tag or pinned to a digest as well. */
function other(images: readonly string[], present: string): string {
  const tagged = present.split('@', 1)[0];
  return images.find((image) => image !== tagged) ?? present;
}
