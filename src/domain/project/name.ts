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

type NamedParts = Pick<Project, 'identities' | 'retired' | 'initialisation'>;

const NUMBERED = /^post-(\d{1,9})$/;

/** Names of identities: those that are, that were, and that are to be when their data is made. */
function everNamed({ identities, retired, initialisation }: NamedParts): readonly {
  readonly id: SmesherId;
  readonly name: string;
}[] {
  const toBe = (initialisation?.jobs ?? []).flatMap(({ id, identity }) =>
    identity === undefined ? [] : [{ id, name: identity }],
  );
  return [...identities, ...retired, ...toBe];
}

function numbered(number: number): string {
  return `post-${String(number).padStart(4, '0')}`;
}

function highestOf(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(NUMBERED.exec(name)?.[1] ?? 0)));
}

/**
 * Service names for identities that are about to be added, in their order: one that was here before, or whose data is
 * being made here, gets its name, the others go on after the highest number ever used, so that no name comes to mean
 * another identity.
 */
export function namesFor(project: NamedParts, ids: readonly SmesherId[]): ReadonlyMap<SmesherId, string> {
  const used = everNamed(project);
  const given = used.filter(({ id }) => !project.identities.some((identity) => identity.id === id));
  let highest = highestOf(used.map(({ name }) => name));
  const names = new Map<SmesherId, string>();
  for (const id of ids) {
    const former = given.find((one) => one.id === id)?.name;
    if (former === undefined) highest += 1;
    names.set(id, former ?? numbered(highest));
  }
  return names;
}

/**
 * Names for identities that have no ID yet.
 *
 * @param taken further names that mean somebody: of keys that wait for their data
 */
export function freshNames(project: NamedParts, taken: readonly string[], count: number): readonly string[] {
  const highest = highestOf([...everNamed(project).map(({ name }) => name), ...taken]);
  return Array.from({ length: count }, (_, index) => numbered(highest + 1 + index));
}
