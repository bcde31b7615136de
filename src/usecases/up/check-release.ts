import type { Finding } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import { parseImageReference } from '../../domain/upgrade/image-reference.ts';
import { judgeNodeStep } from '../../domain/upgrade/judge.ts';
import { parseRelease } from '../../domain/upgrade/release.ts';
import type { Context } from '../context.ts';
import { lookAtDatabases, nodeStepFacts, releaseOf } from '../upgrade/look.ts';
import type { EngineObservation } from './observe-engine.ts';

/**
 * Whether the node's databases may be given to the image that smesh.yaml names, when a person has changed it there (S24):
 * what is known to fail is refused as `upgrade` would refuse it, what nobody knows is said.
 */
export async function checkRelease(
  context: Context,
  observation: EngineObservation,
  project: Project,
): Promise<readonly Finding[]> {
  const desired = observation.desired.find(({ role }) => role === 'node');
  const container = observation.own.find(({ service }) => service === desired?.name);
  // Nothing is asked of the databases while it stays as it is.
  if (desired === undefined || !observation.engineIsHere || container?.image === desired.image) return [];
  const to = parseRelease(parseImageReference(desired.image)?.tag ?? '');
  if (to === undefined) return [];
  const databases = await lookAtDatabases(context, project);
  const release = releaseOf(undefined, container, databases);
  const facts = nodeStepFacts({ databases, ...(release === undefined ? {} : { release }) }, to);
  return judgeNodeStep(facts).flatMap((finding): Finding[] => {
    if (finding.code === 'node-release-unknown') return [];
    if (finding.severity === 'warning' || !finding.code.endsWith('-unknown')) return [finding];
    const next = 'smesh-compose upgrade looks after it: it goes back when the node does not get well';
    return [{ ...finding, severity: 'warning', next }];
  });
}
