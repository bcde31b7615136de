import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { namesFor, SERVICE_NAME } from '../../domain/project/name.ts';
import type { NewIdentity } from '../../domain/project/new-project.ts';
import type { Project } from '../../domain/project/types.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { Candidate } from './choose-directories.ts';
import type { InitOptions } from './options.ts';

/** Names of the new services: asked, given, or the next free numbers. */
export async function nameIdentities(
  context: Context,
  options: InitOptions,
  project: Pick<Project, 'identities' | 'retired' | 'initialisation'>,
  chosen: readonly Candidate[],
): Promise<readonly NewIdentity[]> {
  const suggested = namesFor(
    project,
    chosen.map(({ smesherId }) => smesherId),
  );
  const names = chosen.map(({ smesherId }) => suggested.get(smesherId) ?? '');
  const given = options.serviceNames ?? (await askNames(context, names));
  if (given.length !== chosen.length) {
    throw new SmeshError(
      'bad-name',
      ExitCode.usage,
      `${plural(given.length, 'name')} for ${plural(chosen.length, 'post-service')}: --service-names wants one for each, in the order of scan`,
      { hint: 'Nothing was changed.' },
    );
  }
  return chosen.map(({ smesherId, directory }, index) => ({
    id: smesherId,
    name: given[index] ?? '',
    data: directory.path,
  }));
}

async function askNames(context: Context, names: readonly string[]): Promise<readonly string[]> {
  if (context.yes || !context.out.interactive) return names;
  const [first = '', last = first] = [names[0], names.at(-1)];
  const initial = names.length === 1 ? first : `${first} … ${last}`;
  const answer = await context.ports.prompt.input({
    message: names.length === 1 ? 'Name of the post-service' : 'Names of the post-services',
    ...(names.length === 1
      ? {}
      : {
          explanation: `Enter takes the suggested ones; or type ${names.length} names, separated by commas.`,
        }),
    flag: '--service-names NAME…',
    initial,
    validate: (text) => {
      if (text === initial) return undefined;
      const list = splitNames(text);
      if (list.length !== names.length) return `${list.length} names for ${names.length} services`;
      const wrong = list.find((name) => !SERVICE_NAME.test(name));
      return wrong === undefined ? undefined : `${wrong}: small letters, digits and hyphens only`;
    },
  });
  return answer === initial ? names : splitNames(answer);
}

function splitNames(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
