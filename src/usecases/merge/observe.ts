import type { MergeFacts, MergeSource } from '../../domain/merge/facts.ts';
import type { Project } from '../../domain/project/types.ts';
import { parseImageReference } from '../../domain/upgrade/image-reference.ts';
import { knownDatabases } from '../../domain/upgrade/node-path.ts';
import { parseRelease } from '../../domain/upgrade/release.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { nodeOwner } from '../owners.ts';
import { findConfigs } from './find-config.ts';
import { type DataRequest, findData } from './find-data.ts';
import { findSourceFolder } from './find-source.ts';
import { observeSource } from './observe-source.ts';
import { databaseBytes, readDatabaseState, readGenesis } from './read-database.ts';
import { lookWhoWorks } from './who-works.ts';

export interface MergeRequest extends DataRequest {
  readonly paths: readonly string[];
  readonly configs: readonly string[];
}

/** Looks at the nodes that are to be merged and at the project. Reads only. */
export async function observeMerge(
  context: Context,
  project: Project,
  request: MergeRequest,
): Promise<MergeFacts> {
  const { files } = context.ports;
  const folders = await findFolders(context, request.paths);
  const configs = await findConfigs(files, folders, request.configs);
  const own = await sameness(context, project.node.data);
  const sources = await Promise.all(
    folders.map(async (folder, index): Promise<MergeSource> => {
      const source = await observeSource(context, folder, configs[index]);
      return own !== undefined && (await sameness(context, folder)) === own
        ? { ...source, isTarget: true }
        : source;
    }),
  );
  const installed = await readInstalledKeys(context, identitiesFolder(project));
  const nodeData = project.node.data;
  const [data, database, bytes, genesis, freeNode, freeProject, mayWrite] = await Promise.all([
    findData(context, project, sources, request),
    readDatabaseState(context, nodeData),
    databaseBytes(context, nodeData),
    readGenesis(context, nodeData),
    files.freeBytes(nodeData),
    files.freeBytes(context.directory),
    whatMayBeWritten(context, project, sources),
  ]);
  const wantedVersion = knownVersion(project);
  const facts: MergeFacts = {
    project,
    directory: context.directory,
    sources,
    installed,
    database,
    databaseBytes: bytes,
    genesis: genesis ?? {
      time: Date.parse(project.network.genesisTime),
      extraData: project.network.genesisExtraData,
    },
    ...(wantedVersion === undefined ? {} : { wantedVersion }),
    data,
    shares: await findShares(context, folders),
    atWork: [],
    free: { nodeData: freeNode, directory: freeProject },
    mayWrite,
  };
  return { ...facts, atWork: await lookAtAll(context, facts) };
}

/** The nodes that are named; one that is named twice, by a link or over a bind mount, is one. */
async function findFolders(context: Context, paths: readonly string[]): Promise<readonly string[]> {
  const folders = new Map<string, string>();
  for (const path of paths) {
    const folder = await findSourceFolder(context.ports.files, path);
    const key = (await sameness(context, folder)) ?? folder;
    if (!folders.has(key)) folders.set(key, folder);
  }
  return [...folders.values()];
}

/** A bind mount shows one folder under two paths, which no path tells. */
async function sameness({ ports }: Context, folder: string): Promise<string | undefined> {
  const facts = await ports.files.facts(folder).catch(() => undefined);
  return facts === undefined ? undefined : `${facts.device}:${facts.inode}`;
}

/** Who works on the nodes that are to be merged, and last on the project's own. */
export function lookAtAll(
  context: Context,
  { project, sources, installed }: Pick<MergeFacts, 'project' | 'sources' | 'installed'>,
): Promise<readonly (readonly string[])[]> {
  return lookWhoWorks(context, project, [
    ...sources.map(({ folder, keys, config }) => ({
      folder,
      ids: keys.map(({ smesherId }) => smesherId),
      lockFiles: config?.lockFile === undefined ? [] : [config.lockFile],
    })),
    {
      folder: project.node.data,
      ids: installed.flatMap(({ smesherId }) => smesherId ?? []),
      lockFiles: [],
    },
  ]);
}

/** What another host can mount as well: locks of its node are not seen here. */
async function findShares(
  context: Context,
  folders: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = (await context.ports.scanner()).diskNames(folders);
  return new Map(
    [...names].filter(([, name]) => /^(nfs|smb|cifs|9p|afs|ceph|gluster|lustre|virtiofs)/.test(name)),
  );
}

/** Of releases that were not read nobody knows. */
function knownVersion(project: Project): number | undefined {
  const release = parseRelease(parseImageReference(project.node.image)?.tag ?? '');
  return release === undefined ? undefined : knownDatabases(release).local;
}

/** Only root can make files that belong to somebody else, or rename those in somebody else's folder of mode 0700. */
async function whatMayBeWritten(
  context: Context,
  project: Project,
  sources: readonly MergeSource[],
): Promise<MergeFacts['mayWrite']> {
  const { uid } = context.ports.system.user;
  const owner = await nodeOwner(context, project);
  const may = (one: { readonly uid: number }) => uid === 0 || one.uid === uid;
  return { target: may(owner), sources: sources.map((source) => may(source.owner)) };
}
