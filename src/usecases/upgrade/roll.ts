import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { findingsError } from '../../domain/plan/findings.ts';
import type { ContainerStep, Step } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { releaseLeases } from '../leases/release-leases.ts';
import type { SafetyOptions } from '../lifecycle/act-when-safe.ts';
import { lookAtProvers, unsafeOf } from '../lifecycle/look-at-provers.ts';
import { lossOf, priceLines } from '../lifecycle/refuse.ts';
import { isUp } from '../lifecycle/stop.ts';
import { waitForSafe } from '../lifecycle/wait-for-safe.ts';
import { loadProject } from '../load-project.ts';
import { executeUp, type StartedService } from '../up/execute.ts';
import { type PreparedUp, prepareUp } from '../up/prepare.ts';
import { backUpLocalDatabase } from './back-up.ts';
import type { ImageUse } from './check.ts';
import { type GateResult, type NodeGate, passNodeGate, passProverGate } from './gate.ts';
import { isProver, lookAtProject, type Standing } from './look.ts';
import { crowdedWords, nodeWaits } from './plan.ts';
import { removeRecord, type UpgradeRecord, writeRecord } from './record.ts';
import { judgeWayBack, writeFormerImages } from './way-back.ts';

export interface RollOptions extends SafetyOptions {
  /** How long a node may take to be healthy and in sync. */
  readonly timeoutMs: number;
}

/** A service that has not got its new image, and why. */
export interface Waiting {
  readonly service: string;
  readonly why: string;
}

export type RollResult = {
  readonly upgraded: readonly string[];
  readonly waiting: readonly Waiting[];
  readonly warnings: readonly string[];
} & (
  | { readonly kind: 'done' | 'waiting' | 'timed-out' }
  /** A gate failed; `back` says whether the former image runs again. */
  | { readonly kind: 'failed'; readonly use: ImageUse; readonly why: string; readonly back: WayBackResult }
);

export type WayBackResult =
  | { readonly kind: 'back' }
  /** smesh.yaml names the former image again, but it does not run well either, or not everywhere yet. */
  | { readonly kind: 'not-well'; readonly why: string }
  /** The new one stays: the former would not take the databases. */
  | { readonly kind: 'impossible'; readonly why: string };

const PAUSE_MS = 2000;

/** Who was impatient with the new one shall not be told that the former one is broken, too. */
const LEAST_WAY_BACK_MS = 2 * 60_000;

/**
 * Brings new images into the containers, each in a moment in which nothing is lost by it: idle post-services first, one of
 * them before the others, then the node, then the rest as they become idle (S41). What does not do its work with the new
 * image goes back to the former one.
 */
export class Roll {
  readonly #context: Context;
  readonly #options: RollOptions;
  #record: UpgradeRecord;
  readonly #upgraded = new Set<string>();
  readonly #warnings: string[] = [];
  #priced = false;

  constructor(context: Context, record: UpgradeRecord, options: RollOptions) {
    this.#context = context;
    this.#record = record;
    this.#options = options;
  }

