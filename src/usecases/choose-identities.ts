import { ExitCode, SmeshError } from '../domain/errors.ts';
import { parseSmesherId, shortId } from '../domain/identity/smesher-id.ts';
import type { Identity, Project } from '../domain/project/types.ts';

/** Three digits are still a word: `add`, `bad`. */
const LEAST_DIGITS = 4;

/**
 * The identities that are named, by name or by the first digits of their smesher IDs, in the order of smesh.yaml; without
 * names: all. A name that means nothing or more than one is refused (exit 2).
 */
export function chooseIdentities(project: Project, names: readonly string[]): readonly Identity[] {
  if (names.length === 0) return project.identities;
  const chosen = new Set(names.map((name) => identityNamed(project, name)));
  return project.identities.filter((identity) => chosen.has(identity));
}

function identityNamed({ identities, name: project }: Project, name: string): Identity {
  const byName = identities.find((identity) => identity.name === name);
  if (byName !== undefined) return byName;
  const digits = name.toLowerCase();
  const isPrefix = digits.length >= LEAST_DIGITS && parseSmesherId(digits.padEnd(64, '0')) !== undefined;
  const byId = isPrefix ? identities.filter(({ id }) => id.startsWith(digits)) : [];
  const [found, other] = byId;
  if (found !== undefined && other === undefined) return found;
  if (found !== undefined) {
    throw new SmeshError('ambiguous-identity', ExitCode.usage, `${name} stands for more than one identity`, {
      details: byId.map((identity) => `${shortId(identity.id)}  ${identity.name}`),
      hint: 'Give more digits of the smesher ID, or the name.',
    });
  }
  const shown = identities.slice(0, 12).map((identity) => identity.name);
  throw new SmeshError(
    'unknown-identity',
    ExitCode.usage,
    `There is no identity ${JSON.stringify(name)} in ${project}`,
    { details: [`It has: ${shown.join(', ')}${identities.length > shown.length ? ', …' : ''}`] },
  );
}
