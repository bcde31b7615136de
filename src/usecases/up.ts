import { ExitCode, SmeshError } from '../domain/errors.ts';
import { describeFinding, findingsError } from '../domain/plan/findings.ts';
import type { Step } from '../domain/plan/steps.ts';
import { isPoetFault } from '../domain/poet/switch/node-log.ts';
import { planToJson, renderPlan } from '../ui/plan.ts';
import { lossPrice, lossToJson, momentStyle } from '../ui/stop-price.ts';
import { enumerate } from '../ui/text.ts';
import { renderUpReport, type UpOutcome } from '../ui/up-report.ts';
import { applyGenerate } from './apply-generate.ts';
import type { Context } from './context.ts';
import { readInterrupted } from './journal.ts';
import { releaseLeases } from './leases/release-leases.ts';
import type { SafetyOptions } from './lifecycle/act-when-safe.ts';
import { unsafeOf } from './lifecycle/look-at-provers.ts';
import { lossOf } from './lifecycle/refuse.ts';
import { type PutOff, waitForSafe } from './lifecycle/wait-for-safe.ts';
import { switchNote } from './poet-switch/note.ts';
import { withProjectLock } from './project-lock.ts';
import { liftHolds } from './schedule/lift-holds.ts';
import { executeUp, type StartedService } from './up/execute.ts';
import { finishPendingStarts } from './up/pending-starts.ts';
import { type PreparedUp, prepareUp, type UpRequest } from './up/prepare.ts';
import { pullMissingImages } from './up/pull-images.ts';
import { leftWords } from './up/schedule-share.ts';
import { type WatchResult, watchStart } from './up/watch-start.ts';

export interface UpOptions extends UpRequest {
  readonly dryRun: boolean;
  /** How long to wait until all are healthy; absent: not at all. */
  readonly healthyWithinMs?: number;
  /** Waits for the safe moments of what cannot be done at once. Absent: leaves it for later, and says so. */
  readonly wait?: SafetyOptions['wait'];
}

/** Shows what `up` would do. Findings that would keep it from starting are shown as well, and decide the exit code. */
export async function showPlan(
  context: Context,
  request: UpRequest,
  exitCodeOf: (prepared: PreparedUp) => ExitCode,
): Promise<ExitCode> {
  await warnOfInterrupted(context);
  await saySwitch(context);
  const prepared = await prepareUp(context, request);
  const error = findingsError(prepared.findings);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      ...planToJson(prepared.plan),
      findings: prepared.findings,
    });
    return error?.exitCode ?? exitCodeOf(prepared);
  }
  context.out.result(render(context, prepared));
  showWarnings(context, prepared);
  if (error !== undefined) throw error;
  context.out.note('Nothing has been changed. Apply with: smesh-compose up');
  return exitCodeOf(prepared);
}

/** Checks, creates, starts, waits: design §4 to §6. Resolves with the exit code. */
export async function runUp(context: Context, options: UpOptions): Promise<ExitCode> {
  if (options.dryRun) return showPlan(context, options, () => ExitCode.ok);
  const started: StartedService[] = [];
  return withProjectLock(context, 'up', async () => {
    try {
      await saySwitch(context);
      return await bringUp(context, options, started);
    } catch (error) {
      if (context.signal.aborted) throw await endCleanly(context, started);
      // Compose has failed: what was stopped for it to replace runs on as it was.
      await finishPendingStarts(context, 'This up failed before it had started').catch(() => {});
      throw error;
    }
  });
}

/** After Ctrl-C: what was stopped to be recreated runs again, and the last words say what has changed. */
async function endCleanly(context: Context, started: readonly StartedService[]): Promise<SmeshError> {
  // The first Ctrl-C has been heard; what is to be made good takes moments, and the second one ends it.
  const unheard: Context = { ...context, signal: new AbortController().signal };
  await finishPendingStarts(unheard, 'Cancelled before up had started');
  const names = latest(started).map(({ service }) => service);
  const changed = names.length === 0 ? 'It started nothing else.' : `It started ${enumerate(names)}.`;
  return new SmeshError('cancelled', ExitCode.cancelled, `Cancelled. ${changed}`, {
    hint: 'Go on with: smesh-compose up',
  });
}

