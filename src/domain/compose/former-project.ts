import { readLabels } from './labels.ts';
import type { ObservedContainer } from './observed.ts';

/** Where `docker compose` was run, on the machine of whoever ran it (engineering.md §4.2). */
export const WORKING_DIRECTORY = 'com.docker.compose.project.working_dir';

/** A Compose project that is this one under the name it had before `name:` was changed. */
export interface FormerProject {
  readonly name: string;
  /** All that this tool made under that name. */
  readonly containers: readonly ObservedContainer[];
}

/**
 * What a changed `name:` left behind. Compose knows projects by name only and would make everything a second time; told
 * by the directory it was made in, or by a node that works on this project's databases.
 *
 * @param foreign containers that are not of the project under its present name
 */
export function findFormerProjects(
  foreign: readonly ObservedContainer[],
  project: { readonly directory: string; readonly nodeData: string },
): readonly FormerProject[] {
  const made = foreign.filter(({ labels, oneOff }) => readLabels(labels) !== undefined && !oneOff);
  const names = made.flatMap((container) => {
    const isOurs =
      container.labels[WORKING_DIRECTORY] === project.directory ||
      (readLabels(container.labels)?.role === 'node' &&
        container.mounts.some(({ kind, source }) => kind === 'bind' && source === project.nodeData));
    return container.project !== undefined && isOurs ? [container.project] : [];
  });
  return [...new Set(names)]
    .sort()
    .map((name) => ({ name, containers: made.filter((container) => container.project === name) }));
}
