import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type { Finding } from '../domain/plan/findings.ts';
import type { Project } from '../domain/project/types.ts';
import type { Context } from './context.ts';
import { checkLeases } from './leases/check-leases.ts';
import { identitiesFolder } from './node-keys.ts';
import { checkData, type DataCheck } from './up/check-data.ts';
import { checkDuplicates } from './up/check-duplicates.ts';
import { checkHistories } from './up/check-histories.ts';
import { checkImages, checkMemory } from './up/check-host.ts';
import { checkName } from './up/check-name.ts';
import { checkPorts } from './up/check-ports.ts';
import { checkRelease } from './up/check-release.ts';
import type { EngineObservation } from './up/observe-engine.ts';

export interface Preflight {
  readonly findings: readonly Finding[];
  readonly data: DataCheck;
}

/**
 * All checks before a start, at the same time, each to its end: nobody shall mend one thing to be told of the next. Makes
 * nothing but throw-away helper containers. Keys are checked where the generated files are planned.
 */
export async function preflight(
  context: Context,
  observation: EngineObservation,
  project: Project,
  /** Services that would be started: their data are read from inside a container too. */
  toStart: ReadonlySet<string>,
  /** All that the node will register: keys in its folder that are of no identity of the project, too. */
  installedIds: readonly SmesherId[],
): Promise<Preflight> {
  const names = new Map([
    ...installedIds.map((id) => [id, `a key in ${identitiesFolder(project)}`] as const),
    ...project.identities.map(({ id, name }) => [id, name] as const),
  ]);
  const named = checkName(observation, { directory: context.directory, nodeData: project.node.data });
  const checks = [
    checkData(context, observation, project.identities, toStart),
    checkPorts(context, named.observation),
    checkDuplicates(context, named.observation, names),
    checkHistories(context, named.observation, names, project.node.data),
    checkLeases(context, project),
    checkRelease(context, named.observation, project),
  ] as const;
  // One that fails does not end the command while another has a helper container half made.
  await Promise.allSettled(checks);
  const [data, ports, duplicates, histories, leases, release] = await Promise.all(checks);
  // Nobody needs to be told of memory each time when nothing is started.
  const memory = toStart.size === 0 ? [] : checkMemory(observation, project);
  return {
    findings: [
      ...named.findings,
      ...duplicates,
      ...histories,
      ...release,
      ...leases,
      ...ports,
      ...checkImages(observation, project),
      ...memory,
    ],
    data,
  };
}
