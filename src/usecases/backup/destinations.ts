import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { identitiesFolder } from '../node-keys.ts';
import { within } from '../observe/question.ts';
import { ANSWERS_MS } from './sources.ts';

/** Folders that backups of this project go to. */
export function destinationsOf(context: Context, project: Project): readonly string[] {
  return project.backup?.to ?? [`${stateFolder(context.directory)}/backups`];
}

/**
 * What to say when every backup lies on a disk that a key or the data of an identity lies on, too: one broken disk then
 * takes both. `undefined` when one of them lies elsewhere, or when nobody can tell.
 */
export async function sameDiskWarning(
  context: Context,
  project: Project,
  destinations: readonly string[],
): Promise<string | undefined> {
  const scanner = await context.ports.scanner();
  const real = async (path: string) => {
    // The folder itself may come into being with the backup.
    for (let place = path; place !== ''; place = place.slice(0, place.lastIndexOf('/'))) {
      const found = await within(context.clock, context.ports.files.realPath(place), ANSWERS_MS);
      if (found !== undefined) return found;
    }
    return '/';
  };
  const kept = [identitiesFolder(project), ...project.identities.map(({ data }) => data)];
  const [keptPlaces, places] = await Promise.all([
    Promise.all(kept.map(real)),
    Promise.all(destinations.map(real)),
  ]);
  const names = scanner.diskNames([...keptPlaces, ...places]);
  const disks = places.map((place) => names.get(place));
  if (disks.length === 0 || disks.some((disk) => disk === undefined)) return undefined;
  const shared = new Set(keptPlaces.map((place) => names.get(place)));
  if (!disks.every((disk) => shared.has(disk))) return undefined;
  return `Every backup lies on ${enumerate([...new Set(disks.map(String))])}, where keys or data of this project lie, too: one broken disk takes both. Name a folder on another disk in smesh.yaml: backup.to`;
}
