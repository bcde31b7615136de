import { basename, dirname } from 'node:path';
import type { BackupEntry } from '../../domain/backup/contents.ts';
import { PROJECT_FILES, UNITS_FOLDER } from '../../domain/backup/restore-targets.ts';
import { isTarPath } from '../../domain/doctor/tar.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import { LEASE_ENDING } from '../../domain/identity/lease.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { OWN_POET_KEY_FILE } from '../../domain/poet/own-poet.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { identitiesFolder } from '../node-keys.ts';
import { within } from '../observe/question.ts';
import { type StagedDatabase, stageDatabase } from './staging.ts';

/** A disk that sleeps is awake by then; a dead share answers never. */
export const ANSWERS_MS = 20_000;

/** A file that goes into a backup. Small ones are in memory, so that what is listed is what is packed. */
export interface BackupSource {
  readonly entry: Omit<BackupEntry, 'size' | 'sha256'>;
  readonly content: Uint8Array | { readonly file: string };
}

export interface SourcesRequest {
  readonly project: Project;
  /** Private keys are taken only for an archive that is encrypted. */
  readonly withKeys: boolean;
  readonly withState: boolean;
  /** `false` for a look only: databases are not copied. */
  readonly stage?: boolean;
  /** Data folders of other nodes. */
  readonly also: readonly string[];
}

export interface BackupSources {
  readonly sources: readonly BackupSource[];
  readonly missing: readonly { readonly path: string; readonly why: string }[];
}

/** Files of a project beside its databases are a few KiB; nobody's key or config has more. */
const LARGEST_SMALL_FILE = 64 * 1024 * 1024;

/**
 * Collects what a backup is made of. Databases are copied into the staging folder first, everything else is read at once.
 * What belongs to the project and cannot be read is an error; what lies on a disk that is away is listed as missing.
 */
export async function collectSources(context: Context, request: SourcesRequest): Promise<BackupSources> {
  const collector = new Collector(context, request.withKeys, request.stage ?? true);
  const { project } = request;
  for (const name of PROJECT_FILES)
    await collector.small(`project/${name}`, `${context.directory}/${name}`, 'project');
  await collector.units(`project/${UNITS_FOLDER}`, `${context.directory}/${UNITS_FOLDER}`);
  const state = stateFolder(context.directory);
  await collector.small('project/.smesh/history', `${state}/history`, 'history');
  await collector.folder('project/.smesh/retired', `${state}/retired`, 'retired-key');
  await collector.nodeFolder('node-data', project.node.data, identitiesFolder(project));
  if (project.ownPoet !== undefined)
    await collector.small(
      `poet/${OWN_POET_KEY_FILE}`,
      `${project.ownPoet.data}/${OWN_POET_KEY_FILE}`,
      'poet-key',
      true,
    );
  if (request.withState) await collector.state(project.node.data);
  await collector.postDirectories([
    ...project.identities,
    ...(await begunJobs(context, project.initialisation?.jobs ?? [])),
  ]);
  for (const [index, folder] of request.also.entries())
    await collector.nodeFolder(`other-node-${index + 1}`, folder, `${folder}/identities`);
  return collector;
}

/** A directory that is still to be made beside others has nothing yet, and is none whose disk is away. */
async function begunJobs<Job extends { readonly data: string }>(
  { clock, ports: { files } }: Context,
  jobs: readonly Job[],
): Promise<readonly Job[]> {
  const isThere = (path: string) =>
    within(
      clock,
      files.exists(path).catch(() => true),
      ANSWERS_MS,
    );
  const looks = jobs.map(async (job) => {
    const isNew = (await isThere(job.data)) === false && (await isThere(dirname(job.data))) === true;
    return isNew ? [] : [job];
  });
  return (await Promise.all(looks)).flat();
}

class Collector implements BackupSources {
  readonly sources: BackupSource[] = [];
  readonly missing: { path: string; why: string }[] = [];
  readonly #context: Context;
  readonly #withKeys: boolean;
  readonly #taken = new Set<string>();

