import { samePlace } from '../../domain/doctor/poet-info.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import type { RegisteredIdentity } from '../../domain/poet/registrations.ts';
import { removeServers, requireAddress } from '../../domain/poet/server-list.ts';
import { editPoet } from '../../domain/project/edit-poet.ts';
import type { Project } from '../../domain/project/types.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { writeProject } from '../init/write-project.ts';
import type { LoadedProject } from '../load-project.ts';
import { names, RESTART_NOTE, type WriteOptions } from './change-list.ts';
import { readRegistrations } from './read-registrations.ts';
import { refuseInProcess } from './refuse-in-process.ts';

export interface RemoveRequest extends WriteOptions {
  readonly addresses: readonly string[];
}

/**
 * `poet remove`: takes servers out of the list unless the node would end at its next start without them. Asked twice for
 * the same it changes nothing.
 */
export async function removePoets(
  context: Context,
  { project, text }: LoadedProject,
  request: RemoveRequest,
): Promise<number> {
  for (const address of request.addresses) requireAddress(address);
  refuseInProcess(project, 'No PoET can be removed');
  const registrations = await readRegistrations(context, project);
  const nameOf = nameIn(project);
  const { servers, removed, absent, fewer } = removeServers(
    project.poet.servers,
    request.addresses,
    registrations,
    nameOf,
  );
  const { exitCode, written } = await writeProject(context, {
    command: 'poet remove',
    text: removed.length === 0 ? text : editPoet(text, { servers }),
    options: { keys: [], repairKeys: false, dryRun: request.dryRun, force: request.force },
    keyFiles: [],
    facts: { removed, absent, servers },
  });
  if (new Set(servers.map(({ address }) => samePlace(address))).size < 2 && removed.length > 0)
    context.out.warn(
      'Fewer than two PoET servers are left: when the one is down during registration or proof, an epoch is lost.',
    );
  if (context.json) return exitCode;
  if (absent.length > 0)
    context.out.result(`${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not in the list.`);
  if (fewer.length > 0)
    context.out.note(
      `${plural(fewer.length, 'identity', 'identities')} registered there will take the proof of another server: ${fewer.map(nameOf).join(', ')}`,
    );
  if (removed.length > 0 && request.dryRun) context.out.note(`${RESTART_NOTE}.`);
  if (removed.length > 0 && written) {
    context.out.result(
      `Removed ${names(removed)}; the list has ${plural(servers.length, 'PoET server')}. ${RESTART_NOTE}.`,
    );
    context.out.note('What it will do: smesh-compose plan');
  }
  if (!written && !request.dryRun) context.out.note('Nothing was changed.');
  return exitCode;
}

/** `post-0001 (62834bf0)`, for identities of others in the same node the short ID alone. */
export function nameIn(project: Project): (identity: RegisteredIdentity) => string {
  const known = new Map(project.identities.map(({ id, name }) => [id, name]));
  return ({ smesherId }) => {
    const name = known.get(smesherId);
    const short = shortId(smesherId);
    return name === undefined ? short : `${name} (${short})`;
  };
}
