import type { Adoption } from '../../domain/adopt/adopt-project.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import { addIdentities } from '../../domain/project/edit.ts';
import type { LoadedProject } from '../load-project.ts';

/**
 * smesh.yaml with what is new in it; its settings stay. Refuses (exit 5) what would contradict it: another node would have
 * to be merged, and one identity has one directory.
 */
export function addToProject({ project, text }: LoadedProject, adoption: Adoption): string {
  const { node } = adoption.project;
  if (node?.data !== project.node.data)
    throw new SmeshError(
      'another-node',
      ExitCode.refused,
      `The node found works in ${node?.data}, and that of this project in ${project.node.data}: two nodes become one by merging their databases only`,
      {
        hint: 'Nothing was changed. Adopt it into a folder of its own (-C DIR), or bring it in: smesh-compose merge',
      },
    );
  const present = new Map(project.identities.map((identity) => [identity.id, identity]));
  const collisions = adoption.identities.filter(({ id, data }) => {
    const known = present.get(id);
    return known !== undefined && known.data !== data;
  });
  const [first, ...others] = collisions.map(
    ({ id, data }) =>
      `${present.get(id)?.name} (${shortId(id)}) is served from ${present.get(id)?.data} here, and found at ${data}`,
  );
  if (first !== undefined)
    throw new SmeshError('identity-twice', ExitCode.refused, first, {
      details: others,
      hint: 'Nothing was changed. One identity has one directory: keep one of the two.',
    });
  const entries = adoption.project.identities.filter(({ id }) => !present.has(id));
  // Defaults of the project are others than those of what was found: each says all of its own.
  return addIdentities(
    text,
    entries.map((entry) => ({ ...withoutThreads(entry, adoption.project.defaults ?? {}), ...entry })),
  );
}

function withoutThreads<T extends { readonly threads?: number; readonly pinnedCores?: readonly number[] }>(
  entry: T,
  defaults: NonNullable<Adoption['project']['defaults']>,
): NonNullable<Adoption['project']['defaults']> {
  if (entry.pinnedCores === undefined) return defaults;
  const { threads: _, ...others } = defaults;
  return others;
}
