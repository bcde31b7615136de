import { readKeyFile } from '../../domain/identity/key-file.ts';
import type { Place } from '../../domain/identity/places.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { lookAtMetadata } from '../../domain/post/data-access.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { readPendingKeys } from '../pending-keys.ts';

/** Of a key whose data is not complete yet: the node passes it over. */
const WAITS = 'waits for its data';

/** Where the identities of a project stand in its own folders: installed keys, PoST data, and copies that lie about. */
export async function placesOfProject(
  context: Context,
  project: Project,
  nodeRuns: boolean,
): Promise<readonly Place[]> {
  const folder = identitiesFolder(project);
  const [installed, pending, data, beside, retired] = await Promise.all([
    readInstalledKeys(context, folder),
    readPendingKeys(context, folder),
    Promise.all(project.identities.map(({ data: path }) => ownData(context, path))),
    Promise.all(
      project.identities.flatMap(({ data: path }) =>
        ['identity.key', 'key.bin'].map((name) => copyAt(context, `${path}/${name}`, 'beside its PoST data')),
      ),
    ),
    retiredCopies(context),
  ]);
  const keys = installed.flatMap(({ smesherId, file }) =>
    smesherId === undefined
      ? []
      : [own(smesherId, 'key', `${folder}/${file}`, "this project's node", nodeRuns)],
  );
  const waiting = pending.flatMap(({ smesherId, file }) =>
    smesherId === undefined ? [] : [lies(smesherId, `${folder}/${file}`, WAITS)],
  );
  return [...keys, ...waiting, ...data.flat(), ...beside.flat(), ...retired];
}

function own(smesherId: SmesherId, by: Place['by'], path: string, who: string, runs: boolean): Place {
  return { smesherId, by, use: 'serves', who, holder: 'own', path, runs, live: true, own: true };
}

async function ownData(context: Context, path: string): Promise<readonly Place[]> {
  const text = await context.ports.files.readText(`${path}/${METADATA_FILE}`).catch(() => undefined);
  const look = text === undefined ? undefined : lookAtMetadata(text);
  if (look?.kind !== 'readable' || look.smesherId === undefined) return [];
  return [own(look.smesherId, 'data', path, 'this project', false)];
}

async function retiredCopies(context: Context): Promise<readonly Place[]> {
  const folder = `${stateFolder(context.directory)}/retired`;
  const entries = await context.ports.files.list(folder).catch(() => []);
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith('.key'));
  const places = names.map((name) => copyAt(context, `${folder}/${name}`, 'taken out of this project'));
  return (await Promise.all(places)).flat();
}

async function copyAt({ ports }: Context, path: string, who: string): Promise<readonly Place[]> {
  const bytes = await ports.files.readBytes(path).catch(() => undefined);
  if (bytes === undefined) return [];
  const reading = readKeyFile(bytes, ports.crypto.publicKeyOfSeed);
  if (reading.kind === 'malformed') return [];
  return [lies(reading.smesherId, path, who)];
}

function lies(smesherId: SmesherId, path: string, who: string): Place {
  return { smesherId, by: 'key', use: 'lies', who, holder: path, path, runs: false, live: false, own: true };
}
