import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { findingsError } from '../../domain/plan/findings.ts';
import type { ContainerStep, Step } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { releaseLeases } from '../leases/release-leases.ts';
import type { SafetyOptions } from '../lifecycle/act-when-safe.ts';
import { loadProject } from '../load-project.ts';
import { executeUp, type StartedService } from '../up/execute.ts';
import { finishPendingStarts, notePendingStarts } from '../up/pending-starts.ts';
import { type PreparedUp, prepareUp } from '../up/prepare.ts';
import type { ImageUse } from './check.ts';
import { removeRecord, type UpgradeRecord, writeRecord } from './record.ts';
import type { RollFacts, Waiting } from './result.ts';

export interface RollOptions extends SafetyOptions {
  /** How long a node may take to be healthy and in sync. */
  readonly timeoutMs: number;
}

/** What became of some steps. */
export interface Executed {
  readonly started: readonly StartedService[];
  /** The engine would not start them; each has its `error`. */
  readonly failed: readonly StartedService[];
  /** Had begun to prove when their turn came. */
  readonly waiting: readonly Waiting[];
  /** Before the first of them was started. */
  readonly since: number;
}

/** What every part of an upgrade does: decide as `up` does, carry out, and keep the record of it. */
export class RollActs {
  readonly context: Context;
  readonly options: RollOptions;
  readonly upgraded = new Set<string>();
  readonly warnings = new Set<string>();
  /** What this run has taken down to change it. */
  readonly #touched = new Set<string>();
  readonly #saidDown = new Set<string>();
  readonly #wentBack = new Set<ImageUse>();
  #record: UpgradeRecord;

  constructor(context: Context, record: UpgradeRecord, options: RollOptions) {
    this.context = context;
    this.#record = record;
    this.options = options;
  }

  get record(): UpgradeRecord {
    return this.#record;
  }

  /** Its service, where it runs now. What a person has stopped meanwhile is left alone, and said once. */
  wanted(container: ObservedContainer): readonly string[] {
    const { service } = container;
    if (service === undefined) return [];
    if (isUp(container)) return [service];
    if (this.#record.running.includes(service) && !this.#saidDown.has(service)) {
      this.#saidDown.add(service);
      this.context.out.warn(
        `${service} was up when the upgrade began and is down now: left as it is. It gets its image by smesh-compose up ${service}, not from a schedule that starts it`,
      );
    }
    return [];
  }

  /** Writes down what is about to be taken down: whoever is killed then leaves it to the next command to start it. */
  async noteDown(project: Project, service: string): Promise<void> {
    this.#touched.add(service);
    await notePendingStarts(this.context, project.name, [service]);
  }

  /** Decides about these services as `up` would; rejects where something stands in the way by now. */
  async prepare(services: readonly string[], force = this.options.force): Promise<PreparedUp> {
    const prepared = await prepareUp(this.context, { services, force });
    const error = findingsError(prepared.findings);
    if (error === undefined) return prepared;
    // Its own words say that nothing was changed.
    const message = error.message.replace(/ ?Nothing was changed\.$/, ` ${this.describe()}`);
    throw new SmeshError(error.code, error.exitCode, message, {
      details: error.details,
      hint: [
        ...(error.hint === undefined ? [] : [error.hint]),
        'Then go on: smesh-compose upgrade --wait',
      ].join('\n'),
      cause: error,
    });
  }

  async execute(prepared: PreparedUp, steps: readonly Step[], force = this.options.force): Promise<Executed> {
    const since = this.context.clock.now() - 1000;
    await applyGenerate(this.context, 'upgrade', prepared.generate);
    const plan = { ...prepared.plan, steps };
    for (const step of steps) if ('service' in step) this.#touched.add(step.service);
    const started: StartedService[] = [];
    const { postponed } = await executeUp(this.context, { ...prepared, plan }, { force }, started);
    await releaseLeases(this.context, prepared.project);
    return {
      since,
      started: started.filter(({ error }) => error === undefined),
      failed: started.filter(({ error }) => error !== undefined),
      waiting: [...postponed].map(([service, why]) => ({ service, why })),
    };
  }