const ROUND_PAUSE_MS = 1000;

async function bringUp(context: Context, options: UpOptions, started: StartedService[]): Promise<ExitCode> {
  const began = context.clock.now();
  const until = options.wait?.timeoutMs === undefined ? undefined : began + options.wait.timeoutMs;
  for (;;) {
    const first = await prepareSafely(context, options);
    context.out.note(render(context, first));
    showWarnings(context, first);
    await applyGenerate(context, 'up', first.generate);
    // With the images here, a second look tells what the containers will be able to read.
    const prepared = (await pullMissingImages(context, first))
      ? await prepareSafely(context, options)
      : first;
    // Before anything starts: a quota outlives a stop, and who is started to prove would crawl.
    await liftHolds(context, prepared.observation.own, options.services);
    const left = options.services.length > 0 ? undefined : leftWords(prepared.schedule);
    if (left !== undefined) context.out.note(left);
    const executed = await executeUp(context, prepared, options, started);
    await releaseLeases(context, prepared.project);
    const putOff = findPutOff(prepared, executed.postponed);
    const isDone = putOff === undefined || options.wait === undefined;
    const waited = isDone ? 'done' : await waitForSafe(context, prepared.project, putOff, until);
    if (waited === 'safe') {
      // Somebody who is safe may be put off all the same, by what depends on him.
      await context.clock.sleep(ROUND_PAUSE_MS, context.signal);
      continue;
    }
    const running = latest(started).filter((service) => service.error === undefined);
    const watched =
      options.healthyWithinMs !== undefined && running.length > 0
        ? await watchStart(context, {
            project: prepared.observation.composeProject.name,
            services: running,
            since: began - 1000,
            timeoutMs: options.healthyWithinMs,
          })
        : undefined;
    const exitCode = report(context, prepared, executed.postponed, latest(started), watched);
    if (waited === 'timed-out') {
      context.out.warn('No safe moment within the time of --wait: what comes later is left as it is.');
      return ExitCode.unhealthy;
    }
    return exitCode === ExitCode.ok && isRefused(options, putOff) ? ExitCode.refused : exitCode;
  }
}

/** What was asked for by name and was not done is a refusal; where all are meant, the rest was done. */
function isRefused({ services }: UpOptions, putOff: PutOff | undefined): boolean {
  if (putOff === undefined) return false;
  return services.length > 0;
}

/** A service that was recreated after a wait counts as it is now. */
function latest(started: readonly StartedService[]): readonly StartedService[] {
  return [...new Map(started.map((one) => [one.service, one])).values()];
}

function findPutOff(prepared: PreparedUp, postponed: ReadonlyMap<string, string>): PutOff | undefined {
  const names = new Set([
    ...postponed.keys(),
    ...prepared.plan.steps.flatMap((step) => (step.kind === 'postpone-service' ? [step.service] : [])),
  ]);
  if (names.size === 0) return undefined;
  const nodes = prepared.observation.desired.filter(({ role }) => role === 'node').map(({ name }) => name);
  return {
    provers: new Set([...names].filter((name) => !nodes.includes(name))),
    // What else keeps the node is told by the provers it waits for.
    node: prepared.plan.steps.some((step) => step.kind === 'postpone-service' && step.waitsForGap === true),
    doneWord: 'recreated',
  };
}

async function prepareSafely(context: Context, options: UpOptions): Promise<PreparedUp> {
  const prepared = await prepareUp(context, options);
  const error = findingsError(prepared.findings);
  if (error !== undefined) throw error;
  return prepared;
}

function render(context: Context, prepared: PreparedUp): string {
  const { columns, color } = context.out;
  return renderPlan(prepared.plan, { columns, color, directory: context.directory });
}

function showWarnings(context: Context, prepared: PreparedUp): void {
  for (const finding of prepared.findings) {
    if (finding.severity === 'warning') context.out.warn(`${describeFinding(finding)}. ${finding.next}`);
  }
}

