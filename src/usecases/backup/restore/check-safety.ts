import { isUp } from '../../../domain/compose/container-role.ts';
import { WORKING_DIRECTORY } from '../../../domain/compose/former-project.ts';
import { ExitCode, SmeshError } from '../../../domain/errors.ts';
import { describeHolder, isForeign } from '../../../domain/identity/lease-findings.ts';
import { pendingName } from '../../../domain/identity/pending-key.ts';
import { judgePlaces } from '../../../domain/identity/places.ts';
import { type SmesherId, shortId } from '../../../domain/identity/smesher-id.ts';
import type { Context } from '../../context.ts';
import { indexProject } from '../../identity-index/project-index.ts';
import { judgeInstalledKeys } from '../../leases/check-leases.ts';
import type { RestoreLook } from './look.ts';

/**
 * Refuses (exit 5) while the project's own node or provers run, while somebody on this host is at work with one of the
 * identities, and where another place holds a key that is installed here. What cannot be seen counts as unsafe where a key
 * or a database is there already.
 */
export async function refuseUnsafeRestore(context: Context, look: RestoreLook): Promise<void> {
  await refuseRunning(context, look);
  const index = await indexProject(context, look.project);
  if (index.nodeRuns) throw running(['node']);
  const others = { ...index, places: index.places.filter(({ own }) => !own) };
  const live: string[] = [];
  const closed: string[] = [];
  for (const { id, name } of [...look.contents.identities, ...waitingIn(look)]) {
    const places = others.places.filter(
      ({ smesherId, use, live: isLive }) => smesherId === id && use === 'serves' && isLive,
    );
    for (const { who, remedy } of places)
      live.push(`${name} (${shortId(id)}): ${who}. End it: ${remedy ?? ''}`);
    if (places.length === 0 && judgePlaces(id, { ...others, unseen: [] }) === 'unknown')
      closed.push(`${name} (${shortId(id)})`);
  }
  if (live.length > 0)
    throw new SmeshError(
      'identity-twice',
      ExitCode.refused,
      'Not restored: identities of this backup are served by somebody else on this host. Two nodes with one key: the network cancels that identity for ever. Nothing was changed.',
      { details: live, hint: 'Stop what is named above for good, then type the same again.' },
    );
  if (closed.length > 0 || (index.unseen.length > 0 && look.occupied))
    throw new SmeshError(
      'identities-unknown',
      ExitCode.refused,
      'Not restored: not everything on this host could be looked at, and somebody there may be at work with these keys. Nothing was changed.',
      {
        details: [...index.unseen, ...closed],
        hint: 'Let it be looked at (sudo; a running Docker), then type the same again.',
      },
    );
  for (const unseen of index.unseen) context.out.warn(`Not looked at: ${unseen}`);
  await refuseForeignLeases(context, look);
}

/** Identities of the backup whose key waits for its data. */
function waitingIn({ contents }: RestoreLook): readonly { readonly id: SmesherId; readonly name: string }[] {
  return contents.entries.flatMap(({ kind, origin, smesherId }) => {
    const name = pendingName(origin.slice(origin.lastIndexOf('/') + 1));
    return kind === 'key' && name !== undefined && smesherId !== undefined ? [{ id: smesherId, name }] : [];
  });
}

async function refuseRunning(context: Context, { project }: RestoreLook): Promise<void> {
  let containers: Awaited<ReturnType<Awaited<ReturnType<Context['ports']['docker']>>['containers']>>;
  try {
    containers = await (await context.ports.docker()).containers();
  } catch (error) {
    // The index says so, and what follows from it.
    if (error instanceof SmeshError && !context.signal.aborted) return;
    throw error;
  }
  const own = containers.filter(
    ({ project: name, labels }) =>
      name === project.name && (labels[WORKING_DIRECTORY] ?? context.directory) === context.directory,
  );
  const up = own.filter(isUp).map(({ service, name }) => service ?? name);
  if (up.length > 0) throw running(up);
}

function running(services: readonly string[]): SmeshError {
  return new SmeshError(
    'project-runs',
    ExitCode.refused,
    `Not restored: ${services.slice(0, 6).join(', ')} of this project ${services.length === 1 ? 'is' : 'are'} running. Nothing was changed.`,
    { hint: 'Stop all of it first: smesh-compose stop --wait' },
  );
}

async function refuseForeignLeases(context: Context, look: RestoreLook): Promise<void> {
  if (look.keys.length === 0) return;
  // One that this backup brought, in a run that was killed: it says nothing that the backup does not.
  const brought = new Set(look.items.filter(({ present }) => present === 'same').map(({ target }) => target));
  const judged = await judgeInstalledKeys(context, look.project);
  const details = judged.flatMap(({ name, smesherId, path, verdict }) =>
    isForeign(verdict) && !brought.has(path)
      ? [`${name} (${shortId(smesherId)}): ${describeHolder(verdict)}`]
      : [],
  );
  if (details.length === 0) return;
  throw new SmeshError(
    'lease-elsewhere',
    ExitCode.refused,
    'Not restored: another place holds keys that are installed here. Nothing was changed.',
    {
      details,
      hint: 'What must be true before they are taken over says: smesh-compose keys adopt --all --dry-run',
    },
  );
}
