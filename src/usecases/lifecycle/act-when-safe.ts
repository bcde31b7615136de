import { type ContainerRole, rolesIn } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ORCHESTRATOR } from '../../domain/compose/orchestrator.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { NO_MEMORY, type StopMemory } from '../../domain/proving/stop-memory.ts';
import { proposalsCost } from '../../ui/proposals.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import { formatDuration } from '../../ui/units.ts';
import { renderWaiting } from '../../ui/waiting.ts';
import type { Context } from '../context.ts';
import { askServices } from '../observe/ask-services.ts';
import { lookAtProvers, type ProverLooks, unsafeOf } from './look-at-provers.ts';
import { findMissed } from './proposals.ts';
import {
  type Blocked,
  blockedLines,
  blockedToJson,
  isBlocked,
  lossOf,
  priceLines,
  refusal,
  type TypedCommand,
} from './refuse.ts';

/** What is to be done to containers that may prove. */
export interface LifecycleAct {
  /** Continues `a …`: `stop`, `restart`. */
  readonly verb: 'stop' | 'restart';
  /** `stopped`, `restarted` */
  readonly done: string;
  readonly command: TypedCommand;
  /** Among the containers that are there now; those done already are left out by the caller of this. */
  choose(containers: readonly ObservedContainer[]): readonly ObservedContainer[];
  act(container: ObservedContainer): Promise<void>;
  /** The node goes when no prover is left to wait for: as long as it is up, proofs reach it. */
  readonly nodeLast: boolean;
  /** What it costs to be without the node has been said already. */
  readonly isPriced?: boolean;
}

export interface SafetyOptions {
  /** Does it at once, after saying what it costs. */
  readonly force: boolean;
  /** Waits for safe moments, for that long or, without a time, for as long as it takes. Absent: refuses. */
  readonly wait?: { readonly timeoutMs?: number };
}

/** Without waiting: rounds in which somebody was safe and answered otherwise when asked once more. */
const MOST_ROUNDS = 3;

/** Between two looks while waiting. A proof ends within seconds, and the next one may begin as soon. */
export const LOOK_EVERY_MS = 2000;

/** More at once only wait for each other inside the engine. */
const PARALLEL_ACTS = 8;

const LAST_LOOK_MS = 1500;

/**
 * Acts on containers, each in a moment in which nothing is lost by it: refuses (exit 5), waits, or goes ahead, as the
 * options say. Between the look that decides and the act stands one more question to the very prover, so that a proof
 * that begins meanwhile is not lost. Resolves with what it acted on.
 */
export async function actWhenSafe(
  context: Context,
  project: Project,
  act: LifecycleAct,
  options: SafetyOptions,
): Promise<readonly ObservedContainer[]> {
  const run = new ActRun(context, project, act, options);
  return run.toTheEnd();
}

class ActRun {
  readonly #context: Context;
  readonly #project: Project;
  readonly #act: LifecycleAct;
  readonly #options: SafetyOptions;
  readonly #roleOf: (container: ObservedContainer) => ContainerRole;
  readonly #done: ObservedContainer[] = [];
  #memory: StopMemory = NO_MEMORY;

  constructor(context: Context, project: Project, act: LifecycleAct, options: SafetyOptions) {
    this.#context = context;
    this.#project = project;
    this.#act = act;
    this.#options = options;
    this.#roleOf = rolesIn(project);
  }

