import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';

const ASK_MS = 3000;

/**
 * Folders that containers have mounted, with no link in their paths: `smesh.yaml` may name data by a link. One that does
 * not answer stays as it is written.
 */
export function realFolders(
  { ports: { files }, clock }: Context,
  folders: readonly string[],
): Promise<readonly string[]> {
  return Promise.all(
    folders.map(async (folder) => (await within(clock, files.realPath(folder), ASK_MS)) ?? folder),
  );
}
