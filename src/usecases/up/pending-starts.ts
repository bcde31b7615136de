import * as z from 'zod';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

/**
 * Containers that ran and are being recreated: Compose makes the new ones without starting them. Whoever is killed in
 * between leaves provers down that should run, so their names are on disk first and the next command starts them
 * (design §4).
 */
const schema = z.object({ version: z.literal(1), services: z.array(z.string()) });

function pathOf(context: Context): string {
  return `${stateFolder(context.directory)}/pending-starts.json`;
}

/** Services that an interrupted command recreated, or was about to. Damage counts as none: `up` starts all anyway. */
export async function readPendingStarts(context: Context): Promise<readonly string[]> {
  const text = await context.ports.files.readTextIfPresent(pathOf(context));
  if (text === undefined) return [];
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.services : [];
  } catch {
    return [];
  }
}

export async function notePendingStarts(context: Context, services: readonly string[]): Promise<void> {
  if (services.length === 0) return;
  const earlier = await readPendingStarts(context);
  const all = [...new Set([...earlier, ...services])];
  await context.ports.files.makeDirectory(stateFolder(context.directory), { mode: 0o700 });
  await context.ports.files.writeAtomic(
    pathOf(context),
    `${JSON.stringify({ version: 1, services: all })}\n`,
    { mode: 0o600 },
  );
}

export async function clearPendingStarts(context: Context): Promise<void> {
  if (await context.ports.files.exists(pathOf(context))) await context.ports.files.removeOwn(pathOf(context));
}

/**
 * Starts what an interrupted command left recreated but down; for commands that would not start it themselves. Answers
 * the services that it started.
 */
export async function finishPendingStarts(context: Context, project: string): Promise<readonly string[]> {
  const pending = await readPendingStarts(context);
  if (pending.length === 0) return [];
  const docker = await context.ports.docker();
  const containers = await docker.containers({ project });
  const started: string[] = [];
  for (const container of containers) {
    if (container.service === undefined || !pending.includes(container.service)) continue;
    if (container.state !== 'created') continue;
    await docker.start(container.id);
    started.push(container.service);
  }
  await clearPendingStarts(context);
  return started;
}
