import { dirname } from 'node:path';
import type { PendingKey } from '../../domain/identity/decide-pending.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import { freshNames } from '../../domain/project/name.ts';
import type { Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Context } from '../context.ts';
import { newKey } from './make-key.ts';
import type { KeyToBe } from './plan-new.ts';

const DEPTH = 4;

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
  const waiting = (await withoutData(context, places, orphans(project, pending))).slice(0, count);
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

/** Keys that wait for data that no job makes, with a name that is still theirs. */
function orphans(project: Project, pending: readonly PendingKey[]): readonly KeyToBe[] {
  const jobs = project.initialisation?.jobs ?? [];
  const taken = [...project.identities, ...project.retired, ...jobs];
  const names = new Set([
    ...taken.map(({ name }) => name),
    ...jobs.flatMap(({ identity }) => identity ?? []),
  ]);
  return pending.flatMap(({ name, smesherId }) =>
    smesherId === undefined || names.has(name) || taken.some(({ id }) => id === smesherId)
      ? []
      : [{ name, id: smesherId }],
  );
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
