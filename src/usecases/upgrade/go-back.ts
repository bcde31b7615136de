import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { Project } from '../../domain/project/types.ts';
import type { StartedService } from '../up/execute.ts';
import { changingSteps, putOff, type RollActs } from './acts.ts';
import { type GateResult, type NodeGate, passNodeGate } from './gate.ts';
import { isProver } from './look.ts';
import { removeRecord } from './record.ts';
import type { RollResult, WayBackResult } from './result.ts';
import { judgeWayBack, writeFormerImages } from './way-back.ts';

/** Who was impatient with the new one shall not be told that the former one is broken, too. */
const LEAST_WAY_BACK_MS = 2 * 60_000;

/** Why these could not be started, in the engine's words. */
export function startFault(failed: readonly StartedService[]): string {
  return failed
    .map(({ service, error }) => `${service} could not be started: ${error ?? 'unknown'}`)
    .join('; ');
}

/** Looks whether the node in a container does what it did before the upgrade. */
export function checkNode(
  acts: RollActs,
  project: Project,
  own: readonly ObservedContainer[],
  node: Pick<NodeGate, 'containerId' | 'since'>,
  timeoutMs = acts.options.timeoutMs,
): Promise<GateResult> {
  const { synced, smesherIds } = acts.record;
  const provers = own.filter((one) => isProver(one) && isUp(one));
  return passNodeGate(acts.context, project, { ...node, synced, smesherIds, provers, timeoutMs });
}

/**
 * Puts the former node back, where it would still take the databases: one that was given newer ones does not start
 * (spacemesh.md §14.2). The post-services keep their images; they speak to both.
 */
export async function nodeBack(
  acts: RollActs,
  project: Project,
  own: readonly ObservedContainer[],
  failed: { readonly containerId: string; readonly why: string; readonly down?: true },
): Promise<RollResult> {
  const result = (back: WayBackResult): RollResult => ({
    ...acts.facts(),
    kind: 'failed',
    use: 'node',
    why: failed.why,
    back,
  });
  const verdict = await judgeWayBack(acts.context, project, acts.record);
  if (!verdict.back) {
    await removeRecord(acts.context);
    return result({ kind: 'impossible', why: failed.down ? `${verdict.why}; it is down` : verdict.why });
  }
  acts.context.out.warn(`The new node does not do its work: ${failed.why}. Back to the former one.`);
  // One that is restarted again and again would hold its ports against the one that follows it.
  const docker = await acts.context.ports.docker();
  await acts.noteDown(project, 'node');
  await docker.stop(failed.containerId);
  await writeFormerImages(acts.context, acts.record, 'node');
  await acts.forget('node');
  const prepared = await acts.prepare(['node'], true);
  const made = await acts.execute(prepared, changingSteps(prepared.plan.steps), true);
  const [started] = made.started;
  if (started === undefined) {
    const why = made.failed.length > 0 ? startFault(made.failed) : 'it could not be started';
    return result({ kind: 'not-well', why: `${why}. The node is down.` });
  }
  const patience = Math.max(acts.options.timeoutMs, LEAST_WAY_BACK_MS);
  const node = { containerId: started.containerId, since: made.since };
  const gate = await checkNode(acts, project, own, node, patience);
  return result(gate.passed ? { kind: 'back' } : { kind: 'not-well', why: gate.why });
}

/** Puts the former image back into the post-services that have been given the new one. */
export async function proversBack(
  acts: RollActs,
  project: Project,
  touched: readonly StartedService[],
  why: string,
): Promise<RollResult> {
  acts.context.out.warn(`The new post-service does not do its work: ${why}. Back to the former one.`);
  for (const { service } of touched) await acts.noteDown(project, service);
  await writeFormerImages(acts.context, acts.record, 'post-service');
  await acts.forget('post-service');
  const prepared = await acts.prepare(touched.map(({ service }) => service));
  const made = await acts.execute(prepared, changingSteps(prepared.plan.steps));
  const waiting = [...putOff(prepared.plan.steps), ...made.waiting];
  const faults = [
    ...waiting.map((one) => `${one.service} ${one.why}`),
    ...(made.failed.length > 0 ? [startFault(made.failed)] : []),
  ];
  const back: WayBackResult =
    faults.length === 0 ? { kind: 'back' } : { kind: 'not-well', why: faults.join('; ') };
  return { ...acts.facts(), kind: 'failed', use: 'post-service', why, back };
}
