import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { Project } from '../../domain/project/types.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import { lookAtProvers, unsafeOf } from '../lifecycle/look-at-provers.ts';
import { lossOf, priceLines } from '../lifecycle/refuse.ts';
import { waitForSafe } from '../lifecycle/wait-for-safe.ts';
import { loadProject } from '../load-project.ts';
import type { StartedService } from '../up/execute.ts';
import { changingSteps, heldBack, putOff, RollActs, type RollOptions } from './acts.ts';
import { passProverGate } from './gate.ts';
import { checkNode, nodeBack, proversBack, startFault } from './go-back.ts';
import { isProver, lookAtProject, type Standing } from './look.ts';
import { crowdedWords, nodeWaits } from './plan.ts';
import { removeRecord, type UpgradeRecord } from './record.ts';
import type { RollResult, Waiting } from './result.ts';

/** A part that has ended the whole: its gate failed. */
interface Failed {
  readonly failed: RollResult;
}

/** The node's turn has not come yet; `until` where the time of it is known. */
interface NodeWaiting {
  readonly why: string;
  readonly until?: number;
}

const PAUSE_MS = 2000;

/**
 * Brings new images into the containers, each in a moment in which nothing is lost by it: idle post-services first, one of
 * them before the others, then the node, then the rest as they become idle (S41). What does not do its work with the new
 * image goes back to the former one.
 */
export async function roll(
  context: Context,
  record: UpgradeRecord,
  options: RollOptions,
): Promise<RollResult> {
  const acts = new RollActs(context, record, options);
  try {
    return await rollAll(acts);
  } catch (error) {
    if (context.signal.aborted) throw await acts.cancelled();
    throw error;
  }
}

async function rollAll(acts: RollActs): Promise<RollResult> {
  const { clock, signal } = acts.context;
  const { wait, force } = acts.options;
  const until = wait?.timeoutMs === undefined ? undefined : clock.now() + wait.timeoutMs;
  if (force) await sayPrice(acts);
  for (;;) {
    const before = acts.upgraded.size;
    const provers = await rollProvers(acts);
    if ('failed' in provers) return provers.failed;
    const node = await rollNode(acts);
    if (node !== undefined && 'failed' in node) return node.failed;
    const waiting = [...(node === undefined ? [] : [{ service: 'node', why: node.why }]), ...provers.waiting];
    if (waiting.length === 0) {
      await removeRecord(acts.context);
      return { ...acts.facts(), kind: 'done' };
    }
    if (wait === undefined) return { ...acts.facts(waiting), kind: 'waiting' };
    if (until !== undefined && clock.now() >= until) return { ...acts.facts(waiting), kind: 'timed-out' };
    await waitForNext(acts, provers.waiting, node, until);
    // Who is safe to stop but put off all the same (depends_on of the user's own) must not be asked without a pause.
    if (acts.upgraded.size === before) await clock.sleep(PAUSE_MS, signal);
  }
}

async function waitForNext(
  { context }: RollActs,
  provers: readonly Waiting[],
  node: NodeWaiting | undefined,
  until: number | undefined,
): Promise<void> {
  const { project } = await loadProject(context);
  const ends = [until, node?.until].filter((end) => end !== undefined);
  const end = ends.length === 0 ? undefined : Math.min(...ends);
  const nodeInGap = node !== undefined && node.until === undefined;
  if (provers.length === 0 && !nodeInGap && end !== undefined) {
    const live = context.out.live();
    live.update([`waits with the node: ${node?.why ?? ''} (Ctrl-C: leave the rest as it is)`]);
    const pause = Math.max(0, end - context.clock.now());
    await context.clock.sleep(pause, context.signal).finally(() => live.done());
    return;
  }
  const services = new Set(provers.map(({ service }) => service));
  await waitForSafe(context, project, { provers: services, node: nodeInGap, doneWord: 'upgraded' }, end);
}

async function rollProvers(acts: RollActs): Promise<{ readonly waiting: readonly Waiting[] } | Failed> {
  if (acts.record.provers === undefined) return { waiting: [] };
  const { project } = await loadProject(acts.context);
  const { own, node } = await lookAtProject(acts.context, project);
  const services = own.filter(isProver).flatMap((container) => acts.wanted(container));
  if (services.length === 0) return { waiting: [] };
  const prepared = await acts.prepare(services);
  for (const held of heldBack(prepared.plan.steps)) acts.warnings.add(held);
  const waiting = [...putOff(prepared.plan.steps)];
  const nodeRuns = node?.state === 'running';
  const unwell = await gateUnseen(acts, project, own, nodeRuns);
  if (unwell !== undefined) return unwell;
  let changes = changingSteps(prepared.plan.steps);
  while (changes.length > 0) {
    // One goes ahead: an image that does not do is not to take all of them down.
    const isFirst = !acts.record.passed.includes('provers');
    const now = isFirst ? changes.slice(0, 1) : changes;
    changes = changes.slice(now.length);
    const made = await acts.execute(prepared, now);
    waiting.push(...made.waiting);
    if (isFirst && made.failed.length > 0) {
      return { failed: await proversBack(acts, project, made.failed, startFault(made.failed)) };
    }
    if (made.failed.length > 0) acts.warnings.add(startFault(made.failed));
    if (made.started.length === 0) continue;
    const gate = await passProverGate(acts.context, project, made.started, { since: made.since, nodeRuns });
    if (!gate.passed && isFirst) return { failed: await proversBack(acts, project, made.started, gate.why) };
    // Later the image has shown that it does; what is wrong then is wrong with these.
    if (!gate.passed) acts.warnings.add(`With the new image, but not well: ${gate.why}`);
    if (isFirst) await acts.pass('provers');
    acts.noteUpgraded(made.started);
  }
  return { waiting };
}

