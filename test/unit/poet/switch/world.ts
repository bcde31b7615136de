import { parseSmesherId, type SmesherId } from '../../../../src/domain/identity/smesher-id.ts';
import { type EpochClock, epochAt, roundEnd, roundStart } from '../../../../src/domain/poet/epochs.ts';
import {
  decideSwitch,
  type SwitchAct,
  type SwitchDecision,
  type SwitchObservation,
} from '../../../../src/domain/poet/switch/decide.ts';
import { type StageRows, stageOf } from '../../../../src/domain/poet/switch/stages.ts';
import { outcomeOf } from '../../../../src/domain/poet/switch/window.ts';

/** Settings of a node: its rhythm and the list. */
export interface Settings {
  readonly clock: EpochClock;
  readonly addresses: readonly string[];
}

interface Challenge {
  readonly epoch: number;
  registrations: { readonly address: string; readonly clock: EpochClock }[];
}

interface Smesher {
  readonly id: SmesherId;
  readonly name: string;
  /** From the end of a round to the ATX. */
  readonly delay: () => number;
  due: number | undefined;
  challenge: Challenge | undefined;
  readonly published: number[];
  hasPost: boolean;
}

export interface WorldOptions {
  readonly from: Settings;
  readonly to: Settings;
  readonly smeshers: number;
  readonly leadMs: number;
  /** How long the node really takes. */
  readonly startMs: number;
  readonly random: () => number;
  /** Whether an epoch may be lost where it could be had for nothing in another gap. */
  readonly agrees: boolean;
}

/** A node with its database, as far as spacemesh.md §6.4 and §14.7 tell what it does, and a tool that may be killed. */
export class World {
  now: number;
  written: 'present' | 'target' = 'present';
  node: { up: boolean; failing: boolean; runs: 'present' | 'target'; readyAt: number };
  record: { nodeRan: boolean; backedUp: boolean; promised: { round: number; lost: number } } | undefined;
  readonly smeshers: Smesher[];
  readonly faults: string[] = [];
  readonly #options: WorldOptions;

  constructor(options: WorldOptions, now: number) {
    this.#options = options;
    this.now = now;
    this.node = { up: true, failing: false, runs: 'present', readyAt: now };
    this.smeshers = Array.from({ length: options.smeshers }, (_, index) => ({
      id: parseSmesherId((index + 1).toString(16).padStart(64, '0')) as SmesherId,
      name: `post-${index + 1}`,
      // A slow disk is not the tool's doing: everybody has published well before the round begins.
      delay: () =>
        5 +
        Math.floor(options.random() * 0.4 * Math.min(options.from.clock.cycleGap, options.to.clock.cycleGap)),
      due: undefined,
      challenge: undefined,
      published: [],
      hasPost: true,
    }));
  }

  get agrees(): boolean {
    return this.#options.agrees;
  }

  settings(which: 'present' | 'target'): Settings {
    return which === 'present' ? this.#options.from : this.#options.to;
  }

  pass(time: number): void {
    for (let left = Math.ceil(time); left > 0; left -= 1) {
      this.now += 1;
      if (this.node.up && this.now >= this.node.readyAt)
        for (const smesher of this.smeshers) this.#work(smesher);
    }
  }

