import { dirname } from 'node:path';
import type { Owner } from '../domain/compose/types.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type { Project } from '../domain/project/types.ts';
import type { Context } from './context.ts';

/**
 * Whom the node runs as: the owner of its data folder; while there is none yet, who called sudo, else the caller
 * (design §4). `node.user` in smesh.yaml goes before both.
 */
export async function nodeOwner(context: Context, project: Project): Promise<Owner> {
  const { files, system } = context.ports;
  const [uid, gid] = (project.node.user ?? '').split(':').map(Number);
  if (project.node.user !== undefined && uid !== undefined && gid !== undefined) return { uid, gid };
  const facts = await files.facts(project.node.data);
  if (facts !== undefined) return { uid: facts.uid, gid: facts.gid };
  return system.sudoUser ?? system.user;
}

/** Owners of the PoST data, by identity; one whose disk is away is left out (scenario S21). */
export async function postOwners(context: Context, project: Project): Promise<ReadonlyMap<SmesherId, Owner>> {
  const owners = await Promise.all(
    project.identities.map(async ({ id, data }) => {
      const facts = await context.ports.files
        .facts(`${data}/postdata_metadata.json`)
        // A folder that may not be entered: its owner is what can be seen from outside.
        .catch(() => context.ports.files.facts(data).catch(() => undefined));
      return facts === undefined ? undefined : ([id, { uid: facts.uid, gid: facts.gid }] as const);
    }),
  );
  return new Map(owners.filter((entry) => entry !== undefined));
}

/** Owners of the directories that initialisation jobs fill, or of the first parent that is there; by job name. */
export async function jobOwners(context: Context, project: Project): Promise<ReadonlyMap<string, Owner>> {
  const owners = await Promise.all(
    (project.initialisation?.jobs ?? []).map(async ({ name, data }) => {
      let place = data;
      let facts = await context.ports.files.facts(place);
      while (facts === undefined && place !== dirname(place)) {
        place = dirname(place);
        facts = await context.ports.files.facts(place);
      }
      return facts === undefined ? undefined : ([name, { uid: facts.uid, gid: facts.gid }] as const);
    }),
  );
  return new Map(owners.filter((entry) => entry !== undefined));
}

/**
 * Whom the files in the project folder shall belong to when root makes them: the owner of the folder, or who called sudo
 * where there is no folder yet. Else a user could not edit the smesh.yaml that `sudo smesh-compose init` made for them.
 * `undefined`: the system's choice is right.
 */
export async function projectOwner(context: Context): Promise<Owner | undefined> {
  const { files, system } = context.ports;
  if (system.user.uid !== 0) return undefined;
  const facts = await files.facts(context.directory);
  if (facts === undefined) return system.sudoUser;
  return facts.uid === 0 ? undefined : { uid: facts.uid, gid: facts.gid };
}

/** Whom the project folder belongs to, or will; `undefined`: root. The same whoever asks. */
export async function folderOwner(context: Context): Promise<Owner | undefined> {
  const { files, system } = context.ports;
  const facts = await files.facts(context.directory);
  const { uid, gid } = facts ?? system.sudoUser ?? system.user;
  return uid === 0 ? undefined : { uid, gid };
}

/** Group of the engine's socket on this host; `undefined` where there is none. */
export async function findEngineGroup({ ports }: Context): Promise<number | undefined> {
  const facts = await ports.files.facts('/var/run/docker.sock').catch(() => undefined);
  return facts?.gid;
}
