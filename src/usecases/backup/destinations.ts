import { isWithin } from '../../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
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

/**
 * Makes the folder and answers its real path. Rejects where it is one that had its backup already, lies behind a link
 * among keys or PoST data, or does not answer: a dead share would keep waiting whatever was to follow.
 */
export async function prepareDestination(
  context: Context,
  project: Project,
  destination: string,
  taken: ReadonlyMap<string, string>,
  owner: object | undefined,
): Promise<string> {
  const { files } = context.ports;
  const look = async () => {
    await files.makeDirectory(destination, { mode: 0o700, ...owner });
    return { real: await files.realPath(destination) };
  };
  const answer = await within(
    context.clock,
    look().catch((error: unknown) => ({ error })),
    ANSWERS_MS,
  );
  if (answer === undefined) throw badDestination('it did not answer in time: is it a share that is gone?');
  if ('error' in answer) throw answer.error;
  const twin = taken.get(answer.real);
  if (twin !== undefined) throw badDestination(`it is the same folder as ${twin}`);
  const places = [
    { what: "the folder of the node's keys", path: identitiesFolder(project) },
    ...project.identities.map(({ name, data }) => ({ what: `the PoST directory of ${name}`, path: data })),
  ];
  for (const { what, path } of places) {
    const real = await within(context.clock, files.realPath(path), ANSWERS_MS);
    if (isWithin(answer.real, real ?? path)) throw badDestination(`it lies in ${what}`);
  }
  return answer.real;
}

function badDestination(message: string): SmeshError {
  return new SmeshError('bad-destination', ExitCode.invalid, message, {
    hint: 'Name another folder in smesh.yaml: backup.to',
  });
}
