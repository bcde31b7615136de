import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { replacesOlder, withoutKey } from '../../domain/backup/complete.ts';
import type { Contents } from '../../domain/backup/contents.ts';
import { type BackupReason, backupFileName } from '../../domain/backup/file-name.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { genesisId } from '../../domain/node/networks.ts';
import type { Project } from '../../domain/project/types.ts';
import { explainSystemError } from '../../domain/system-error.ts';
import type { AgeLock } from '../../ports/age.ts';
import type { FileFacts } from '../../ports/files.ts';
import { version } from '../../version.ts';
import type { Context } from '../context.ts';
import { identitiesFolder } from '../node-keys.ts';
import { within } from '../observe/question.ts';
import { projectOwner } from '../owners.ts';
import { measure, packArchive } from './archive.ts';
import { destinationsOf, prepareDestination } from './destinations.ts';
import { noteMade, removeSuperseded } from './remove-superseded.ts';
import { ANSWERS_MS, type BackupSource, type BackupSources, collectSources } from './sources.ts';
import { clearStaging } from './staging.ts';

export interface MakeRequest {
  readonly reason: BackupReason;
  /** Absent: a plain archive without private keys. */
  readonly lock?: AgeLock;
  readonly withState: boolean;
  readonly also: readonly string[];
  /** Instead of those of smesh.yaml. */
  readonly destinations?: readonly string[];
  /** Never removed, whatever `backup.keep` says. */
  readonly spare?: string;
}

export interface MadeBackup {
  readonly contents: Contents;
  readonly encrypted: boolean;
  /** Written, synced and read back. */
  readonly paths: readonly string[];
  readonly bytes: number;
  readonly failed: readonly { readonly destination: string; readonly error: SmeshError }[];
  readonly removed: readonly string[];
}

/**
 * Makes a backup in every destination. What is written there is encrypted, or has no private key in it; the same bytes are
 * read back before a file counts. Rejects where not one destination got it. The caller holds the project's lock.
 */
export async function makeBackup(
  context: Context,
  project: Project,
  request: MakeRequest,
): Promise<MadeBackup> {
  try {
    await clearStaging(context);
    // Before the database is copied: what happens in it later is not in the copy.
    const at = context.clock.now();
    const withKeys = request.lock !== undefined;
    const collected = await collectSources(context, { ...request, project, withKeys });
    const contents = await contentsOf(context, project, request, collected, at);
    return await writeEverywhere(context, project, request, contents, collected.sources);
  } finally {
    await clearStaging(context);
  }
}

/** What a backup made now would say of itself. */
export async function contentsOf(
  context: Context,
  project: Project,
  request: MakeRequest,
  { sources, missing }: BackupSources,
  at: number,
): Promise<Contents> {
  const { files, system } = context.ports;
  const entries = [];
  for (const source of sources) {
    context.signal.throwIfAborted();
    entries.push(await measure(files, source));
  }
  const places = await diskPlaces(context, project);
  const beingMade = identitiesToBe(project);
  const { name, genesisTime } = project.network;
  const contents = {
    schemaVersion: 1 as const,
    tool: version,
    project: project.name,
    directory: context.directory,
    createdAt: new Date(at).toISOString(),
    reason: request.reason,
    host: system.hostname,
    network: { name, genesisTime, genesisId: genesisId(project.network) },
    nodeData: project.node.data,
    owners: {
      ...ownerOf('node', await files.facts(project.node.data)),
      ...ownerOf('project', await files.facts(context.directory)),
    },
    withKeys: request.lock !== undefined,
    identities: project.identities.map(({ id, name, data }) => {
      const disk = places.get(data);
      return { id, name, data, ...(disk === undefined ? {} : { disk }) };
    }),
    ...(beingMade.length === 0 ? {} : { beingMade }),
    entries,
  };
  const keyless = withoutKey(contents).map((identity) => ({
    path: `${identitiesFolder(project)}/${identity}.key`,
    why: `no private key of ${identity} was found`,
  }));
  return { ...contents, missing: [...missing, ...keyless] };
}

function identitiesToBe({ initialisation }: Project): NonNullable<Contents['beingMade']> {
  const jobs = initialisation?.jobs ?? [];
  return [...new Map(jobs.map(({ id, name, identity = name }) => [id, { id, name: identity }])).values()];
}

function ownerOf(name: 'node' | 'project', facts: FileFacts | undefined) {
  return facts === undefined ? {} : { [name]: { uid: facts.uid, gid: facts.gid } };
}

async function diskPlaces({ ports, clock }: Context, { identities }: Project) {
  const scanner = await ports.scanner();
  const real = await Promise.all(
    identities.map(async ({ data }) => {
      const real = await within(clock, ports.files.realPath(data), ANSWERS_MS);
      return [data, real ?? data] as const;
    }),
  );
  const places = scanner.diskPlaces(real.map(([, path]) => path));
  return new Map(real.map(([data, path]) => [data, places.get(path)]));
}