  readonly #stage: boolean;

  constructor(context: Context, withKeys: boolean, stage: boolean) {
    this.#stage = stage;
    this.#context = context;
    this.#withKeys = withKeys;
  }

  /** A file that may be absent. */
  async small(path: string, origin: string, kind: BackupEntry['kind'], secret = false): Promise<void> {
    const found = await this.#read(path, origin, kind, secret);
    if (found !== undefined) this.#add(found);
  }

  async #read(
    path: string,
    origin: string,
    kind: BackupEntry['kind'],
    secret: boolean,
  ): Promise<BackupSource | undefined> {
    if (secret && !this.#withKeys) return undefined;
    const { files, crypto } = this.#context.ports;
    const facts = await files.facts(origin);
    if (facts?.kind !== 'file') return undefined;
    if (facts.size > LARGEST_SMALL_FILE) {
      this.missing.push({ path: origin, why: 'it is much too large for what it is called' });
      return undefined;
    }
    const content = await files.readBytes(origin);
    const isKey = kind === 'key' || kind === 'data-key' || kind === 'retired-key';
    const reading = isKey ? readKeyFile(content, crypto.publicKeyOfSeed) : undefined;
    const smesherId =
      reading === undefined || reading.kind === 'malformed' ? {} : { smesherId: reading.smesherId };
    return { entry: { path, kind, origin, mode: facts.mode, secret, ...smesherId }, content };
  }

  /** The keys in a folder, and the leases beside them. */
  async folder(path: string, folder: string, kind: 'key' | 'retired-key'): Promise<void> {
    const { files } = this.#context.ports;
    if ((await files.facts(folder))?.kind !== 'directory') return;
    for (const { name } of await files.list(folder)) {
      if (name.startsWith('.')) continue;
      if (name.endsWith(LEASE_ENDING)) await this.small(`${path}/${name}`, `${folder}/${name}`, 'lease');
      else if (/\.key/.test(name)) await this.small(`${path}/${name}`, `${folder}/${name}`, kind, true);
    }
  }

  async units(path: string, folder: string): Promise<void> {
    const { files } = this.#context.ports;
    if ((await files.facts(folder))?.kind !== 'directory') return;
    for (const { name } of await files.list(folder))
      if (name.endsWith('.service')) await this.small(`${path}/${name}`, `${folder}/${name}`, 'project');
  }

  /** What a node keeps for itself and nothing else can give back (spacemesh.md §6.1). */
  async nodeFolder(path: string, folder: string, identities: string): Promise<void> {
    const { files } = this.#context.ports;
    if ((await files.facts(folder)) === undefined)
      this.missing.push({ path: folder, why: 'it is not there: is its disk mounted?' });
    await this.folder(`${path}/identities`, identities, 'key');
    await this.#database(`${path}/local.sql`, `${folder}/local.sql`);
    // Its name until 1.3.
    await this.#database(`${path}/node_state.sql`, `${folder}/node_state.sql`);
    await this.small(`${path}/genesis.json`, `${folder}/genesis.json`, 'genesis');
    const p2p = `${folder}/p2p`;
    if ((await files.facts(p2p))?.kind !== 'directory') return;
    for (const { name } of await files.list(p2p))
      if (!name.startsWith('.')) await this.small(`${path}/p2p/${name}`, `${p2p}/${name}`, 'p2p', true);
  }

  /** Hundreds of GiB: not copied first, so the node must be down; with the -wal that a crash leaves. */
  async state(folder: string): Promise<void> {
    const { files } = this.#context.ports;
    for (const name of ['state.sql', 'state.sql-wal']) {
      const origin = `${folder}/${name}`;
      const facts = await files.facts(origin);
      if (facts === undefined) continue;
      const version = await this.#userVersion(origin, await files.exists(`${folder}/state.sql-wal`));
      const path = `node-data/${name}`;
      const entry = { path, kind: 'state' as const, origin, mode: facts.mode, secret: false, ...version };
      this.#add({ entry, content: { file: origin } });
    }
  }

  /** Never labels. A disk may be away, or a share dead, which must not keep the rest from being saved. */
  async postDirectories(all: readonly { readonly id: SmesherId; readonly data: string }[]): Promise<void> {
    // Several jobs may fill one directory, or fill several for one identity.
    const directories = [...new Map(all.map((one) => [one.data, one])).values()];
    const ids = directories.map(({ id }) => id);
    const found = await Promise.all(
      directories.map(({ id, data }, index) => {
        const before = ids.slice(0, index).filter((other) => other === id).length;
        const folder = `post/${id}${before === 0 ? '' : `-${before + 1}`}`;
        return within(this.#context.clock, this.#postDirectory(folder, id, data), ANSWERS_MS);
      }),
    );
    for (const [index, { data }] of directories.entries()) {
      const look = found[index];
      for (const source of look?.sources ?? []) this.#add(source);
      const why = look === undefined ? 'it did not answer in time: is it a share that is gone?' : look.why;
      if (why !== undefined) this.missing.push({ path: data, why });
    }
  }

  async #postDirectory(
    folder: string,
    smesherId: SmesherId,
    data: string,
  ): Promise<{ readonly sources: readonly BackupSource[]; readonly why?: string }> {
    const sources: BackupSource[] = [];
    try {
      if ((await this.#context.ports.files.facts(data)) === undefined)
        return { sources, why: 'it is not there: is its disk mounted?' };
      const place = (name: string) => [`${folder}/${name}`, `${data}/${name}`] as const;
      const metadata = await this.#read(...place(METADATA_FILE), 'metadata', false);
      if (metadata !== undefined) sources.push({ ...metadata, entry: { ...metadata.entry, smesherId } });
      for (const name of ['identity.key', 'key.bin']) {
        const key = await this.#read(...place(name), 'data-key', true);
        if (key !== undefined) sources.push(key);
      }
      return { sources };
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      return { sources, why: error.message };
    }
  }

  async #database(path: string, origin: string): Promise<void> {
    const { files } = this.#context.ports;
    const facts = await files.facts(origin);
    if (facts?.kind !== 'file') return;
    if (!this.#stage) {
      const entry = { path, kind: 'database' as const, origin, mode: facts.mode, secret: false };
      this.#add({ entry, content: { file: origin } });
      return;
    }
    const name = path.replaceAll('/', '-');
    const staged: StagedDatabase | undefined = await stageDatabase(this.#context, origin, name);
    if (staged === undefined) return;
    if (staged.raw !== undefined)
      this.#context.out.warn(`${origin} goes into the backup as it is: ${staged.raw}`);
    const version = await this.#userVersion(staged.path, staged.wal !== undefined);
    const meta = { kind: 'database' as const, mode: facts.mode, secret: false };
    this.#add({ entry: { ...meta, path, origin, ...version }, content: { file: staged.path } });
    if (staged.wal === undefined) return;
    const entry = { ...meta, path: `${path}-wal`, origin: `${origin}-wal` };
    this.#add({ entry, content: { file: staged.wal } });
  }

  /** Of a database whose newest first page is in its -wal the file alone says another one, or none. */
  async #userVersion(path: string, hasWal: boolean): Promise<{ userVersion?: number }> {
    if (hasWal) return {};
    const reading = await (await this.#context.ports.databaseVersion()).read(path);
    return reading.kind === 'read' ? { userVersion: reading.version } : {};
  }

  #add({ entry, content }: BackupSource): void {
    const { path, kind, origin } = entry;
    // A name that no archive can hold must not cost somebody the key in that file.
    const safe = isTarPath(path) ? path : `renamed/${this.sources.length}-${kind}${keyEnding(path)}`;
    if (this.#taken.has(safe))
      throw new SmeshError('backup-twice', ExitCode.invalid, `${origin} is named twice`);
    this.#taken.add(safe);
    this.sources.push({ entry: { ...entry, path: safe }, content });
  }
}

function keyEnding(path: string): string {
  return /\.[a-z]+$/.exec(basename(path))?.[0] ?? '';
}
