import type { Registrations } from '../../domain/poet/registrations.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { identitiesFolder } from '../node-keys.ts';

/**
 * Where the identities of the node are registered, from its local.sql (spacemesh.md §6.2), read without disturbing a node
 * that runs. What cannot be read is unknown, never empty; so is a data folder that is not there: its disk may be away.
 */
export async function readRegistrations(context: Context, project: Project): Promise<Registrations> {
  const { files } = context.ports;
  const path = `${project.node.data}/local.sql`;
  const facts = await (await context.ports.localDatabase()).read(path);
  switch (facts.kind) {
    case 'read':
      return {
        kind: 'known',
        identities: facts.identities
          .filter(({ registrations }) => registrations.length > 0)
          .map(({ smesherId, registrations }) => ({
            smesherId,
            addresses: registrations.map(({ address }) => address),
          })),
      };
    case 'unknown':
      return { kind: 'unknown', reason: `${path}: ${facts.reason}` };
    case 'absent':
      // Keys are installed before the node's first start: without them the folder is not the one that was meant.
      if (!(await files.exists(identitiesFolder(project))))
        return { kind: 'unknown', reason: `${project.node.data} holds no identities: is its disk mounted?` };
      if (await files.exists(`${project.node.data}/node_state.sql`))
        return {
          kind: 'unknown',
          reason: `${project.node.data}/node_state.sql is of a release before 1.4; it becomes local.sql when a newer node starts`,
        };
      return { kind: 'known', identities: [] };
  }
}
