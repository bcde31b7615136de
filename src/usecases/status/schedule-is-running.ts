import type { FilesPort } from '../../ports/files.ts';
import type { Observation } from '../observe.ts';

/** What `run` locks; the project itself stays free for other commands meanwhile. */
export function runLockOf(directory: string): string {
  return `${directory}/.smesh/run`;
}

/**
 * Whether a schedule runs for this project: a `run` on this host, or the orchestrator's container. A container has sockets
 * of its own, so the lock inside of it is not seen from here. `undefined` where containers cannot be asked and nothing
 * is seen on this host.
 */
export async function scheduleIsRunning(
  files: Pick<FilesPort, 'lockHolder'>,
  directory: string,
  { engineFault, orchestrator }: Pick<Observation, 'engineFault' | 'orchestrator'>,
): Promise<boolean | undefined> {
  if ((await files.lockHolder(runLockOf(directory))) !== undefined) return true;
  if (engineFault !== undefined) return undefined;
  return orchestrator?.state === 'running';
}