  async run(): Promise<RollResult> {
    try {
      return await this.#run();
    } catch (error) {
      if (this.#context.signal.aborted) throw this.#cancelled();
      throw error;
    }
  }

  async #run(): Promise<RollResult> {
    const { clock } = this.#context;
    const { wait } = this.#options;
    const until = wait?.timeoutMs === undefined ? undefined : clock.now() + wait.timeoutMs;
    for (;;) {
      const before = this.#upgraded.size;
      const provers = await this.#rollProvers();
      if ('failed' in provers) return provers.failed;
      const node = await this.#rollNode();
      if (node !== undefined && 'failed' in node) return node.failed;
      const waiting = [
        ...(node === undefined ? [] : [{ service: 'node', why: node.why }]),
        ...provers.waiting,
      ];
      if (waiting.length === 0) {
        await removeRecord(this.#context);
        return this.#result('done', []);
      }
      if (wait === undefined) return this.#result('waiting', waiting);
      if (until !== undefined && clock.now() >= until) return this.#result('timed-out', waiting);
      await this.#wait(waiting, node?.until, until);
      // Who is safe to stop but put off all the same (depends_on of the user's own) must not be asked without a pause.
      if (this.#upgraded.size === before) await clock.sleep(PAUSE_MS, this.#context.signal);
    }
  }

  async #wait(
    waiting: readonly Waiting[],
    nodeUntil: number | undefined,
    until: number | undefined,
  ): Promise<void> {
    const { project } = await loadProject(this.#context);
    const provers = new Set(waiting.flatMap(({ service }) => (service === 'node' ? [] : [service])));
    const ends = [until, nodeUntil].filter((end) => end !== undefined);
    const putOff = {
      provers,
      node: provers.size < waiting.length && nodeUntil === undefined,
      doneWord: 'upgraded',
    };
    const end = ends.length === 0 ? undefined : Math.min(...ends);
    if (provers.size === 0 && end !== undefined && !putOff.node) {
      const live = this.#context.out.live();
      live.update([`waits for the node: ${waiting[0]?.why ?? ''}`]);
      await this.#context.clock
        .sleep(Math.max(0, end - this.#context.clock.now()), this.#context.signal)
        .finally(() => live.done());
      return;
    }
    await waitForSafe(this.#context, project, putOff, end);
  }

  async #rollProvers(): Promise<{ waiting: readonly Waiting[] } | { failed: RollResult }> {
    if (this.#record.provers === undefined) return { waiting: [] };
    const { project } = await loadProject(this.#context);
    const standing = await lookAtProject(this.#context, project);
    const services = standing.own.filter(isProver).flatMap((container) => this.#wanted(container));
    if (services.length === 0) return { waiting: [] };
    const prepared = await this.#prepare(services);
    await this.#sayPrice(project, standing, services);
    let changes = changingSteps(prepared.plan.steps);
    const waiting = [...putOff(prepared.plan.steps)];
    const nodeRuns = standing.node?.state === 'running';
    while (!this.#record.passed.includes('provers') && changes.length > 0) {
      // One goes ahead: an image that does not do is not to take all of them down.
      const [first, ...rest] = changes;
      changes = rest;
      if (first === undefined) break;
      const made = await this.#execute(prepared, [first]);
      waiting.push(...made.waiting);
      if (made.started.length === 0) continue;
      const gate = await passProverGate(this.#context, project, made.started, {
        since: made.since,
        nodeRuns,
      });
      if (!gate.passed) return { failed: await this.#proversBack(made.started, gate.why) };
      await this.#pass('provers');
      this.#note(made.started);
    }
    if (changes.length > 0) {
      const made = await this.#execute(prepared, changes);
      waiting.push(...made.waiting);
      if (made.started.length > 0) {
        const gate = await passProverGate(this.#context, project, made.started, {
          since: made.since,
          nodeRuns,
        });
        // The image has shown that it does; what is wrong here is wrong with these.
        if (!gate.passed) this.#warnings.push(`With the new image, but not well: ${gate.why}`);
        this.#note(made.started);
      }
    }
    return { waiting };
  }

  async #rollNode(): Promise<{ why: string; until?: number } | { failed: RollResult } | undefined> {
    const { node } = this.#record;
    if (node === undefined) return undefined;
    const { project } = await loadProject(this.#context);
    const standing = await lookAtProject(this.#context, project);
    const container = standing.node;
    if (container !== undefined && this.#wanted(container).length === 0) return undefined;
    if (container?.image === node.to && isUp(container)) {
      if (this.#record.passed.includes('node')) return undefined;
      // A run that was killed has changed it, and nobody has looked at it since.
      return this.#gateNode(
        project,
        standing,
        container.id,
        (container.startedAt ?? container.createdAt) - 1000,
      );
    }
    const looks = await lookAtProvers(this.#context, project, standing.own);
    const now = this.#context.clock.now();
    const waits = this.#options.force ? undefined : nodeWaits(project, looks, standing.snapshot, now);
    if (waits !== undefined) {
      return { why: waits.why, ...(looks.nodeChange.kind === 'waits' ? {} : { until: waits.until }) };
    }
    const prepared = await this.#prepare(['node']);
    const [step] = changingSteps(prepared.plan.steps);
    if (step === undefined) return putOff(prepared.plan.steps)[0];
    const crowded = crowdedWords(project, standing.snapshot, now);
    if (crowded !== undefined) this.#context.out.warn(`${crowded}.`);
    if (container !== undefined) await backUpLocalDatabase(this.#context, project, container);
    const made = await this.#execute(prepared, [step]);
    const [started] = made.started;
    if (started === undefined) return made.waiting[0];
    return this.#gateNode(project, standing, started.containerId, made.since);
  }

  async #gateNode(
    project: Project,
    { own }: Standing,
    containerId: string,
    since: number,
  ): Promise<{ failed: RollResult } | undefined> {
    const gate = await this.#checkNode(project, own, { containerId, since });
    if (!gate.passed) return { failed: await this.#nodeBack(project, own, containerId, gate.why) };
    this.#warnings.push(...gate.warnings);
    await this.#pass('node');
    this.#upgraded.add('node');
    return undefined;
  }

  #checkNode(
    project: Project,
    own: readonly ObservedContainer[],
    node: Pick<NodeGate, 'containerId' | 'since'>,
    timeoutMs = this.#options.timeoutMs,
  ): Promise<GateResult> {
    const { synced, smesherIds } = this.#record;
    const provers = own.filter((one) => isProver(one) && one.state === 'running');
    return passNodeGate(this.#context, project, { ...node, synced, smesherIds, provers, timeoutMs });
  }

  async #nodeBack(
    project: Project,
    own: readonly ObservedContainer[],
    containerId: string,
    why: string,
  ): Promise<RollResult> {
    const failed = (back: WayBackResult): RollResult => ({
      ...this.#result('done', []),
      kind: 'failed',
      use: 'node',
      why,
      back,
    });
    const verdict = await judgeWayBack(this.#context, project, this.#record);
    if (!verdict.back) {
      await removeRecord(this.#context);
      return failed({ kind: 'impossible', why: verdict.why });
    }
    this.#context.out.warn(`The new node does not do its work: ${why}. Back to the former one.`);
    // One that is restarted again and again would hold its ports against the one that follows it.
    const docker = await this.#context.ports.docker();
    await docker.stop(containerId);
    await writeFormerImages(this.#context, this.#record, 'node');
    await this.#forget('node');
    const prepared = await this.#prepare(['node'], true);
    const made = await this.#execute(prepared, changingSteps(prepared.plan.steps), true);
    const [started] = made.started;
    if (started === undefined) return failed({ kind: 'not-well', why: 'it could not be started' });
    const patience = Math.max(this.#options.timeoutMs, LEAST_WAY_BACK_MS);
    const gate = await this.#checkNode(
      project,
      own,
      { containerId: started.containerId, since: made.since },
      patience,
    );
    return failed(gate.passed ? { kind: 'back' } : { kind: 'not-well', why: gate.why });
  }

  async #proversBack(touched: readonly StartedService[], why: string): Promise<RollResult> {
    this.#context.out.warn(`The new post-service does not do its work: ${why}. Back to the former one.`);
    await writeFormerImages(this.#context, this.#record, 'post-service');
    await this.#forget('post-service');
    const prepared = await this.#prepare(touched.map(({ service }) => service));
    const made = await this.#execute(prepared, changingSteps(prepared.plan.steps));
    const waiting = [...putOff(prepared.plan.steps), ...made.waiting];
    const back: WayBackResult =
      waiting.length === 0
        ? { kind: 'back' }
        : { kind: 'not-well', why: waiting.map((one) => `${one.service} ${one.why}`).join('; ') };
    return { ...this.#result('done', []), kind: 'failed', use: 'post-service', why, back };
  }

  /** Its service, where it ran when all began. */
  #wanted(container: ObservedContainer): readonly string[] {
    const { service } = container;
    if (service === undefined) return [];
    return isUp(container) || this.#record.running.includes(service) ? [service] : [];
  }

  async #prepare(services: readonly string[], force = this.#options.force): Promise<PreparedUp> {
    const prepared = await prepareUp(this.#context, { services, force });
    const error = findingsError(prepared.findings);
    if (error === undefined) return prepared;
    // Its own words say that nothing was changed.
    const message = error.message.replace(/ ?Nothing was changed\.$/, ` ${this.#changes()}`);
    throw new SmeshError(error.code, error.exitCode, message, {
      details: error.details,
      hint: [
        ...(error.hint === undefined ? [] : [error.hint]),
        'Then go on: smesh-compose upgrade --wait',
      ].join('\n'),
      cause: error,
    });
  }

  async #execute(
    prepared: PreparedUp,
    steps: readonly Step[],
    force = this.#options.force,
  ): Promise<{ started: readonly StartedService[]; waiting: readonly Waiting[]; since: number }> {
    const since = this.#context.clock.now() - 1000;
    await applyGenerate(this.#context, 'upgrade', prepared.generate);
    const plan = { ...prepared.plan, steps };
    const started: StartedService[] = [];
    const { postponed } = await executeUp(this.#context, { ...prepared, plan }, { force }, started);
    await releaseLeases(this.#context, prepared.project);
    const broken = started.filter(({ error }) => error !== undefined);
    for (const { service, error } of broken) this.#warnings.push(`${service} could not be started: ${error}`);
    return {
      since,
      started: started.filter(({ error }) => error === undefined),
      waiting: [...postponed].map(([service, why]) => ({ service, why })),
    };
  }

  /** `--force` says first what it costs. */
  async #sayPrice(project: Project, { own }: Standing, services: readonly string[]): Promise<void> {
    if (!this.#options.force || this.#priced) return;
    this.#priced = true;
    const { clock, out } = this.#context;
    const looks = await lookAtProvers(this.#context, project, own);
    const losses = unsafeOf(looks, services).map(lossOf);
    if (losses.length === 0) return;
    const style = momentStyle(looks.timeline, looks.at, (at) => clock.localOffsetMinutes(at));
    out.warn(
      ['--force: this is what it costs', ...priceLines({ losses }, style).map((line) => `  ${line}`)].join(
        '\n',
      ),
    );
  }

  async #pass(what: 'node' | 'provers'): Promise<void> {
    this.#record = { ...this.#record, passed: [...this.#record.passed, what] };
    await writeRecord(this.#context, this.#record);
  }

  /** What has gone back is no longer part of the upgrade; what else is left of it can be gone on with. */
  async #forget(use: ImageUse): Promise<void> {
    const { node, provers, ...rest } = this.#record;
    const left = use === 'node' ? { provers } : { node };
    const { text } = await loadProject(this.#context);
    this.#record = {
      ...rest,
      after: text,
      ...(left.node === undefined ? {} : { node: left.node }),
      ...(left.provers === undefined ? {} : { provers: left.provers }),
    };
    if (left.node === undefined && left.provers === undefined) await removeRecord(this.#context);
    else await writeRecord(this.#context, this.#record);
  }

  #note(started: readonly StartedService[]): void {
    for (const { service } of started) this.#upgraded.add(service);
  }

  #result(kind: 'done' | 'waiting' | 'timed-out', waiting: readonly Waiting[]) {
    return { kind, waiting, upgraded: [...this.#upgraded], warnings: this.#warnings } as const;
  }

  #changes(): string {
    const names = [...this.#upgraded];
    return names.length === 0
      ? 'smesh.yaml names the new images; no container has them yet.'
      : `${enumerate(names)} ${names.length === 1 ? 'has its' : 'have their'} new image, the others not yet.`;
  }

  #cancelled(): SmeshError {
    return new SmeshError('cancelled', ExitCode.cancelled, `Stopped. ${this.#changes()}`, {
      hint: 'Go on later:  smesh-compose upgrade --wait',
    });
  }
}

function changingSteps(steps: readonly Step[]): readonly ContainerStep[] {
  return steps.filter(
    (step): step is ContainerStep =>
      step.kind === 'recreate-service' || step.kind === 'create-service' || step.kind === 'start-service',
  );
}

function putOff(steps: readonly Step[]): readonly Waiting[] {
  return steps.flatMap((step) =>
    step.kind === 'postpone-service' ? [{ service: step.service, why: step.why }] : [],
  );
}
