import type { ContainerState, ObservedContainer } from '../domain/compose/observed.ts';
import { mountedFolders, servedFolders } from '../domain/compose/who-serves.ts';
import { SmeshError } from '../domain/errors.ts';
import type { FilesPort } from '../ports/files.ts';
import type { Context } from './context.ts';

/** A node's data folder, told by its local.sql, that a container of the engine has. */
export interface EngineNode {
  readonly folder: string;
  /** Name of the container. */
  readonly container: string;
  readonly runs: boolean;
}

export interface EngineNodes {
  readonly nodes: readonly EngineNode[];
  /** Folders of nodes that this user may not enter: what is in them nobody can say. */
  readonly closed: readonly string[];
}

/** Whether what is in a container is at work, or goes on by itself. */
export function isAlive(state: ContainerState): boolean {
  return ['running', 'restarting', 'paused'].includes(state);
}

export function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as { code?: string } | null)?.code ?? '');
}

/** Looks for local.sql in everything that the containers mount; a history does not care who mounts it, nor whether it runs. */
export async function findNodeFolders(
  files: Pick<FilesPort, 'exists'>,
  containers: readonly ObservedContainer[],
): Promise<EngineNodes> {
  const closed = new Set<string>();
  const found = await Promise.all(
    containers.flatMap((container) => {
      const ofNode = servedFolders(container).node;
      return [...new Set([...ofNode, ...mountedFolders(container)])].map(async (folder) => {
        const present = await files.exists(`${folder}/local.sql`).catch((error: unknown) => {
          // Of what does not look like a node nobody needs to be told.
          if (isDenied(error) && ofNode.includes(folder)) closed.add(folder);
          return false;
        });
        return present ? [{ folder, container: container.name, runs: isAlive(container.state) }] : [];
      });
    }),
  );
  return { nodes: found.flat(), closed: [...closed].sort() };
}

/** An engine that hangs must not keep `init` waiting, which needs none. */
const PATIENCE_MS = 5000;

const NOBODY: EngineNodes = { nodes: [], closed: [] };

/**
 * The nodes of this machine's engine, for commands that work without one: no engine, or one elsewhere, has none. What
 * could not be looked at is warned of, because not known is not clean (design §8).
 */
export async function findEngineNodes(context: Context): Promise<EngineNodes> {
  try {
    const docker = await context.ports.docker();
    if (!docker.endpoint.startsWith('unix:')) return NOBODY;
    const containers = await withinPatience(context, docker.containers());
    if (containers === undefined) return unasked(context, `no answer within ${PATIENCE_MS / 1000} s`);
    const found = await findNodeFolders(context.ports.files, containers);
    if (found.closed.length > 0) {
      context.out.warn(
        `Another node's data may not be read (${found.closed.join(', ')}). Had these identities smeshed with it, they could be banned for ever: look as root (sudo) before anything is started.`,
      );
    }
    return found;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof SmeshError)) throw error;
    if (error.code === 'engine-permission') return unasked(context, 'you may not use its socket');
    if (error.code === 'engine-silent') return unasked(context, 'it gives no answer');
    return NOBODY;
  }
}

async function withinPatience<T>({ clock, signal }: Context, answer: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const timer = clock.sleep(PATIENCE_MS, AbortSignal.any([signal, done.signal]));
  try {
    return await Promise.race([answer, timer.then(() => undefined)]);
  } finally {
    done.abort();
  }
}

function unasked(context: Context, why: string): EngineNodes {
  context.out.warn(
    `Docker could not be asked about other nodes (${why}). Had these identities smeshed with one of them, they could be banned for ever: see smesh-compose plan before anything is started.`,
  );
  return NOBODY;
}
