import { ExitCode, SmeshError } from '../domain/errors.ts';
import { shortId } from '../domain/identity/smesher-id.ts';
import { removeIdentity } from '../domain/project/edit.ts';
import { didYouMean } from '../domain/project/suggest.ts';
import type { Identity, Project } from '../domain/project/types.ts';
import { backUpBefore } from './backup/back-up-before.ts';
import type { Context } from './context.ts';
import { writeProject } from './init/write-project.ts';
import type { LoadedProject } from './load-project.ts';
import { warnOfOverride } from './warn-of-override.ts';

/** The identity that a word means: its name, its smesher ID or the beginning of it, its directory. */
export function findIdentity(project: Project, wanted: string): Identity {
  const exact = project.identities.find(
    ({ name, id, data }) => name === wanted || id === wanted.toLowerCase() || data === wanted,
  );
  if (exact !== undefined) return exact;
  const byId =
    wanted.length >= 4 ? project.identities.filter(({ id }) => id.startsWith(wanted.toLowerCase())) : [];
  const [only, second] = byId;
  if (only !== undefined && second === undefined) return only;
  const job = project.initialisation?.jobs.find(({ identity, id }) => identity === wanted || id === wanted);
  if (job !== undefined)
    throw new SmeshError(
      'being-made',
      ExitCode.usage,
      `${wanted} is no identity yet: its PoST data is being made (${job.name})`,
      {
        hint: `Nothing was changed. End the job: smesh-compose post stop ${job.name}   Its key and its data stay; to give them up, take the job out of smesh.yaml.`,
      },
    );
  const close = didYouMean(
    wanted,
    project.identities.map(({ name }) => name),
  );
  throw new SmeshError(
    'unknown-identity',
    ExitCode.usage,
    second === undefined
      ? `There is no identity ${wanted} in this project${close === undefined ? '' : `; did you mean ${close}?`}`
      : `${wanted} is the beginning of ${byId.length} smesher IDs: ${byId.map(({ name }) => name).join(', ')}`,
    { hint: 'Nothing was changed. They are listed by: smesh-compose status' },
  );
}

/**
 * Takes identities out of the model; their installed keys go to `.smesh/retired/`, because a key left in place goes on
 * registering (design §8). PoST data and original keys are not touched; `add` with the directory takes it back.
 */
export async function removeIdentities(
  context: Context,
  { project, text }: LoadedProject,
  request: { readonly names: readonly string[]; readonly dryRun: boolean; readonly force: boolean },
): Promise<number> {
  const gone = project.retired.filter(({ id, name }) =>
    request.names.some((wanted) => wanted === name || wanted.toLowerCase() === id),
  );
  // A name is never given to anybody else, so that asking twice for the same means the same.
  const removedBefore = (wanted: string) =>
    !project.identities.some(({ name, id }) => name === wanted || id === wanted.toLowerCase()) &&
    gone.some(({ id, name }) => wanted === name || wanted.toLowerCase() === id);
  const wanted = request.names.filter((name) => !removedBefore(name));
  if (wanted.length === 0) {
    if (context.json) context.out.json({ schemaVersion: 1, dryRun: request.dryRun, removed: [], steps: [] });
    else
      context.out.result(
        `${gone.map(({ name, id }) => `${name} (${shortId(id)})`).join(', ')}: removed before. Nothing was changed.`,
      );
    return ExitCode.ok;
  }
  const identities = [...new Set(wanted.map((name) => findIdentity(project, name)))];
  if (identities.length === project.identities.length) {
    throw new SmeshError(
      'last-identity',
      ExitCode.refused,
      'That would leave a node without any key, and a node without keys makes one by itself (local.key) that is in the way later.',
      { hint: 'Nothing was changed. To take the whole project down: smesh-compose down' },
    );
  }
  const { written, exitCode } = await writeProject(context, {
    command: 'remove',
    text: identities.reduce((edited, { id }) => removeIdentity(edited, id), text),
    options: { keys: [], repairKeys: false, dryRun: request.dryRun, force: request.force },
    keyFiles: [],
    before: () => backUpBefore(context, project, 'keys'),
    facts: { removed: identities.map(({ id, name, data }) => ({ id, name, data })) },
  });
  if (written) {
    const services = identities.map(({ name }) => name);
    await warnOfOverride(context, services);
  }
  if (written && !context.json) {
    const names = identities.map(({ name, id }) => `${name} (${shortId(id)})`).join(', ');
    context.out.result(
      `Removed ${names} from the project. PoST data and original keys are untouched.\nThe node goes on with it until it is restarted, and its post-service until it is removed: smesh-compose up does both once that is safe.`,
    );
    context.out.note(`Take it back with: smesh-compose add ${identities.map(({ data }) => data).join(' ')}`);
  }
  return exitCode;
}
