import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComposeProject } from '../../ports/compose.ts';

/** The override that Compose itself would take: the first of these beside compose.yaml. */
const OVERRIDES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
] as const;

/**
 * The files of a project, named explicitly so that no COMPOSE_FILE counts, and yet the same that plain
 * `docker compose up` would read in that directory (promise 3 of the design).
 */
export async function projectFiles(project: ComposeProject): Promise<readonly string[]> {
  if (project.files !== undefined) return project.files;
  const files = [join(project.directory, 'compose.yaml')];
  for (const name of OVERRIDES) {
    const path = join(project.directory, name);
    const present = await access(path).then(
      () => true,
      () => false,
    );
    if (present) return [...files, path];
  }
  return files;
}
