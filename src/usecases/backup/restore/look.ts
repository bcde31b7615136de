import { dirname } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { BackupEntry, Contents } from '../../../domain/backup/contents.ts';
import { targetOf } from '../../../domain/backup/restore-targets.ts';
import { ExitCode, SmeshError } from '../../../domain/errors.ts';
import type { InstalledKey } from '../../../domain/identity/decide-keys.ts';
import { METADATA_FILE } from '../../../domain/post/metadata.ts';
import { parseProject, requireProject } from '../../../domain/project/parse.ts';
import type { Project } from '../../../domain/project/types.ts';
import type { Context } from '../../context.ts';
import { PROJECT_FILE } from '../../load-project.ts';
import { identitiesFolder, readInstalledKeys } from '../../node-keys.ts';
import { readPendingKeys } from '../../pending-keys.ts';
import { withCopy } from '../staging.ts';
import type { VerifiedBackup } from '../verify.ts';

/** A file of the backup, where it goes, and what is there now. */
export interface RestoreItem {
  readonly entry: BackupEntry;
  readonly target: string;
  readonly present: 'absent' | 'same' | 'other';
}

export interface RestoreLook {
  readonly contents: Contents;
  /** As its smesh.yaml in the backup says, in the folder that is restored. */
  readonly project: Project;
  /** As the smesh.yaml that stands there now says, where it can be read. */
  readonly standing: Project | undefined;
  readonly items: readonly RestoreItem[];
  /** In the node's folder, those that wait for their data too. */
  readonly keys: readonly InstalledKey[];
  readonly hasDatabase: boolean;
  /** What a database has left that is not there itself. */
  readonly strayJournals: readonly string[];
  /** Keys, a database or a project file are there already. */
  readonly occupied: boolean;
}

/** What a backup would put where, and what is there now. Changes nothing; local.sql is copied beside itself for the moment. */
export async function lookAtTarget(
  context: Context,
  { contents, files }: VerifiedBackup,
): Promise<RestoreLook> {
  const project = projectInBackup(context, contents, files);
  const places = { directory: context.directory, nodeData: project.node.data, ...poetPlace(project) };
  const items: RestoreItem[] = [];
  for (const entry of contents.entries) {
    const target =
      entry.kind === 'metadata'
        ? await metadataTarget(context, project, entry)
        : targetOf(entry, contents, places);
    // Several directories of one identity: the first is the one of smesh.yaml.
    if (target === undefined || items.some((item) => item.target === target)) continue;
    items.push({ entry, target, present: await presence(context, entry, target, files.get(entry.path)) });
  }
  const folder = identitiesFolder(project);
  const keys = [...(await readInstalledKeys(context, folder)), ...(await readPendingKeys(context, folder))];
  const hasDatabase = await context.ports.files.exists(`${project.node.data}/local.sql`);
  const text = await context.ports.files.readTextIfPresent(`${context.directory}/${PROJECT_FILE}`);
  const parsed = text === undefined ? undefined : parseProject(text, { directory: context.directory });
  const standing = parsed?.ok === true ? parsed.project : undefined;
  const occupied = keys.length > 0 || hasDatabase || text !== undefined;
  const strayJournals = await strayIn(context, project.node.data);
  return { contents, project, standing, items, keys, hasDatabase, strayJournals, occupied };
}

function poetPlace({ ownPoet }: Project): { readonly poetData?: string } {
  return ownPoet === undefined ? {} : { poetData: ownPoet.data };
}

function projectInBackup(
  context: Context,
  contents: Contents,
  files: ReadonlyMap<string, Uint8Array>,
): Project {
  const bytes = files.get(`project/${PROJECT_FILE}`);
  if (bytes === undefined)
    throw new SmeshError('damaged-backup', ExitCode.invalid, `There is no ${PROJECT_FILE} in this backup`, {
      hint: `Its keys can be taken out by hand: age -d FILE | tar -x   (made by smesh-compose ${contents.tool})`,
    });
  const text = Buffer.from(bytes).toString('utf8');
  return requireProject(text, { directory: context.directory, file: `${PROJECT_FILE} in the backup` })
    .project;
}

/** Only where labels lie without it: an empty folder is the place where a disk is not mounted. */
async function metadataTarget(
  { ports }: Context,
  project: Project,
  { smesherId }: BackupEntry,
): Promise<string | undefined> {
  const data = project.identities.find(({ id }) => id === smesherId)?.data;
  if (data === undefined) return undefined;
  const target = `${data}/${METADATA_FILE}`;
  const lacks = async () =>
    !(await ports.files.exists(target)) && ports.files.exists(`${data}/postdata_0.bin`);
  return (await lacks().catch(() => false)) ? target : undefined;
}

async function presence(
  context: Context,
  entry: BackupEntry,
  target: string,
  bytes: Uint8Array | undefined,
): Promise<RestoreItem['present']> {
  const { files } = context.ports;
  const facts = await files.facts(target, 'nofollow');
  if (facts === undefined) return 'absent';
  if (entry.kind === 'database') return sameDatabase(context, entry, target);
  // Hundreds of GiB are not compared: what is there stays.
  if (bytes === undefined) return 'other';
  if (facts.kind !== 'file' || facts.size !== bytes.length) return 'other';
  return Buffer.from(bytes).equals(await files.readBytes(target)) ? 'same' : 'other';
}

/** Copied the same way as for a backup: the same rows in the same pages are the same bytes. */
async function sameDatabase(
  context: Context,
  entry: BackupEntry,
  target: string,
): Promise<RestoreItem['present']> {
  const { files } = context.ports;
  if (target.endsWith('-wal')) return 'other';
  return withCopy(context, target, dirname(target), async (staged) => {
    if (staged === undefined) return 'absent';
    if (staged.wal !== undefined) return 'other';
    return (await digestOfFile(files.readChunks(staged.path))) === entry.sha256 ? 'same' : 'other';
  });
}

async function strayIn({ ports }: Context, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of ['local.sql', 'state.sql']) {
    if (await ports.files.exists(`${folder}/${name}`)) continue;
    for (const ending of ['-wal', '-journal'])
      if (((await ports.files.facts(`${folder}/${name}${ending}`))?.size ?? 0) > 0)
        found.push(`${folder}/${name}${ending}`);
  }
  return found;
}

async function digestOfFile(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = sha256.create();
  for await (const piece of chunks) hash.update(piece);
  return bytesToHex(hash.digest());
}