  #work(smesher: Smesher): void {
    const { clock, addresses } = this.settings(this.node.runs);
    const epoch = epochAt(clock, this.now);
    if (smesher.challenge !== undefined && smesher.challenge.epoch < epoch) smesher.challenge = undefined;
    if (smesher.challenge === undefined) {
      let round = Math.max(epoch, smesher.published.at(-1) ?? 0);
      if (this.now >= roundStart(clock, round)) round += 1;
      if (this.now < roundStart(clock, round) - clock.gracePeriod) return;
      smesher.challenge = { epoch: round + 1, registrations: [] };
      smesher.due = undefined;
    }
    const { challenge } = smesher;
    const round = challenge.epoch - 1;
    const listed = challenge.registrations.filter(({ address }) => addresses.includes(address));
    if (this.now < roundStart(clock, round)) {
      for (const address of addresses) {
        if (!listed.some((one) => one.address === address)) challenge.registrations.push({ address, clock });
      }
      const rhythms = new Set(
        challenge.registrations.map((one) => `${one.clock.phaseShift} ${one.clock.cycleGap}`),
      );
      if (rhythms.size > 1) this.faults.push(`${smesher.name} is registered for overlapping rounds`);
      return;
    }
    if (listed.length === 0) {
      if (challenge.registrations.length === 0) smesher.challenge = undefined;
      else this.node = { ...this.node, up: false, failing: true };
      return;
    }
    const end = roundEnd(clock, round);
    if (this.now < end) return;
    smesher.due ??= end + smesher.delay();
    if (this.now < smesher.due) return;
    if (smesher.published.includes(challenge.epoch))
      this.faults.push(`${smesher.name} publishes epoch ${challenge.epoch} twice`);
    smesher.published.push(challenge.epoch);
    smesher.challenge = undefined;
    smesher.due = undefined;
  }

  rows({ challenge, hasPost }: Smesher): StageRows {
    return {
      post: hasPost,
      nipost: false,
      registrations: (challenge?.registrations ?? []).map(({ address }) => ({
        address,
        roundId: `${(challenge?.epoch ?? 0) - 1}`,
      })),
      ...(challenge === undefined
        ? {}
        : { challenge: { publishEpoch: challenge.epoch, hasPoetProof: false } }),
    };
  }

  look(): SwitchObservation {
    const { from, to, leadMs } = this.#options;
    const down = !this.node.up;
    const stagesBy = (clock: EpochClock) =>
      this.smeshers.map((one) => ({
        smesher: one.id,
        name: one.name,
        stage: stageOf(
          {
            smesher: one.id,
            name: one.name,
            rows: this.rows(one),
            ...(down ? {} : { published: one.published }),
          },
          clock,
          this.now,
          down,
        ),
      }));
    const registered = stagesBy(to.clock).flatMap(({ smesher, stage }) =>
      'addresses' in stage && stage.addresses.some((address) => to.addresses.includes(address))
        ? [smesher]
        : [],
    );
    return {
      identities: stagesBy(from.clock),
      rhythms: { from: from.clock, to: to.clock },
      sameRounds: from.clock.phaseShift === to.clock.phaseShift && from.clock.cycleGap === to.clock.cycleGap,
      targetAddresses: to.addresses,
      leadMs,
      written: this.written,
      node: this.node.failing ? 'failing' : this.node.up ? 'up' : 'down',
      nodeIsCurrent: this.node.runs === this.written,
      begun: {
        nodeRan: this.record?.nodeRan ?? false,
        backedUp: this.record?.backedUp ?? false,
        ...(this.record === undefined ? {} : { promised: this.record.promised }),
      },
      targetFaults: [],
      rows: { ok: true, rows: { file: 'local.sql', tables: [] } },
      registered: new Set(this.written === 'target' ? registered : []),
    };
  }

  startNode(): void {
    this.node = { up: true, failing: false, runs: this.written, readyAt: this.now + this.#options.startMs };
  }
}

/** Thrown in the middle of an act, as SIGKILL would end it. */
export class Killed extends Error {}

/** What the tool does with each decision; `moment` is called at every point at which it could be killed. */
export function perform(world: World, act: SwitchAct, decision: SwitchDecision, moment: () => void): void {
  const record = world.record;
  if (record === undefined) throw new Error('an act without a record');
  const outcome = decision.kind === 'act' ? decision.outcome : undefined;
  moment();
  switch (act) {
    case 'back-up':
      world.record = { ...record, backedUp: true };
      break;
    case 'stop-node':
      world.record = {
        ...record,
        nodeRan: true,
        promised: { ...record.promised, round: outcome?.round ?? record.promised.round },
      };
      moment();
      world.node = { ...world.node, up: false };
      break;
    case 'write-target':
      for (const one of world.smeshers) {
        const needed = one.challenge?.registrations.length ?? 0;
        if (needed > 0 && !world.look().sameRounds)
          world.faults.push(`${one.name} had something registered when the list was written`);
      }
      world.written = 'target';
      break;
    case 'start-node':
      world.startNode();
      break;
    case 'start-unchanged':
      world.startNode();
      moment();
      world.record = { ...record, nodeRan: false };
      break;
  }
  moment();
}

/** One life of the tool: until it is done, killed, or out of patience. */
export function runTool(
  world: World,
  moment: () => void,
  until: number,
  random: () => number,
): SwitchDecision['kind'] | 'late' {
  for (;;) {
    if (world.now >= until) return 'late';
    const decision = decideSwitch(world.look(), world.now);
    if (decision.kind === 'done' || decision.kind === 'refuse' || decision.kind === 'cure')
      return decision.kind;
    if (world.record === undefined) {
      const { rhythms, leadMs } = world.look();
      const at = decision.kind === 'wait' ? (decision.next?.opens ?? world.now) : world.now;
      const { round, lostEpochs } = outcomeOf(rhythms, at + leadMs);
      world.record = {
        nodeRan: false,
        backedUp: false,
        promised: { round, lost: world.agrees ? Math.max(1, lostEpochs.length) : lostEpochs.length },
      };
      moment();
    }
    if (decision.kind === 'act') perform(world, decision.act, decision, moment);
    world.pass(decision.kind === 'act' ? 1 + random() * 2 : 3 + random() * 10);
  }
}