  /** Its gate has been passed: a run that goes on after a kill does not look again. */
  async pass(what: 'node' | 'provers'): Promise<void> {
    await this.#write({ ...this.#record, passed: [...this.#record.passed, what] });
  }

  /** What has gone back is no longer part of the upgrade; what else is left of it can be gone on with. */
  async forget(use: ImageUse): Promise<void> {
    this.#wentBack.add(use);
    const { node, provers, ...rest } = this.#record;
    const { text } = await loadProject(this.context);
    const left = use === 'node' ? { provers } : { node };
    await this.#write({
      ...rest,
      after: text,
      ...(left.node === undefined ? {} : { node: left.node }),
      ...(left.provers === undefined ? {} : { provers: left.provers }),
    });
    if (left.node === undefined && left.provers === undefined) await removeRecord(this.context);
  }

  noteUpgraded(started: readonly StartedService[]): void {
    for (const { service } of started) this.upgraded.add(service);
  }

  facts(waiting: readonly Waiting[] = []): RollFacts {
    return { waiting, upgraded: [...this.upgraded], warnings: [...this.warnings] };
  }

  /** After Ctrl-C: what was taken down to be changed runs again, and the last words say what does not. */
  async cancelled(): Promise<SmeshError> {
    // The first Ctrl-C has been heard; what is to be made good takes moments, and the second one ends it.
    const unheard: Context = { ...this.context, signal: new AbortController().signal };
    await finishPendingStarts(unheard, 'Stopped before upgrade had started');
    const down = await this.#findDown(unheard);
    const words = down.length === 0 ? '' : ` ${enumerate(down)} ${down.length === 1 ? 'is' : 'are'} down.`;
    const next = this.#wentBack.size > 0 ? 'smesh-compose up' : 'smesh-compose upgrade --wait';
    return new SmeshError('cancelled', ExitCode.cancelled, `Stopped. ${this.describe()}${words}`, {
      hint: [
        ...(down.length === 0 ? [] : [`Start ${down.length === 1 ? 'it' : 'them'} now:  smesh-compose up`]),
        `Go on later:  ${next}`,
      ].join('\n'),
    });
  }

  /** Of those that this run has touched; who cannot look fears that all of them are. */
  async #findDown(context: Context): Promise<readonly string[]> {
    const touched = [...this.#touched];
    if (touched.length === 0) return [];
    try {
      const { project } = await loadProject(context);
      const docker = await context.ports.docker();
      const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
      return touched.filter((name) => !own.some((one) => one.service === name && isUp(one)));
    } catch {
      return touched;
    }
  }

  /** How far it has come. */
  describe(): string {
    const names = [...this.upgraded];
    if (this.#wentBack.size > 0) {
      return 'smesh.yaml names the former image again; not every container may be back on it.';
    }
    return names.length === 0
      ? 'smesh.yaml names the new images; no container has one yet that was found to do its work.'
      : `${enumerate(names)} ${names.length === 1 ? 'has its' : 'have their'} new image, the others not yet.`;
  }

  async #write(record: UpgradeRecord): Promise<void> {
    this.#record = record;
    await writeRecord(this.context, record);
  }
}

export function changingSteps(steps: readonly Step[]): readonly ContainerStep[] {
  return steps.filter(
    (step): step is ContainerStep =>
      step.kind === 'recreate-service' || step.kind === 'create-service' || step.kind === 'start-service',
  );
}

/** Those that a moment will come for. */
export function putOff(steps: readonly Step[]): readonly Waiting[] {
  return steps.flatMap((step) =>
    step.kind === 'postpone-service' ? [{ service: step.service, why: step.why }] : [],
  );
}

/** Those for which a person has to do something first. */
export function heldBack(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) =>
    step.kind === 'hold-back'
      ? [`${step.service} keeps its former image: ${step.why}. Then: smesh-compose up ${step.service}`]
      : [],
  );
}
