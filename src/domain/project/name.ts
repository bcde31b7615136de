import type { SmesherId } from '../identity/smesher-id.ts';
import type { Project } from './types.ts';

/** What Compose accepts as the name of a project. */
export const PROJECT_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/** Names of services: they are host names on the project's network, and words on command lines. */
export const SERVICE_NAME = /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/;

/** Service names that are not free for identities. */
export const RESERVED_NAMES: readonly string[] = ['node'];

/** The Compose project name that a directory suggests: `/srv/My Smesh` gives `my-smesh`. */
export function projectNameFor(directory: string): string {
  const last = directory.split('/').filter(Boolean).at(-1) ?? '';
  const legal = last
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '');
  return legal === '' ? 'smesh' : legal;
}

type NamedParts = Pick<Project, 'identities' | 'retired'>;

/**
 * Service names for identities that are about to be added, in their order: one that was here before gets its old name
 * back, the others go on after the highest number ever used, so that no name comes to mean another identity.
 */
export function namesFor(project: NamedParts, ids: readonly SmesherId[]): ReadonlyMap<SmesherId, string> {
  const used = [...project.identities, ...project.retired];
  let highest = Math.max(0, ...used.map(({ name }) => Number(/^post-(\d{1,9})$/.exec(name)?.[1] ?? 0)));
  const names = new Map<SmesherId, string>();
  for (const id of ids) {
    const former = project.retired.find((retired) => retired.id === id)?.name;
    if (former === undefined) highest += 1;
    names.set(id, former ?? `post-${String(highest).padStart(4, '0')}`);
  }
  return names;
}