async function writeEverywhere(
  context: Context,
  project: Project,
  request: MakeRequest,
  contents: Contents,
  sources: readonly BackupSource[],
): Promise<MadeBackup> {
  const { files } = context.ports;
  const paths: string[] = [];
  const failed: { destination: string; error: SmeshError }[] = [];
  const removed: string[] = [];
  const taken = new Map<string, string>();
  const owner = await projectOwner(context);
  let made: { readonly digest: string; readonly size: number } | undefined;
  for (const destination of request.destinations ?? destinationsOf(context, project)) {
    try {
      const real = await prepareDestination(context, project, destination, taken, owner);
      const [first] = paths;
      // The others get the same bytes: asked twice, a database may have gone on meanwhile.
      const content =
        first === undefined ? await encrypted(context, request, contents, sources) : files.readChunks(first);
      const written = await writeOne(context, project, request, contents, destination, content);
      if (made !== undefined && made.digest !== written.digest) throw readBackDifferently(written.path);
      made = written;
      paths.push(written.path);
      taken.set(real, destination);
      await noteMade(context, written.path, owner);
      const spared = request.spare === undefined ? paths : [...paths, request.spare];
      if (replacesOlder(contents))
        removed.push(...(await removeSuperseded(context, project, destination, spared)));
    } catch (error) {
      const explained = explainSystemError(error) ?? error;
      if (!(explained instanceof SmeshError) || explained.exitCode === ExitCode.cancelled) throw error;
      failed.push({ destination, error: explained });
    }
  }
  if (made === undefined) throw nothingWritten(failed);
  return { contents, encrypted: request.lock !== undefined, paths, bytes: made.size, failed, removed };
}

async function encrypted(
  context: Context,
  { lock }: MakeRequest,
  contents: Contents,
  sources: readonly BackupSource[],
): Promise<AsyncIterable<Uint8Array>> {
  const plain = packArchive(context.ports.files, contents, sources);
  if (lock !== undefined) return (await context.ports.age()).encrypt(plain, lock);
  const secret = contents.entries.find((entry) => entry.secret);
  if (secret !== undefined) throw new Error(`${secret.path} must not go into a plain archive`);
  return plain;
}

async function writeOne(
  context: Context,
  project: Project,
  request: MakeRequest,
  contents: Contents,
  destination: string,
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly path: string; readonly digest: string; readonly size: number }> {
  const { files } = context.ports;
  const owner = await projectOwner(context);
  await removeOldLeftovers(context, project, destination);
  const path = await freePath(context, project, request, contents, destination);
  const hash = sha256.create();
  let size = 0;
  async function* counted() {
    for await (const piece of content) {
      context.signal.throwIfAborted();
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
  }
  await files.writeNewFrom(path, counted(), { mode: 0o600, ...owner });
  const digest = bytesToHex(hash.digest());
  const back = sha256.create();
  for await (const piece of files.readChunks(path)) back.update(piece);
  if (bytesToHex(back.digest()) !== digest) {
    await files.removeOwn(path);
    throw readBackDifferently(path);
  }
  return { path, digest, size };
}

const LEFTOVER_MS = 3_600_000;

/** Of runs that were killed; another project of this name may be writing to the same folder just now. */
async function removeOldLeftovers({ ports, clock }: Context, { name }: Project, folder: string) {
  for (const { name: file } of await ports.files.list(folder)) {
    if (!file.startsWith(`.smesh-${name}-`) || !file.endsWith('.tmp')) continue;
    const facts = await ports.files.facts(`${folder}/${file}`);
    if (facts !== undefined && clock.now() - facts.modifiedMs > LEFTOVER_MS)
      await ports.files.removeOwn(`${folder}/${file}`);
  }
}

async function freePath(
  { ports }: Context,
  project: Project,
  { reason, lock }: MakeRequest,
  contents: Contents,
  destination: string,
): Promise<string> {
  for (let number = 1; ; number += 1) {
    const at = Date.parse(contents.createdAt);
    const name = { project: project.name, at, reason, encrypted: lock !== undefined, number };
    const path = `${destination}/${backupFileName(name)}`;
    if (!(await ports.files.exists(path))) return path;
  }
}

function readBackDifferently(path: string): SmeshError {
  return new SmeshError(
    'backup-not-written',
    ExitCode.invalid,
    `${path} reads back differently from what was written: the disk is at fault`,
    { hint: 'Look at the disk (dmesg tells what it says), and name another folder: backup.to' },
  );
}

function nothingWritten(failed: readonly { readonly destination: string; readonly error: SmeshError }[]) {
  const [first] = failed;
  return new SmeshError(
    'no-backup',
    first?.error.exitCode === ExitCode.refused ? ExitCode.refused : ExitCode.invalid,
    'No backup could be written',
    {
      details: failed.map(({ destination, error }) => `${destination}: ${error.message}`),
      hint: first?.error.hint ?? 'Name a folder in smesh.yaml: backup.to',
    },
  );
}