  async toTheEnd(): Promise<readonly ObservedContainer[]> {
    const { clock, out, signal } = this.#context;
    const { force, wait } = this.#options;
    const started = clock.now();
    const live = out.live();
    try {
      for (let round = 1; ; round += 1) {
        signal.throwIfAborted();
        const { targets, looks } = await this.#look();
        const blocked = this.#findBlocked(targets, looks);
        const style = momentStyle(looks.timeline, looks.at, (at) => clock.localOffsetMinutes(at));
        if (force && isBlocked(blocked)) {
          out.warn(['--force: this is what it costs', ...indent(priceLines(blocked, style))].join('\n'));
        }
        if (!force && wait === undefined && isBlocked(blocked)) {
          throw refusal(blocked, this.#act.verb, this.#act.command, style, this.#changes());
        }
        if (!force && wait === undefined && round > MOST_ROUNDS) {
          throw refusal(unsteady(targets), this.#act.verb, this.#act.command, style, this.#changes());
        }
        const ready = force ? targets : targets.filter((one) => !this.#waits(one, blocked, looks));
        await this.#actOnAll(ready, looks);
        const left = targets.filter((one) => !this.#done.includes(one));
        if (left.length === 0) return this.#done;
        const waitedMs = clock.now() - started;
        if (wait?.timeoutMs !== undefined && waitedMs >= wait.timeoutMs) {
          throw this.#timedOut(left, blocked, wait.timeoutMs);
        }
        live.update(renderWaiting(this.#waitingFor(left, blocked), waitedMs, style, out.interactive));
        await clock.sleep(LOOK_EVERY_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) throw this.#cancelled();
      throw error;
    } finally {
      live.done();
    }
  }

  async #look(): Promise<{ targets: readonly ObservedContainer[]; looks: ProverLooks }> {
    const docker = await this.#context.ports.docker();
    const containers = (await docker.containers({ project: this.#project.name })).filter(
      ({ oneOff }) => !oneOff,
    );
    const looks = await lookAtProvers(this.#context, this.#project, containers, this.#memory);
    this.#memory = looks.memory;
    // Who was stopped and runs again was started by somebody meanwhile, and has its turn again.
    const doneIds = new Set(this.#act.verb === 'restart' ? this.#done.map(({ id }) => id) : []);
    return { targets: this.#act.choose(containers).filter(({ id }) => !doneIds.has(id)), looks };
  }

  #findBlocked(targets: readonly ObservedContainer[], looks: ProverLooks): Blocked {
    const services = new Set(targets.flatMap(({ service }) => service ?? []));
    const losses = unsafeOf(looks, services).map(lossOf);
    const node =
      targets.some((one) => this.#isNode(one)) && looks.nodeChange.kind === 'waits'
        ? looks.nodeChange
        : undefined;
    return { losses, ...(node === undefined ? {} : { node }) };
  }

  #waits(container: ObservedContainer, { losses, node }: Blocked, looks: ProverLooks): boolean {
    if (this.#isNode(container)) return node !== undefined || (this.#act.nodeLast && losses.length > 0);
    // Without a schedule nobody releases those that it holds: they would be waited for in vain.
    if (container.service === ORCHESTRATOR) return this.#act.nodeLast && losses.length > 0;
    if (this.#roleOf(container) !== 'prover') return false;
    // A container of ours that no look knows: nothing is known of it, and that is unsafe.
    const look = looks.provers.get(container.service ?? '');
    return look === undefined || !look.risk.safe;
  }

  /** Provers at once, the node after them. */
  async #actOnAll(ready: readonly ObservedContainer[], looks: ProverLooks): Promise<void> {
    const queue = ready.filter((one) => !this.#isNode(one));
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        this.#context.signal.throwIfAborted();
        if (!this.#options.force && !(await this.#isStillSafe(next, looks))) continue;
        await this.#act.act(next);
        this.#done.push(next);
      }
    };
    // All to their end, also where one fails: what is said afterwards of what was changed must be true.
    const ended = await Promise.allSettled(Array.from({ length: PARALLEL_ACTS }, work));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    const turnedUnsafe = ready.some((one) => !this.#isNode(one) && !this.#done.includes(one));
    for (const node of ready.filter((one) => this.#isNode(one))) {
      this.#context.signal.throwIfAborted();
      if (turnedUnsafe && this.#act.nodeLast) continue;
      if (ready.length > 1 && !this.#options.force && !(await this.#isNodeStillFree())) continue;
      if (this.#act.isPriced !== true) this.#sayMissed(looks);
      await this.#act.act(node);
      this.#done.push(node);
    }
  }

  /** A missed proposal is a price, no reason to refuse: the next layer may be somebody's, too. */
  #sayMissed(looks: ProverLooks): void {
    const { clock, out } = this.#context;
    const missed = findMissed(this.#project, looks);
    if (missed === undefined) return;
    const style = momentStyle(looks.timeline, looks.at, (at) => clock.localOffsetMinutes(at));
    out.warn(`node: ${proposalsCost(missed, style)}`);
  }

  /** Stopping the others may have taken minutes, and the cycle gap does not wait. */
  async #isNodeStillFree(): Promise<boolean> {
    const { targets, looks } = await this.#look();
    const blocked = this.#findBlocked(targets, looks);
    return targets.every((one) => !this.#isNode(one) || !this.#waits(one, blocked, looks));
  }

  #isNode(container: ObservedContainer): boolean {
    return this.#roleOf(container) === 'node';
  }

  /** The node may have asked it since the look: then it says so itself. */
  async #isStillSafe(container: ObservedContainer, looks: ProverLooks): Promise<boolean> {
    if (this.#roleOf(container) !== 'prover' || container.state !== 'running') return true;
    return answersAsBefore(this.#context, container, looks);
  }

  #waitingFor(left: readonly ObservedContainer[], blocked: Blocked) {
    const node = left.some((one) => this.#isNode(one)) ? blocked.node : undefined;
    return {
      losses: blocked.losses,
      done: this.#done.length,
      doneWord: this.#act.done,
      ...(node === undefined ? {} : { node }),
    };
  }

  #changes(): string {
    if (this.#done.length === 0) return 'Nothing was changed.';
    return `${namesOf(this.#done)} ${this.#done.length === 1 ? 'has' : 'have'} been ${this.#act.done}; nothing else was changed.`;
  }

  #timedOut(left: readonly ObservedContainer[], blocked: Blocked, timeoutMs: number): SmeshError {
    const [itIs, command] = [left.length === 1 ? 'it is' : 'they are', this.#act.command];
    return new SmeshError(
      'no-safe-moment',
      ExitCode.unhealthy,
      `No safe moment for ${namesOf(left)} within ${formatDuration(timeoutMs)}: left as ${itIs}, no proof is lost. ${this.#changes()}`,
      {
        details: blockedLines(blocked),
        hint: `Wait for longer:  ${command} --wait`,
        facts: blockedToJson(blocked),
      },
    );
  }

  #cancelled(): SmeshError {
    return new SmeshError('cancelled', ExitCode.cancelled, `Stopped waiting. ${this.#changes()}`, {
      hint: `Go on later:  ${this.#act.command} --wait`,
    });
  }
}

/**
 * Asks one prover again, right before it is stopped. It must say what it said when it was judged: a proof that begins
 * in the moments between would be lost without anybody having decided it.
 */
export async function answersAsBefore(
  context: Context,
  container: ObservedContainer,
  looks: ProverLooks,
): Promise<boolean> {
  return answersStill(context, container, looks.memory.get(container.id)?.look.status);
}

/** The same of what one look found. */
export async function answersStill(
  { ports }: Pick<Context, 'ports'>,
  container: ObservedContainer,
  judged: string | undefined,
): Promise<boolean> {
  const now = await askServices(ports, [container], LAST_LOOK_MS);
  const status = now.get(container.id)?.kind;
  return status !== undefined && status === judged;
}

/** Safe by every look and never when asked once more: nobody can say what they do. */
function unsteady(containers: readonly ObservedContainer[]): Blocked {
  return {
    losses: containers.map(({ service, name }) => ({
      service: service ?? name,
      why: 'answers otherwise each time that it is asked',
      loses: 'doubt',
    })),
  };
}

function namesOf(containers: readonly ObservedContainer[]): string {
  return enumerate(containers.map(({ service, name }) => service ?? name));
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