/** Nothing here undoes a change of PoETs: smesh.yaml says at any time which of them the node is to have. */
async function saySwitch(context: Context): Promise<void> {
  const under = await switchNote(context);
  if (under !== undefined) context.out.note(`${under.message}. ${under.next}`);
}

async function warnOfInterrupted(context: Context): Promise<void> {
  const interrupted = await readInterrupted(context.ports, context.directory);
  if (interrupted === undefined) return;
  context.out.warn(
    `An earlier ${interrupted.command} (${interrupted.startedAt}) was interrupted; up finishes it first.`,
  );
}

function report(
  context: Context,
  prepared: PreparedUp,
  postponed: ReadonlyMap<string, string>,
  started: readonly StartedService[],
  watched: WatchResult | undefined,
): ExitCode {
  const outcomes = [
    ...started.map((service) => outcomeOf(service, watched)),
    ...prepared.plan.steps.flatMap((step) => outcomeOfStep(step, priceOf(context, prepared))),
    ...[...postponed].map(
      ([service, why]): UpOutcome => ({
        service,
        state: 'postponed',
        reason: `it ${why}`,
        next: `when it is idle: smesh-compose up ${service} --wait`,
      }),
    ),
  ];
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      plan: planToJson(prepared.plan),
      findings: prepared.findings,
      services: outcomes,
      timedOut: watched?.timedOut ?? false,
    });
  } else {
    context.out.result(renderUpReport(outcomes, watched?.timedOut ?? false));
  }
  return exitCodeOf(outcomes, watched !== undefined);
}

/** Without waiting nobody knows how they do, and `starting` is what was asked for. */
function exitCodeOf(outcomes: readonly UpOutcome[], waited: boolean): ExitCode {
  const unwell = outcomes.some(
    ({ state }) =>
      state === 'failed' || state === 'held-back' || state === 'unwell' || (waited && state === 'starting'),
  );
  return unwell ? ExitCode.unhealthy : ExitCode.ok;
}

function outcomeOf(service: StartedService, watched: WatchResult | undefined): UpOutcome {
  const base = { service: service.service, role: service.role };
  if (service.error !== undefined) return { ...base, state: 'failed', reason: service.error };
  const seen = watched?.services.find(({ containerId }) => containerId === service.containerId);
  if (seen === undefined) return { ...base, state: 'starting' };
  const reason = seen.reason === undefined ? {} : { reason: seen.reason };
  const isPoet = seen.state === 'failed' && isPoetFault(seen.reason ?? '');
  const next = isPoet ? { next: 'smesh-compose poet recover --dry-run' } : {};
  return { ...base, state: seen.state, connected: seen.connected, ...reason, ...next };
}

/** What it costs to do a postponed step at once: a refusal says it, and this is one. */
function priceOf(context: Context, { looks }: PreparedUp) {
  const style = momentStyle(looks.timeline, looks.at, (at) => context.clock.localOffsetMinutes(at));
  return (service: string): Pick<UpOutcome, 'price' | 'loss'> => {
    const [look] = unsafeOf(looks, [service]);
    if (look === undefined) return {};
    const loss = lossOf(look);
    return { price: lossPrice(loss, style), loss: lossToJson(loss) };
  };
}

function outcomeOfStep(
  step: Step,
  price: (service: string) => Pick<UpOutcome, 'price' | 'loss'>,
): UpOutcome[] {
  if (step.kind === 'hold-back') {
    return [{ service: step.service, state: 'held-back', reason: step.why, next: step.next }];
  }
  if (step.kind === 'postpone-service') {
    const { service, why, next } = step;
    return [{ service, state: 'postponed', reason: why, next, ...price(service) }];
  }
  if (step.kind !== 'keep-service') return [];
  return step.unwell === true && step.note !== undefined
    ? [{ service: step.service, state: 'unwell', reason: step.note }]
    : [{ service: step.service, state: 'kept' }];
}
