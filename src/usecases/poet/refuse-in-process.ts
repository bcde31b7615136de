import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { hasPoetInNode } from '../../domain/node/networks.ts';
import type { Project } from '../../domain/project/types.ts';

/** Whether the only PoET is the one inside the node (spacemesh.md §10). */
export function isInProcess(project: Project): boolean {
  return hasPoetInNode(project.network);
}

/** A private network has one PoET, which runs in the node: there is no list to change, and no server beside it. */
export function refuseInProcess(project: Project, what: string): void {
  if (!isInProcess(project)) return;
  throw new SmeshError(
    'poet-in-process',
    ExitCode.refused,
    `${what}: this is a private network (standalone), whose node starts a PoET in its own process and takes exactly that one`,
    {
      hint: 'Nothing was changed. Servers can be changed on mainnet, on testnet, and where network.standalone.externalPoets is set.',
    },
  );
}
