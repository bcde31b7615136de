import { judgeMoment, type LayerClock, type NodeMoment, nodeAwayMs } from '../../domain/plan/node-moment.ts';
import type { Project } from '../../domain/project/types.ts';
import type { MissedProposals } from '../../ui/proposals.ts';
import type { ProverLooks } from './look-at-provers.ts';

function layerClock({ network }: Pick<Project, 'network'>): LayerClock {
  return {
    genesis: Date.parse(network.genesisTime),
    layerMs: network.layerSeconds * 1000,
    layersPerEpoch: network.layersPerEpoch,
  };
}

/** Which proposals a restart of the node would miss now, by name; `undefined` where none is, as far as it tells. */
export function findMissed(
  project: Project,
  { eligible, at }: Pick<ProverLooks, 'eligible' | 'at'>,
  awayMs?: number,
): MissedProposals | undefined {
  return missedOf(project, judgeMoment(eligible, layerClock(project), at, awayMs));
}

/** For whoever asks before something that is longer than a restart: this layer and the next. */
export function findMissedSoon(
  project: Project,
  looks: Pick<ProverLooks, 'eligible' | 'at'>,
): MissedProposals | undefined {
  const clock = layerClock(project);
  return findMissed(project, looks, Math.max(clock.layerMs, nodeAwayMs(clock)));
}

function missedOf(project: Project, moment: NodeMoment): MissedProposals | undefined {
  if (moment.kind === 'free') return undefined;
  const { genesis, layerMs } = layerClock(project);
  const nameOf = new Map(project.identities.map(({ id, name }) => [id, name]));
  return {
    layers: moment.missed.map(({ layer, smeshers }) => ({
      layer,
      at: genesis + layer * layerMs,
      services: smeshers.map((id) => nameOf.get(id) ?? id.slice(0, 8)),
    })),
    ...(moment.kind === 'waits' ? { free: { at: moment.until, layer: moment.freeLayer } } : {}),
  };
}
