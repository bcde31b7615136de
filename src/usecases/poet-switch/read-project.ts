import { requireProject } from '../../domain/project/parse.ts';
import type { Context } from '../context.ts';
import { type LoadedProject, PROJECT_FILE } from '../load-project.ts';

/** smesh.yaml as it is now, without saying its warnings again: whoever waits reads it every few seconds. */
export async function readProject({
  ports,
  directory,
}: Pick<Context, 'ports' | 'directory'>): Promise<LoadedProject> {
  const text = await ports.files.readText(`${directory}/${PROJECT_FILE}`);
  return { text, project: requireProject(text, { directory }).project };
}
