import { ExitCode } from '../domain/errors.ts';
import type { PendingKey } from '../domain/identity/decide-pending.ts';
import { isForeign, type JudgedKey } from '../domain/identity/lease-findings.ts';
import { type ClosedFolder, type IdentityIndex, judgePlaces } from '../domain/identity/places.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type { Project } from '../domain/project/types.ts';
import { keysToJson, type ListedKey, renderKeys } from '../ui/keys.ts';
import type { Context } from './context.ts';
import { indexProject } from './identity-index/project-index.ts';
import { judgeInstalledKeys } from './leases/check-leases.ts';
import { chooseListed } from './leases/choose-keys.ts';
import { readLeaseFiles } from './leases/read-leases.ts';
import { identitiesFolder } from './node-keys.ts';
import { readPendingKeys } from './pending-keys.ts';

/**
 * Where every identity of the project stands on this host, who serves it and who holds its lease. Ends with 5 when one is
 * live in two places or held elsewhere, with 3 when nobody can say (S2, S23).
 */
export async function listKeys(
  context: Context,
  project: Project,
  names: readonly string[],
): Promise<ExitCode> {
  const [index, judged] = await Promise.all([
    indexProject(context, project),
    judgeInstalledKeys(context, project),
  ]);
  const left = await readLeft(context, project);
  const waiting = await readPendingKeys(context, identitiesFolder(project));
  const listed = collect(project, judged, index, left, waiting);
  const shown = names.length === 0 ? listed : chooseListed(listed, names);
  const unseen: readonly string[] = index.unseen;
  const closed: readonly ClosedFolder[] = index.closed;
  if (context.json) context.out.json(keysToJson({ keys: shown, closed, unseen }));
  else {
    const { columns, color } = context.out;
    const look = { columns, color, directory: context.directory, everyPlace: names.length > 0 };
    context.out.result(renderKeys({ keys: shown, closed, unseen }, look).join('\n'));
  }
  return exitCodeOf(shown);
}

function collect(
  project: Project,
  judged: readonly JudgedKey[],
  index: IdentityIndex,
  left: ReadonlyMap<SmesherId, 'leaving' | 'released'>,
  pending: readonly PendingKey[],
): readonly ListedKey[] {
  const { places } = index;
  const names = new Map<SmesherId, string>(project.identities.map(({ id, name }) => [id, name]));
  for (const { smesherId, name } of judged) if (!names.has(smesherId)) names.set(smesherId, name);
  for (const { id, name } of project.retired) if (!names.has(id)) names.set(id, `${name} (removed)`);
  const waiting = new Set<SmesherId>();
  for (const { smesherId, name } of pending) {
    if (smesherId === undefined || names.has(smesherId)) continue;
    names.set(smesherId, name);
    waiting.add(smesherId);
  }
  const leases = new Map(judged.map(({ smesherId, verdict }) => [smesherId, verdict]));
  return [...names].map(([smesherId, name]): ListedKey => {
    const lease = leases.get(smesherId);
    const gone = lease === undefined ? left.get(smesherId) : undefined;
    return {
      smesherId,
      name,
      places: places.filter((place) => place.smesherId === smesherId),
      verdict: waiting.has(smesherId) ? judgeWaiting(smesherId, index) : judgePlaces(smesherId, index),
      ...(waiting.has(smesherId) ? { waits: true as const } : {}),
      ...(lease === undefined ? {} : { lease }),
      ...(gone === undefined ? {} : { left: gone }),
    };
  });
}

/** A key that waits here is this project's: whoever else reads it already has it in two places once it is taken in. */
function judgeWaiting(smesherId: SmesherId, index: IdentityIndex): ListedKey['verdict'] {
  const here = {
    smesherId,
    by: 'key',
    use: 'serves',
    who: '',
    holder: 'own',
    runs: false,
    own: true,
  } as const;
  const places = [...index.places, { ...here, live: true }];
  return judgePlaces(smesherId, { ...index, places });
}

/** Leases of keys that were taken away stay where the keys were. */
async function readLeft(
  context: Context,
  project: Project,
): Promise<ReadonlyMap<SmesherId, 'leaving' | 'released'>> {
  const leases = await readLeaseFiles(context.ports.files, identitiesFolder(project));
  return new Map(
    [...leases.values()].flatMap((reading) =>
      reading.kind === 'read' && reading.lease.state !== 'held'
        ? [[reading.lease.smesherId, reading.lease.state] as const]
        : [],
    ),
  );
}

function exitCodeOf(keys: readonly ListedKey[]): ExitCode {
  if (keys.some(({ verdict, lease }) => verdict === 'twice' || (lease !== undefined && isForeign(lease))))
    return ExitCode.refused;
  return keys.some(({ verdict }) => verdict === 'unknown') ? ExitCode.invalid : ExitCode.ok;
}
