import { basename } from 'node:path';
import type { BackupEntry } from '../../domain/backup/contents.ts';
import { PROJECT_FILES, UNITS_FOLDER } from '../../domain/backup/restore-targets.ts';
import { isTarPath } from '../../domain/doctor/tar.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import { LEASE_ENDING } from '../../domain/identity/lease.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { identitiesFolder } from '../node-keys.ts';
import { type StagedDatabase, stageDatabase } from './staging.ts';

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
  const collector = new Collector(context, request.withKeys);
  const { project } = request;
  for (const name of PROJECT_FILES)
    await collector.small(`project/${name}`, `${context.directory}/${name}`, 'project');
  await collector.units(`project/${UNITS_FOLDER}`, `${context.directory}/${UNITS_FOLDER}`);
  const state = stateFolder(context.directory);
  await collector.small('project/.smesh/history', `${state}/history`, 'history');
  await collector.folder('project/.smesh/retired', `${state}/retired`, 'retired-key');
  await collector.nodeFolder('node-data', project.node.data, identitiesFolder(project));
  if (request.withState) await collector.state(project.node.data);
  for (const { id, data } of [...project.identities, ...(project.initialisation?.jobs ?? [])])
    await collector.postDirectory(id, data);
  for (const [index, folder] of request.also.entries())
    await collector.nodeFolder(`other-node-${index + 1}`, folder, `${folder}/identities`);
  return collector;
}

class Collector implements BackupSources {
  readonly sources: BackupSource[] = [];
  readonly missing: { path: string; why: string }[] = [];
  readonly #context: Context;
  readonly #withKeys: boolean;
  readonly #taken = new Set<string>();

  constructor(context: Context, withKeys: boolean) {
    this.#context = context;
    this.#withKeys = withKeys;
  }

  /** A file that may be absent. */
  async small(path: string, origin: string, kind: BackupEntry['kind'], secret = false): Promise<void> {
    if (secret && !this.#withKeys) return;
    const { files, crypto } = this.#context.ports;
    const facts = await files.facts(origin);
    if (facts?.kind !== 'file') return;
    if (facts.size > LARGEST_SMALL_FILE) {
      this.missing.push({ path: origin, why: 'it is much too large for what it is called' });
      return;
    }
    const content = await files.readBytes(origin);
    const isKey = kind === 'key' || kind === 'data-key' || kind === 'retired-key';
    const reading = isKey ? readKeyFile(content, crypto.publicKeyOfSeed) : undefined;
    const id = reading === undefined || reading.kind === 'malformed' ? undefined : reading.smesherId;
    this.#add(path, { kind, origin, mode: facts.mode, secret }, content, id);
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
      const meta = { kind: 'state' as const, origin, mode: facts.mode, secret: false, ...version };
      this.#add(`node-data/${name}`, meta, { file: origin });
    }
  }

  /** Never labels. Its disk may be away, which must not keep the rest from being saved. */
  async postDirectory(id: BackupEntry['smesherId'], data: string): Promise<void> {
    const { files } = this.#context.ports;
    try {
      if ((await files.facts(data)) === undefined)
        throw Object.assign(new Error('it is not there: is its disk mounted?'), { code: 'ENOENT' });
      if (this.#taken.has(`post/${id}/${METADATA_FILE}`)) return;
      const facts = await files.facts(`${data}/${METADATA_FILE}`);
      if (facts?.kind === 'file') {
        const meta = { kind: 'metadata' as const, origin: `${data}/${METADATA_FILE}`, mode: facts.mode };
        const content = await files.readBytes(meta.origin);
        this.#add(`post/${id}/${METADATA_FILE}`, { ...meta, secret: false }, content, id);
      }
      for (const name of ['identity.key', 'key.bin'])
        await this.small(`post/${id}/${name}`, `${data}/${name}`, 'data-key', true);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      this.missing.push({ path: data, why: error.message });
    }
  }

  async #database(path: string, origin: string): Promise<void> {
    const { files } = this.#context.ports;
    const facts = await files.facts(origin);
    if (facts?.kind !== 'file') return;
    const name = path.replaceAll('/', '-');
    const staged: StagedDatabase | undefined = await stageDatabase(this.#context, origin, name);
    if (staged === undefined) return;
    if (staged.raw !== undefined)
      this.#context.out.warn(`${origin} goes into the backup as it is: ${staged.raw}`);
    const version = await this.#userVersion(staged.path, staged.wal !== undefined);
    const meta = { kind: 'database' as const, mode: facts.mode, secret: false };
    this.#add(path, { ...meta, origin, ...version }, { file: staged.path });
    if (staged.wal !== undefined)
      this.#add(`${path}-wal`, { ...meta, origin: `${origin}-wal` }, { file: staged.wal });
  }

  /** Of a database whose newest first page is in its -wal the file alone says another one, or none. */
  async #userVersion(path: string, hasWal: boolean): Promise<{ userVersion?: number }> {
    if (hasWal) return {};
    const reading = await (await this.#context.ports.databaseVersion()).read(path);
    return reading.kind === 'read' ? { userVersion: reading.version } : {};
  }

  #add(
    path: string,
    meta: Omit<BackupSource['entry'], 'path'>,
    content: BackupSource['content'],
    smesherId?: BackupEntry['smesherId'],
  ): void {
    // A name that no archive can hold must not cost somebody the key in that file.
    const safe = isTarPath(path) ? path : `renamed/${this.sources.length}-${meta.kind}${keyEnding(path)}`;
    if (this.#taken.has(safe))
      throw new SmeshError('backup-twice', ExitCode.invalid, `${meta.origin} is named twice`);
    this.#taken.add(safe);
    const id = smesherId === undefined ? {} : { smesherId };
    this.sources.push({ entry: { path: safe, ...meta, ...id }, content });
  }
}

function keyEnding(path: string): string {
  return /\.[a-z]+$/.exec(basename(path))?.[0] ?? '';
}
