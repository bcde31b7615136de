import { isUp } from '../../domain/compose/container-role.ts';
import { eligibleLayers } from '../../domain/plan/node-moment.ts';
import type { ContainerStep, Plan } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import { shortReference } from '../../domain/upgrade/image-reference.ts';
import type { NodeSnapshot } from '../../ports/node-api.ts';
import { type MissedProposals, missedWords } from '../../ui/proposals.ts';
import { plural } from '../../ui/units.ts';
import { type ProverLooks, riskOf } from '../lifecycle/look-at-provers.ts';
import { findMissed } from '../lifecycle/proposals.ts';
import type { Change } from './choose.ts';
import { isProver, type Standing } from './look.ts';

export const NODE_COST = 'about 3 min; no proof is lost';

/** What the upgrade will do with each container as things stand, in its order: idle provers, the node, the rest. */
export function planUpgrade(
  project: Project,
  standing: Standing,
  looks: ProverLooks,
  changes: readonly Change[],
  force: boolean,
): Plan {
  const change = (use: Change['use']) => changes.find((one) => one.use === use);
  const [node, provers] = [change('node'), change('post-service')];
  const proverSteps = provers === undefined ? [] : planProvers(standing, looks, provers, force);
  const nodeSteps = node === undefined ? [] : planNode(project, standing, looks, node, force);
  const now = proverSteps.filter(({ kind }) => kind === 'recreate-service');
  return {
    headline: describeChanges(project, changes),
    steps: [...now, ...nodeSteps, ...proverSteps.filter((step) => !now.includes(step))],
  };
}

function describeChanges(project: Project, changes: readonly Change[]): string {
  const parts = changes.map(({ use, to }) =>
    use === 'node'
      ? `the node to ${shortReference(to)}`
      : `${plural(project.identities.length, 'post-service')} to ${shortReference(to)}`,
  );
  // Whether there is a digest to pin only the pulled image tells.
  return `Upgrade of ${parts.join(' and ')}:`;
}

function words({ from, to }: Change, image?: string): string {
  const old = from.find(({ text }) => text === image) ?? from[0];
  if (old !== undefined && old.name === to.name && old.tag === to.tag)
    return `${shortReference(to)} by its digest`;
  return `${old?.tag ?? 'another image'} → ${to.tag ?? shortReference(to)}`;
}

function planProvers(
  { own }: Standing,
  looks: ProverLooks,
  change: Change,
  force: boolean,
): readonly ContainerStep[] {
  return own.filter(isProver).flatMap((container): ContainerStep[] => {
    const { service } = container;
    if (service === undefined) return [];
    const why = words(change, container.image);
    if (container.image === change.to.text) return [{ kind: 'keep-service', service }];
    if (!isUp(container)) {
      return [
        // The schedule starts containers as they are; only Compose makes them anew.
        { kind: 'keep-service', service, note: `is down: ${why} by smesh-compose up, not by a schedule` },
      ];
    }
    const risk = riskOf(looks, service);
    if (risk.safe || force) {
      const cost = risk.safe ? 'nothing: it is idle' : `its work: it ${risk.why}`;
      return [{ kind: 'recreate-service', service, why, cost, running: true }];
    }
    const next = 'waits for it: smesh-compose upgrade --wait (--force: now, its work is lost)';
    return [{ kind: 'postpone-service', service, why: `${why}; but it ${risk.why}`, next }];
  });
}

function planNode(
  project: Project,
  { node, snapshot }: Standing,
  looks: ProverLooks,
  change: Change,
  force: boolean,
): readonly ContainerStep[] {
  const why = words(change);
  const service = node?.service ?? 'node';
  if (node?.image === change.to.text) return [{ kind: 'keep-service', service }];
  if (node === undefined || !isUp(node)) {
    return [{ kind: 'keep-service', service, note: `is down: ${why} when it is started (smesh-compose up)` }];
  }
  const waits = force ? undefined : nodeWaits(project, looks, snapshot, looks.at);
  if (waits === undefined) {
    const checks = 'must be healthy, in sync and found by the post-services, else it goes back';
    const missed = missedAt(project, snapshot, looks.at);
    const cost = missed === undefined ? NODE_COST : `${NODE_COST}; ${missedWords(missed)}`;
    return [{ kind: 'recreate-service', service, why: `${why}; ${checks}`, cost, running: true }];
  }
  const next = 'waits for it: smesh-compose upgrade --wait (--force: now)';
  return [{ kind: 'postpone-service', service, why: `${why}: ${NODE_COST}. Waits: ${waits.why}`, next }];
}

/** What keeps the node up at that time: the cycle gap, or a proposal. */
export function nodeWaits(
  project: Project,
  looks: Pick<ProverLooks, 'nodeChange'>,
  snapshot: NodeSnapshot | undefined,
  now: number,
): { readonly why: string; readonly until: number } | undefined {
  if (looks.nodeChange.kind === 'waits') return looks.nodeChange;
  const missed = missedAt(project, snapshot, now);
  return missed?.free === undefined ? undefined : { why: missedWords(missed), until: missed.free.at };
}

/** Said before a node is restarted in a moment that is no good one. */
export function crowdedWords(
  project: Project,
  snapshot: NodeSnapshot | undefined,
  now: number,
): string | undefined {
  const missed = missedAt(project, snapshot, now);
  return missed === undefined || missed.free !== undefined
    ? undefined
    : `${missedWords(missed)}, and no moment soon is known in which nobody is`;
}

function missedAt(
  project: Project,
  snapshot: NodeSnapshot | undefined,
  at: number,
): MissedProposals | undefined {
  const events = snapshot?.events.ok === true ? snapshot.events.value : [];
  return findMissed(project, { eligible: eligibleLayers(events), at });
}
