import { IN_PROCESS_POETS, poetPublicKey } from '../../domain/node/networks.ts';
import { addressFromHost } from '../../domain/poet/own-poet.ts';
import {
  type AskedTarget,
  judgeTargets,
  type TargetAnswer,
  type TargetVerdict,
} from '../../domain/poet/switch/judge-targets.ts';
import type { PoetTarget } from '../../domain/poet/switch/target.ts';
import type { PoetSettings, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

const ASK_TIMEOUT_MS = 10_000;

/** Asks all servers of a target at once, and judges them together. */
export async function askTargets(
  context: Context,
  project: Project,
  target: PoetTarget,
): Promise<TargetVerdict> {
  const asked = await Promise.all(
    target.servers.map(
      async ({ address, pubkey }): Promise<AskedTarget> => ({
        address,
        ...(pubkey === undefined ? {} : { pubkey }),
        answer: await askPoet(context, project, address, target),
      }),
    ),
  );
  return judgeTargets(target, asked);
}

/** A private network whose node starts the only PoET in its own process (spacemesh.md §10). */
export function takesOnePoet({ network }: Pick<Project, 'network'>): boolean {
  return network.name === 'standalone' && network.externalPoets !== true;
}

/**
 * What one server says of itself. The one inside the node of a private network cannot be reached from here; it has the
 * project's key, and takes its rhythm from the configuration (spacemesh.md §10).
 */
export async function askPoet(
  context: Context,
  project: Project,
  address: string,
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
): Promise<TargetAnswer> {
  const own = poetPublicKey(project.network.poetPrivateKey ?? '');
  if (takesOnePoet(project) && own !== undefined && IN_PROCESS_POETS.includes(address)) {
    const { phaseShift, cycleGap } = times;
    return { kind: 'answered', info: { pubkey: own, phaseShift, cycleGap } };
  }
  const poetApi = await context.ports.poetApi();
  const answer = await poetApi.info(addressFromHost(project.ownPoet, address), ASK_TIMEOUT_MS);
  switch (answer.kind) {
    case 'answered':
      return { kind: 'answered', info: answer.info };
    case 'late':
      return { kind: 'silent', reason: `no answer within ${answer.afterMs / 1000} s` };
    default:
      return { kind: 'silent', reason: answer.reason };
  }
}

/** A target as it was resolved when the change began: every key is known. */
export function targetOf(
  name: string,
  { servers, phaseShift, cycleGap, gracePeriod }: PoetSettings,
): PoetTarget {
  return { name, servers, phaseShift, cycleGap, gracePeriod };
}
