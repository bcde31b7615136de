import { dirname } from 'node:path';
import type { PendingKey } from '../../domain/identity/decide-pending.ts';
import { pendingKeyFile } from '../../domain/identity/pending-key.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import { freshNames, RESERVED_NAMES, SERVICE_NAME } from '../../domain/project/name.ts';
import type { Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { newKey } from './make-key.ts';
import type { KeyToBe } from './plan-new.ts';

const DEPTH = 4;
/** What the name of a job has behind that of its identity. */
const LONGEST_ENDING = '-init-999';

/**
 * Keys for new identities. First those that wait without a job: they are of a run that was interrupted, and have their
 * backup yet to be made. The others are drawn in memory.
 *
 * @param places where the new data goes
 */
export async function drawKeys(
  context: Context,
  project: Project,
  places: readonly string[],
  pending: readonly PendingKey[],
  count: number,
): Promise<readonly KeyToBe[]> {
  const installed = await readInstalledKeys(context, identitiesFolder(project));
  const free = orphans(
    project,
    pending,
    installed.map(({ smesherId }) => smesherId),
  );
  const waiting = (await withoutData(context, places, named(context, free))).slice(0, count);
  const names = freshNames(
    project,
    pending.map(({ name }) => name),
    count - waiting.length,
  );
  const fresh = names.map((name) => {
    const made = newKey(context.ports.crypto);
    return { name, id: made.smesherId, made };
  });
  return [...waiting, ...fresh];
}

/**
 * Keys that wait for data that no job makes, with a name that is still theirs. A copy under a second name is the same
 * identity, and one that the node reads already would be asked for its proof until the data is there.
 */
function orphans(
  project: Project,
  pending: readonly PendingKey[],
  installed: readonly (SmesherId | undefined)[],
): readonly KeyToBe[] {
  const jobs = project.initialisation?.jobs ?? [];
  const taken = [...project.identities, ...project.retired, ...jobs];
  const names = new Set([
    ...taken.map(({ name }) => name),
    ...jobs.flatMap(({ identity }) => identity ?? []),
  ]);
  const used = new Set([...taken.map(({ id }) => id), ...installed]);
  return pending.flatMap(({ name, smesherId }) => {
    if (smesherId === undefined || names.has(name) || used.has(smesherId)) return [];
    used.add(smesherId);
    return [{ name, id: smesherId }];
  });
}

/** A file that a hand renamed may be called what no service can be. */
function named({ out }: Context, keys: readonly KeyToBe[]): readonly KeyToBe[] {
  return keys.filter(({ name, id }) => {
    const fits = SERVICE_NAME.test(`${name}${LONGEST_ENDING}`) && !RESERVED_NAMES.includes(name);
    if (!fits)
      out.warn(
        `${pendingKeyFile(name)} (${shortId(id)}) is not used: ${JSON.stringify(name)} can be no service's name. Give the file another one, such as ${pendingKeyFile('post-0001')}`,
      );
    return fits;
  });
}

/** One whose job somebody took out by hand may have its data already: made a second time, one of the two is for nothing. */
async function withoutData(
  context: Context,
  places: readonly string[],
  keys: readonly KeyToBe[],
): Promise<readonly KeyToBe[]> {
  if (keys.length === 0) return [];
  const scanner = await context.ports.scanner();
  const { directories } = await scanner.scan({
    roots: [...new Set(places.flatMap((path) => [path, dirname(path)]))],
    currentDirectory: context.directory,
    alsoMounted: true,
    maxDepth: DEPTH,
    keyPlaces: [],
    ignore: [],
  });
  const found = new Map<SmesherId, string>(
    directories.flatMap(({ metadata, path }) =>
      metadata === undefined ? [] : [[metadata.smesherId, path] as const],
    ),
  );
  return keys.filter(({ name, id }) => {
    const path = found.get(id);
    if (path !== undefined)
      context.out.warn(
        `The key of ${name} (${shortId(id)}) waits, and is not used here: its data is in ${path}. Go on with it: smesh-compose post init --resume ${quoteForShell(path)}`,
      );
    return path === undefined;
  });
}
