import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { SmeshError } from '../../domain/errors.ts';
import { type GapHold, holdDisks } from '../../domain/post-init/gap-hold.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { lookAtProvers } from '../lifecycle/look-at-provers.ts';
import { lookAtAllData } from '../observe/data.ts';

const LOOK_MS = 4000;

/**
 * Disks of this project on which no job is to start now, by disk. Without an identity nobody is asked; without an engine
 * nothing can start anyway.
 */
export async function gapHolds(context: Context, project: Project): Promise<ReadonlyMap<string, GapHold>> {
  if (project.identities.length === 0) return new Map();
  const { ports, clock } = context;
  let containers: readonly ObservedContainer[];
  try {
    containers = await (await ports.docker()).containers({ project: project.name });
  } catch (error) {
    if (error instanceof SmeshError) return new Map();
    throw error;
  }
  const [looks, data] = await Promise.all([
    lookAtProvers(
      context,
      project,
      containers.filter(({ oneOff }) => !oneOff),
    ),
    lookAtAllData({ ports, project, clock, timeoutMs: LOOK_MS }),
  ]);
  const diskOf = new Map(
    project.identities.flatMap(({ name }, index) => {
      const disk = data[index]?.disk;
      return disk === undefined ? [] : [[name, disk] as const];
    }),
  );
  const { nodeChange } = looks;
  return holdDisks({
    waiting: nodeChange.kind === 'waits' ? nodeChange.names : [],
    ...(nodeChange.kind === 'waits' ? { until: nodeChange.until } : {}),
    proving: [...looks.provers.values()].flatMap(({ service, risk }) =>
      !risk.safe && risk.proving === true ? [service] : [],
    ),
    diskOf,
  });
}
