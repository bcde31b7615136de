import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { chooseIdentities } from '../choose-identities.ts';
import type { Context } from '../context.ts';
import { fromWorkingDirectory } from '../init/options.ts';

/** A directory to look at, or below which to look. */
export interface ChosenPlace {
  readonly path: string;
  /** Of the identity or the initialisation job that it is of. */
  readonly name?: string;
}

/** A word with a slash is a directory; names of identities and jobs hold none, and without a project there are none. */
function isPath(word: string): boolean {
  return word.includes('/') || word === '.' || word === '..';
}

/**
 * What is to be looked at: identities by name or smesher ID, initialisation jobs by name, directories; without words all
 * identities of the project. Exit 2 for a name that means nothing, 3 where there is no project to ask.
 */
export function choosePlaces(
  context: Context,
  project: Project | undefined,
  words: readonly string[],
): readonly ChosenPlace[] {
  const chosen = words.flatMap((word) =>
    isPath(word) || project === undefined
      ? [{ path: fromWorkingDirectory(word) }]
      : placesNamed(project, word),
  );
  const places = words.length > 0 ? chosen : allOf(context, project);
  const seen = new Set<string>();
  return places.filter(({ path }) => seen.size !== seen.add(path).size);
}

function noProject({ directory }: Context): SmeshError {
  return new SmeshError('no-project', ExitCode.invalid, `There is no smesh.yaml in ${directory}`, {
    hint: 'Name a project (-C DIR), or PoST directories: smesh-compose post verify /mnt/d1/post01',
  });
}

function allOf(context: Context, project: Project | undefined): readonly ChosenPlace[] {
  if (project === undefined) throw noProject(context);
  if (project.identities.length > 0)
    return project.identities.map(({ name, data }) => ({ name, path: data }));
  const jobs = project.initialisation?.jobs ?? [];
  if (jobs.length > 0)
    return jobs.map(({ name, identity, into, data }) => ({ name: identity ?? name, path: into ?? data }));
  throw new SmeshError('no-data', ExitCode.invalid, `${project.name} has no identity yet`, {
    hint: 'Make one: smesh-compose post init   or name directories: smesh-compose post verify /mnt/d1/post01',
  });
}

function placesNamed(project: Project, name: string): readonly ChosenPlace[] {
  const jobs = project.initialisation?.jobs ?? [];
  const job = jobs.find((one) => one.name === name);
  if (job !== undefined) return [{ name, path: job.data }];
  const ofIdentity = jobs.filter(({ identity }) => identity === name);
  if (ofIdentity.length > 0) return ofIdentity.map(({ into, data }) => ({ name, path: into ?? data }));
  return chooseIdentities(project, [name]).map((one) => ({ name: one.name, path: one.data }));
}
