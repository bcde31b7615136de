import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { describeFinding } from '../../domain/plan/findings.ts';
import type { Context } from '../context.ts';
import { checkLeases } from '../leases/check-leases.ts';
import { loadProject } from '../load-project.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { checkDuplicates } from './check-duplicates.ts';
import { checkHistories } from './check-histories.ts';
import { keylessNode } from './check-keys.ts';
import { checkName } from './check-name.ts';
import { observeEngine } from './observe-engine.ts';

/**
 * Refuses a start of the node as it stands, outside of `up`, for everything about identities that would keep `up` from it:
 * leases, second places, histories left elsewhere, a changed name (design §8). A container that is of another name or
 * another data folder than smesh.yaml now says is refused too: what was checked would not be what starts.
 *
 * @param composeProject the name that the container was made for
 */
export async function refuseUnsafeNode(
  context: Context,
  composeProject: string,
  container: ObservedContainer,
): Promise<void> {
  const { project } = await loadProject(context);
  const isAsPlanned =
    project.name === composeProject && container.mounts.some(({ source }) => source === project.node.data);
  if (!isAsPlanned)
    throw new SmeshError(
      'node-changed',
      ExitCode.refused,
      'smesh.yaml has another name or another folder for the node than the container that is there.',
    );
  const observation = await observeEngine(context, { name: project.name, directory: context.directory });
  const folder = identitiesFolder(project);
  const installed = await readInstalledKeys(context, folder);
  const names = new Map<SmesherId, string>([
    ...installed.flatMap(({ smesherId }) =>
      smesherId === undefined ? [] : [[smesherId, `a key in ${folder}`] as const],
    ),
    ...project.identities.map(({ id, name }) => [id, name] as const),
  ]);
  const named = checkName(observation, { directory: context.directory, nodeData: project.node.data });
  const checks = [
    checkDuplicates(context, named.observation, names),
    checkHistories(context, named.observation, names, project.node.data),
    checkLeases(context, project),
  ] as const;
  await Promise.allSettled(checks);
  const ids = installed.flatMap(({ smesherId }) => smesherId ?? []);
  const findings = [...keylessNode(project, ids), ...named.findings, ...(await Promise.all(checks)).flat()];
  const [first, ...others] = findings.filter(({ severity }) => severity === 'error');
  if (first === undefined) return;
  throw new SmeshError('node-unsafe', ExitCode.refused, `${describeFinding(first)}.`, {
    details: others.map(describeFinding),
  });
}
