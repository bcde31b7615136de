import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { isNodeProgram, servedFolders } from '../../domain/compose/who-serves.ts';
import { hasLetGo } from '../../domain/identity/let-go.ts';
import type { Place } from '../../domain/identity/places.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { FilesPort } from '../../ports/files.ts';
import { isAlive } from '../engine-nodes.ts';
import type { FolderHolder, FolderReader } from './folder-reader.ts';
import { nodeDataFolder } from './node-data-folder.ts';

export interface ContainerQuestion {
  readonly files: FilesPort;
  readonly reader: FolderReader;
  /** Paths of this host are paths of the engine's host. */
  readonly engineIsHere: boolean;
  /** Containers of the project in question. */
  readonly own: ReadonlySet<string>;
  /** Its name: what is of the same one and not its own must not be taken away by taking all of it down. */
  readonly projectName?: string;
}

/** What one container of the engine has of identities, whatever made it and whether it runs (S2, S23). */
export async function placesOfContainer(
  question: ContainerQuestion,
  container: ObservedContainer,
): Promise<readonly Place[]> {
  const { reader, engineIsHere } = question;
  const labels = readLabels(container.labels);
  // Jobs of the `init` profile work on directories that are not proved yet.
  if (labels?.role === 'initialisation') return [];
  const folders = engineIsHere ? servedFolders(container) : { post: [], node: [] };
  const runs = isAlive(container.state);
  const { project } = container;
  const who =
    project === undefined
      ? `container ${container.name}`
      : `container ${container.name} of Compose project ${project}`;
  const holder: FolderHolder = { who, live: runs, stop: `docker stop ${container.name}` };
  const inside = engineIsHere && runs ? await folderInside(question, container, holder, folders.node) : [];
  const [data, keys] = await Promise.all([
    Promise.all(folders.post.map(async (path) => ({ path, ids: await reader.dataOf(path) }))),
    Promise.all(
      [...folders.node, ...inside].map(async (path) => ({ path, found: await reader.keysOf(path, holder) })),
    ),
  ]);
  const labelled = labels?.smesherId;
  const byData = new Map<SmesherId, string | undefined>([
    ...(labelled === undefined ? [] : [[labelled, undefined] as const]),
    ...data.flatMap(({ path, ids }) => ids.map((id) => [id, path] as const)),
  ]);
  const byKey = new Map<SmesherId, string>(
    keys.flatMap(({ path, found }) =>
      [...found.keys, ...stillLoaded(container, found.left)].map((id) => [id, `${path}/identities`] as const),
    ),
  );
  const removal =
    project === undefined
      ? `docker rm -f ${container.name}`
      : project === question.projectName
        ? `docker stop ${container.name} && docker rm ${container.name}`
        : `docker compose -p ${project} down`;
  // Of a Compose project others may prove even where this one does not.
  const mayProve = (project ?? question.projectName) !== question.projectName || (runs && byData.size > 0);
  const remedy = mayProve ? whenIdle(removal) : removal;
  const own = question.own.has(container.id);
  const place = (smesherId: SmesherId, by: Place['by'], path: string | undefined): Place => ({
    smesherId,
    by,
    use: 'serves',
    who,
    holder: own ? 'own' : `container ${container.id}`,
    runs,
    live: runs || (by === 'key' && project !== undefined && !container.oneOff),
    own,
    remedy,
    ...(path === undefined ? {} : { path }),
  });
  return [
    ...[...byData].map(([id, path]) => place(id, 'data', path)),
    ...[...byKey].map(([id, path]) => place(id, 'key', path)),
  ];
}

/** Keys that were taken away while this node ran: it reads them only at its start. */
function stillLoaded(
  { state, startedAt }: ObservedContainer,
  left: Awaited<ReturnType<FolderReader['keysOf']>>['left'],
): readonly SmesherId[] {
  if (!isAlive(state)) return [];
  return left.filter((lease) => !hasLetGo(lease, [{ startedAt }])).map(({ smesherId }) => smesherId);
}

/**
 * A node without a mount for its data keeps its keys inside the container, where only root can look (spacemesh.md §1.2).
 *
 * @param mounted what it may have its keys in otherwise
 */
async function folderInside(
  { files, reader }: ContainerQuestion,
  { pid, command, mounts }: ObservedContainer,
  holder: FolderHolder,
  mounted: readonly string[],
): Promise<readonly string[]> {
  const program = command.findIndex(isNodeProgram);
  if (program < 0 || pid === undefined) return [];
  const root = `/proc/${pid}/root`;
  const folder = await nodeDataFolder(files, command.slice(program), { root, home: '/root' });
  // What is mounted was found by its place on the host.
  if (mounts.some(({ target }) => folder === target || folder.startsWith(`${target}/`))) return [];
  const path = `${root}/${folder.replace(/^\/+/, '')}`;
  const look = await files.facts(root).then(
    (facts) => (facts === undefined ? 'ended' : 'open'),
    () => 'closed',
  );
  if (look === 'open') return [path];
  // One with a folder on the host has its keys there; only of one without any nothing at all is known.
  if (look === 'closed' && mounted.length === 0) reader.close(path, holder);
  return [];
}

/** What ends a post-service ends its proof, and how far that is can be asked where it is served (spacemesh.md §9.1). */
export function whenIdle(command: string): string {
  return `${command}   (when nothing proves there: it stops proofs in progress)`;
}
