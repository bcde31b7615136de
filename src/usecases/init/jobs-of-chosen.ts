import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { pendingName } from '../../domain/identity/pending-key.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { indexProject } from '../identity-index/project-index.ts';
import { findAtWork } from '../post-init/open-folders.ts';
import type { Candidate } from './choose-directories.ts';

/** Jobs of the project that made, or make, the data of these identities. */
export function jobsOfChosen(project: Project, chosen: readonly Candidate[]): readonly InitialisationJob[] {
  const ids = new Set<SmesherId>(chosen.map(({ smesherId }) => smesherId));
  return (project.initialisation?.jobs ?? []).filter(({ id }) => ids.has(id));
}

/** A container that still writes there would write beside a reader, and its part of the data might not be all. */
export async function refuseJobsAtWork(context: Context, jobs: readonly InitialisationJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const busy = await findAtWork(context.ports.files, await askContainers(context), jobs);
  if (busy === undefined) return;
  throw new SmeshError(
    'job-at-work',
    ExitCode.refused,
    `The PoST data of ${busy.service ?? busy.name} is still being written: its container runs`,
    {
      hint: 'Nothing was changed. Wait for its end: smesh-compose post status   Or end it: smesh-compose post stop',
    },
  );
}

async function askContainers({ ports, signal, out }: Context) {
  try {
    return await (await ports.docker()).containers();
  } catch (error) {
    if (!(error instanceof SmeshError) || signal.aborted) throw error;
    out.warn(`Whether a container still writes that data nobody can say: ${error.message}`);
    return [];
  }
}

/**
 * A key that waited is nobody else's, or something is badly wrong: a copy of it that another node reads would cost the
 * identity (spacemesh.md §9.1). What cannot be seen is left to `up`, which starts nothing then.
 */
export async function refuseServedElsewhere(
  context: Context,
  project: Project,
  chosen: readonly Candidate[],
): Promise<void> {
  const waiting = chosen.filter(({ key }) => pendingName(key.path) !== undefined);
  if (waiting.length === 0) return;
  const index = await indexProject(context, project);
  const details = waiting.flatMap(({ smesherId }) => {
    const places = index.places.filter(
      (place) => place.smesherId === smesherId && place.use === 'serves' && !place.own,
    );
    return places.map(
      ({ who, path }) => `${shortId(smesherId)}: ${who}${path === undefined ? '' : `, ${path}`}`,
    );
  });
  if (details.length === 0) return;
  throw new SmeshError(
    'identity-twice',
    ExitCode.refused,
    'A key that waits for its data here stands in another place, too. Two nodes with one key cost that identity for ever',
    {
      details,
      hint: 'Nothing was changed. Find out which of the two is to have it, and take it away from the other: smesh-compose keys',
    },
  );
}
