import { ExitCode, SmeshError } from '../domain/errors.ts';
import { didYouMean } from '../domain/project/suggest.ts';
import type { Project } from '../domain/project/types.ts';

/**
 * Names and smesher IDs (eight digits or more) as typed → services; `undefined`: all. A word that is neither ends with
 * exit 2.
 *
 * @param names services that there are
 */
export function resolveServices(
  words: readonly string[],
  project: Pick<Project, 'identities'>,
  names: readonly string[],
): readonly string[] | undefined {
  if (words.length === 0) return undefined;
  return words.map((word) => {
    if (names.includes(word)) return word;
    const byId = project.identities.filter(({ id }) => word.length >= 8 && id.startsWith(word.toLowerCase()));
    const [identity] = byId;
    if (identity !== undefined && byId.length === 1) return identity.name;
    const meant = didYouMean(word, names);
    throw new SmeshError(
      'unknown-service',
      ExitCode.usage,
      `There is no service ${JSON.stringify(word)} in this project`,
      {
        hint: meant === undefined ? `Services: ${names.slice(0, 10).join(', ')}` : `Did you mean ${meant}?`,
      },
    );
  });
}
