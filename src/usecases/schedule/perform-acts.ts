import { isUp } from '../../domain/compose/container-role.ts';
import { LABEL } from '../../domain/compose/labels.ts';
import { SmeshError } from '../../domain/errors.ts';
import { isHeld } from '../../domain/proving/identity-state.ts';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import type { ScheduleAct } from '../../domain/schedule/decision.ts';
import type { CpuQuota } from '../../ports/docker.ts';
import type { Context } from '../context.ts';
import { answersStill } from '../lifecycle/act-when-safe.ts';

/** What became of an act. */
export interface PerformedAct {
  readonly act: ScheduleAct;
  readonly outcome: 'done' | 'skipped' | 'failed';
  /** Why not. */
  readonly why?: string;
  /** `quota-refused`, `container-gone`, … */
  readonly code?: string;
  /** Of a stop: when the container had ended. */
  readonly finishedAt?: number;
}

/** A hundredth of a CPU: next to nothing, and `/status` still answers (spacemesh.md §14.6). */
export const HOLD: CpuQuota = { quotaUs: 1000, periodUs: 100_000 };

/** A thousandth, for who would read noticeably at a hundredth. */
export const DEEP_HOLD: CpuQuota = { quotaUs: 1000, periodUs: 1_000_000 };

/** More at once only wait for each other inside the engine. */
const PARALLEL_ACTS = 8;

/** Acts that change nothing but a quota: no other command minds, and they need no lock. */
export function isQuotaAct({ kind }: ScheduleAct): boolean {
  return kind === 'hold' || kind === 'release';
}

/**
 * Carries acts out, all to their end: one that fails keeps no other from it. Before a stop or a restart that very prover
 * is asked once more, and left alone when it answers otherwise than when that was decided.
 *
 * @param statuses what services said then, by container
 */
export async function performActs(
  context: Context,
  acts: readonly ScheduleAct[],
  statuses: ReadonlyMap<string, ServiceStatus['kind']>,
): Promise<readonly PerformedAct[]> {
  const performed: PerformedAct[] = new Array(acts.length);
  const queue = acts.map((act, index) => ({ act, index }));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      performed[next.index] = await perform(context, next.act, statuses.get(next.act.containerId));
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_ACTS, acts.length) }, work));
  return performed;
}

async function perform(
  context: Context,
  act: ScheduleAct,
  judged: ServiceStatus['kind'] | undefined,
): Promise<PerformedAct> {
  try {
    return await carryOut(context, act, judged);
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    return { act, outcome: 'failed', why: error.message, code: error.code };
  }
}

async function carryOut(
  context: Context,
  act: ScheduleAct,
  judged: ServiceStatus['kind'] | undefined,
): Promise<PerformedAct> {
  const docker = await context.ports.docker();
  const { containerId } = act;
  if (act.kind === 'hold' || act.kind === 'release') {
    await docker.setCpuQuota(containerId, act.kind === 'release' ? 'none' : act.deep ? DEEP_HOLD : HOLD);
    return { act, outcome: 'done' };
  }
  const container = await docker.inspect(containerId);
  if (container === undefined) return { act, outcome: 'skipped', why: 'its container is gone' };
  if (act.kind === 'start') {
    const twin = await findTwin(context, act);
    if (twin !== undefined) return { act, outcome: 'skipped', why: `${twin} already runs for its identity` };
    // A quota outlives its holder, and who is started to prove would crawl.
    if (isHeld(container.host)) await docker.setCpuQuota(containerId, 'none');
    const started = await docker.start(containerId);
    return started === 'started'
      ? { act, outcome: 'done' }
      : { act, outcome: 'skipped', why: 'somebody else has started it' };
  }
  if (container.state !== 'running') return { act, outcome: 'skipped', why: `it is ${container.state}` };
  if (!(await answersStill(context, container, judged))) {
    return { act, outcome: 'skipped', why: 'it answers otherwise now' };
  }
  if (act.kind === 'restart') {
    await docker.restart(containerId);
    return { act, outcome: 'done' };
  }
  await docker.stop(containerId);
  const finishedAt = (await docker.inspect(containerId))?.finishedAt;
  return { act, outcome: 'done', ...(finishedAt === undefined ? {} : { finishedAt }) };
}

/** Another container of the same identity: two live ones of it must never be. */
async function findTwin({ ports }: Context, { id, containerId }: ScheduleAct): Promise<string | undefined> {
  const docker = await ports.docker();
  const all = await docker.containers({ labels: [`${LABEL.smesherId}=${id}`] });
  return all.find((one) => one.id !== containerId && isUp(one))?.name;
}
