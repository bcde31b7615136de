import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { InitialisationJob } from '../../domain/project/types.ts';
import type { FilesPort } from '../../ports/files.ts';

/**
 * The container that runs on a folder of these jobs, named as in smesh.yaml or without links. What it has open may change: a
 * VRF nonce is written last. Mounts of others are compared as they are called: what lies there may be dead, and hang.
 */
export async function findAtWork(
  files: FilesPort,
  containers: readonly ObservedContainer[],
  jobs: readonly InitialisationJob[],
): Promise<ObservedContainer | undefined> {
  const folders = new Set<string>();
  for (const path of jobs.flatMap(({ data, into = data }) => [data, into])) {
    folders.add(path);
    folders.add(await files.realPath(path).catch(() => path));
  }
  return containers.find((one) => isUp(one) && one.mounts.some(({ source }) => folders.has(source)));
}
