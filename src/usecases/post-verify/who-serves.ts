import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { servedFolders } from '../../domain/compose/who-serves.ts';
import type { VerifyPlace } from '../../domain/post-verify/report.ts';
import type { Context } from '../context.ts';
import { realFolders } from './real-folders.ts';

/**
 * Who serves a place now, of whatever project, also by way of a link. Rejects with the engine's error where it cannot be
 * asked.
 */
export async function whoServes(
  context: Context,
): Promise<(place: VerifyPlace) => ObservedContainer | undefined> {
  const docker = await context.ports.docker();
  await docker.engine();
  const running = (await docker.containers()).filter(isUp);
  const served = await Promise.all(
    running.map(async (container) => ({
      container,
      folders: await realFolders(context, servedFolders(container).post),
    })),
  );
  return ({ directory, path }) =>
    served.find(({ folders }) => folders.includes(directory?.realPath ?? path))?.container;
}