/** Those that a run which was interrupted, or `up`, has given the new image, and nobody has looked at since. */
async function gateUnseen(
  acts: RollActs,
  project: Project,
  own: readonly ObservedContainer[],
  nodeRuns: boolean,
): Promise<Failed | undefined> {
  const { provers, passed, startedAt } = acts.record;
  if (passed.includes('provers')) return undefined;
  const begun = Date.parse(startedAt);
  const unseen = own.flatMap((one): StartedService[] => {
    const { service, id, state, image } = one;
    const isNew = image === provers?.to && (one.startedAt ?? 0) >= begun;
    if (!isProver(one) || service === undefined || state !== 'running' || !isNew) return [];
    return [{ service, role: 'prover', containerId: id }];
  });
  if (unseen.length === 0) return undefined;
  const gate = await passProverGate(acts.context, project, unseen, { since: begun, nodeRuns });
  if (!gate.passed) return { failed: await proversBack(acts, project, unseen, gate.why) };
  await acts.pass('provers');
  acts.noteUpgraded(unseen);
  return undefined;
}

async function rollNode(acts: RollActs): Promise<NodeWaiting | Failed | undefined> {
  const { node } = acts.record;
  if (node === undefined) return undefined;
  const { context } = acts;
  const { project } = await loadProject(context);
  const standing = await lookAtProject(context, project);
  const container = standing.node;
  if (container === undefined || acts.wanted(container).length === 0) return undefined;
  if (container.image === node.to) {
    if (acts.record.passed.includes('node')) return undefined;
    // A run that was killed has changed it, and nobody has looked at it since.
    const since = (container.startedAt ?? container.createdAt) - 1000;
    return gateNode(acts, project, standing, { containerId: container.id, since });
  }
  const looks = await lookAtProvers(context, project, standing.own);
  const now = context.clock.now();
  const waits = acts.options.force ? undefined : nodeWaits(project, looks, standing.snapshot, now);
  if (waits !== undefined) {
    return { why: waits.why, ...(looks.nodeChange.kind === 'waits' ? {} : { until: waits.until }) };
  }
  const prepared = await acts.prepare(['node']);
  const [step] = changingSteps(prepared.plan.steps);
  if (step === undefined) return putOff(prepared.plan.steps)[0];
  const crowded = crowdedWords(project, standing.snapshot, now);
  if (crowded !== undefined) context.out.warn(`${crowded}.`);
  // Of a node that still runs: when it cannot be made nothing has been taken down.
  await backUpBefore(context, project, 'upgrade');
  await acts.noteDown(project, step.service);
  await (await context.ports.docker()).stop(container.id);
  const made = await acts.execute(prepared, [step]);
  const [failed] = made.failed;
  if (failed !== undefined) {
    const { containerId } = failed;
    return {
      failed: await nodeBack(acts, project, standing.own, {
        containerId,
        why: startFault(made.failed),
        down: true,
      }),
    };
  }
  const [started] = made.started;
  if (started === undefined) {
    // Put off after all, with the copy already made: it goes on as it was.
    await (await context.ports.docker()).start(container.id);
    return made.waiting[0] ?? { why: 'its turn has not come' };
  }
  return gateNode(acts, project, standing, { containerId: started.containerId, since: made.since });
}

async function gateNode(
  acts: RollActs,
  project: Project,
  { own }: Standing,
  node: { readonly containerId: string; readonly since: number },
): Promise<Failed | undefined> {
  const gate = await checkNode(acts, project, own, node);
  if (!gate.passed) {
    return { failed: await nodeBack(acts, project, own, { containerId: node.containerId, why: gate.why }) };
  }
  for (const warning of gate.warnings) acts.warnings.add(warning);
  await acts.pass('node');
  acts.upgraded.add('node');
  return undefined;
}

/** `--force` says first what it costs. */
async function sayPrice({ context, record }: RollActs): Promise<void> {
  const { clock, out } = context;
  const { project } = await loadProject(context);
  const { own } = await lookAtProject(context, project);
  const looks = await lookAtProvers(context, project, own);
  const losses = record.provers === undefined ? [] : unsafeOf(looks, looks.provers.keys()).map(lossOf);
  const node =
    record.node !== undefined && looks.nodeChange.kind === 'waits' ? { node: looks.nodeChange } : {};
  if (losses.length === 0 && !('node' in node)) return;
  const style = momentStyle(looks.timeline, looks.at, (at) => clock.localOffsetMinutes(at));
  const lines = priceLines({ losses, ...node }, style).map((line) => `  ${line}`);
  out.warn(['--force: this is what it costs', ...lines].join('\n'));
}
