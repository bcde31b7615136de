import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import { identitiesFolder } from '../node-keys.ts';

/**
 * What keeps a node without any key from being started: it would make `local.key` (spacemesh.md §2.1). Compose leaves it
 * alone by its profile; a container that was made while there were keys has none of that.
 *
 * @param installedIds all that the node would register
 */
export function keylessNode(project: Project, installedIds: readonly SmesherId[]): readonly Finding[] {
  if (installedIds.length > 0) return [];
  const jobs = project.initialisation?.jobs ?? [];
  return [
    {
      code: 'no-keys',
      severity: 'error',
      kind: 'refused',
      message:
        'There is no key for the node yet, and a node without any makes one of its own (local.key), which is in the way of all others later',
      evidence: identitiesFolder(project),
      next:
        jobs.length === 0
          ? 'Add identities: smesh-compose add   Or make new ones: smesh-compose post init'
          : 'Keys wait for the PoST data that is being made: smesh-compose post status   When it is complete it is taken in: smesh-compose post init',
    },
  ];
}
