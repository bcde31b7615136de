import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPOSE_OVERRIDES, type ComposeProject } from '../../ports/compose.ts';

/**
 * The files of a project, named explicitly so that no COMPOSE_FILE counts, and yet the same that plain
 * `docker compose up` would read in that directory (promise 3 of the design).
 */
export async function projectFiles(project: ComposeProject): Promise<readonly string[]> {
  if (project.files !== undefined) return project.files;
  const files = [join(project.directory, 'compose.yaml')];
  for (const name of COMPOSE_OVERRIDES) {
    const path = join(project.directory, name);
    const present = await access(path).then(
      () => true,
      () => false,
    );
    if (present) return [...files, path];
  }
  return files;
}
