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
  const folders: string[] = [];
  for (const path of request.paths) {
    const folder = await findSourceFolder(files, path);
    if (!folders.includes(folder)) folders.push(folder);
  }
  const configs = await findConfigs(files, folders, request.configs);
  const sources = await Promise.all(
    folders.map((folder, index) => observeSource(context, folder, configs[index])),
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
