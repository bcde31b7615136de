import { readLabels } from './labels.ts';
import type { ObservedContainer } from './observed.ts';
import { isNodeProgram, isProverProgram } from './who-serves.ts';

/** What a container of a project does there. */
export type ContainerRole = 'node' | 'prover' | 'other';

/**
 * By its label; one without, which a person wrote into the same Compose project, by its program, its image and the name
 * of its service. Whoever may prove counts as a prover: nobody would ask it otherwise before it is stopped.
 *
 * @param names services of the project's identities
 */
export function containerRole(
  container: Pick<ObservedContainer, 'labels' | 'command' | 'image' | 'service'>,
  names: ReadonlySet<string>,
): ContainerRole {
  const { labels, command, image, service } = container;
  const role = readLabels(labels)?.role;
  if (role === 'node' || role === 'prover') return role;
  if (role !== undefined) return 'other';
  const program = image.split('@', 1)[0]?.split('/').at(-1)?.split(':', 1)[0] ?? '';
  if (command.some(isProverProgram) || isProverProgram(program)) return 'prover';
  if (command.some(isNodeProgram) || isNodeProgram(program) || service === 'node') return 'node';
  return service !== undefined && names.has(service) ? 'prover' : 'other';
}

/** The same for all containers of one project. */
export function rolesIn(project: {
  readonly identities: readonly { readonly name: string }[];
}): (container: Parameters<typeof containerRole>[0]) => ContainerRole {
  const names = new Set(project.identities.map(({ name }) => name));
  return (container) => containerRole(container, names);
}

/** Its process exists, or will again in a moment. */
export function isUp({ state }: Pick<ObservedContainer, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}
