import { dirname } from 'node:path';
import type { RestoreDecision } from '../../../domain/backup/decide-restore.ts';
import { OWN_POET_FOLDERS } from '../../../domain/compose/poet.ts';
import type { Owner } from '../../../domain/compose/types.ts';
import { ExitCode, SmeshError } from '../../../domain/errors.ts';
import type { FileStep } from '../../../domain/plan/steps.ts';
import type { Project } from '../../../domain/project/types.ts';
import type { AgeKey } from '../../../ports/age.ts';
import type { Context } from '../../context.ts';
import { backupPath, runJournaled } from '../../journal.ts';
import { nodeOwner, projectOwner } from '../../owners.ts';
import { readBackup } from '../open.ts';
import type { VerifiedBackup } from '../verify.ts';
import type { RestoreLook } from './look.ts';

export type PutItem = RestoreDecision['put'][number];

/**
 * With these plain `docker compose up` starts a node, and `generate` makes them of smesh.yaml: they come when all else is
 * there.
 */
const STARTS_NODE: ReadonlySet<string> = new Set([
  'project/smesh.yaml',
  'project/compose.yaml',
  'project/node/config.json',
]);

interface Owners {
  readonly node: Owner;
  readonly project: Owner | undefined;
}

/**
 * Puts everything in its place, in an order in which a kill at any moment leaves a project that no node is started for
 * before its local.sql and all its keys are there: settings and databases first, then leases, then keys, and last what
 * Compose starts it with. Keys go from memory to their place and are in no journal: after a kill the same command is
 * typed again and finds out what is missing.
 */
export async function writeRestored(
  context: Context,
  file: string,
  key: AgeKey | undefined,
  { files: contents }: VerifiedBackup,
  look: RestoreLook,
  put: readonly PutItem[],
): Promise<void> {
  const { files } = context.ports;
  const owners = await ownersOf(context, look);
  const data = look.project.node.data;
  await files.makeDirectory(context.directory, owners.project);
  await files.makeDirectory(data, { mode: 0o700, ...owners.node });
  // A copy that a killed look has left there.
  await files.removeLeftovers(data);
  const databases = put.filter(({ entry }) => entry.kind === 'database' || entry.kind === 'state');
  // Backups may go elsewhere; copies of what is replaced are kept here.
  const copies = dirname(backupPath(context.directory, look.contents.createdAt, 'x'));
  if (put.some(({ replaces }) => replaces))
    await files.makeDirectory(copies, { mode: 0o700, ...owners.project });
  await stageDatabases(context, file, key, databases, owners.node);
  const first = put.filter((item) => !STARTS_NODE.has(item.entry.path));
  await journal(context, owners.project, [
    ...first.filter(({ entry }) => isText(entry.kind) && entry.kind !== 'lease').flatMap(textStep),
    ...databases.map(({ target, entry }) => {
      const what = entry.kind === 'state' ? 'state.sql of the backup' : 'local.sql of the backup';
      return { kind: 'replace-file' as const, from: stagedPath(target), to: target, what };
    }),
    { kind: 'make-directory' as const, path: `${data}/identities`, mode: 0o700, ...owners.node },
    ...first.filter(({ entry }) => entry.kind === 'lease').flatMap(textStep),
  ]);
  for (const item of put.filter(({ entry }) => entry.kind === 'key' || entry.kind === 'p2p'))
    await putSecret(context, item, contents.get(item.entry.path), owners.node);
  for (const item of put.filter(({ entry }) => entry.kind === 'poet-key')) {
    const owner = poetOwner(look.project, owners.node);
    await putSecret(context, item, contents.get(item.entry.path), owner);
    // Compose would make them as root, and the service could not write there.
    for (const folder of OWN_POET_FOLDERS)
      await files.makeDirectory(`${dirname(item.target)}/${folder}`, { mode: 0o700, ...owner });
  }
  await journal(
    context,
    owners.project,
    put.filter(({ entry }) => STARTS_NODE.has(entry.path)).flatMap(textStep),
  );

  function textStep({ entry, target }: PutItem): FileStep[] {
    const bytes = contents.get(entry.path);
    if (bytes === undefined) throw new Error(`${entry.path} was not read`);
    const ofNode = entry.kind === 'lease' || entry.kind === 'genesis';
    const owner = ofNode ? owners.node : entry.kind === 'metadata' ? {} : owners.project;
    const folder: FileStep[] = [
      { kind: 'make-directory', path: dirname(target), ...(ofNode ? owners.node : owners.project) },
    ];
    return [
      ...(entry.kind === 'metadata' ? [] : folder),
      {
        kind: 'write-file',
        path: target,
        content: Buffer.from(bytes).toString('utf8'),
        what: 'as in the backup',
        backup: backupPath(context.directory, look.contents.createdAt, `${entry.path}.replaced`),
        mode: entry.mode,
        ...owner,
      },
    ];
  }
}

/** As it was, where root restores into a folder that is not there; else as for every other command. */
async function ownersOf(context: Context, { contents, project }: RestoreLook): Promise<Owners> {
  const { files, system } = context.ports;
  const mayGive = system.user.uid === 0 && contents.host === system.hostname;
  const fresh = async (path: string) => mayGive && (await files.facts(path)) === undefined;
  const former = contents.owners;
  return {
    node:
      project.node.user === undefined && (await fresh(project.node.data)) && former.node !== undefined
        ? former.node
        : await nodeOwner(context, project),
    project: ((await fresh(context.directory)) ? former.project : undefined) ?? (await projectOwner(context)),
  };
}

/** As whom its service runs: only he can read its key. */
function poetOwner({ ownPoet }: Project, node: Owner): Owner {
  const [uid, gid] = (ownPoet?.user ?? '').split(':').map(Number);
  return ownPoet?.user !== undefined && uid !== undefined && gid !== undefined ? { uid, gid } : node;
}

function isText(kind: PutItem['entry']['kind']): boolean {
  return ['project', 'history', 'genesis', 'metadata', 'lease'].includes(kind);
}

/** On the same disk as its place, under a name that the node does not read. */
function stagedPath(target: string): string {
  const slash = target.lastIndexOf('/') + 1;
  return `${target.slice(0, slash)}.smesh-restored-${target.slice(slash)}`;
}

/** Reads the backup a second time: a database is never in memory. */
async function stageDatabases(
  context: Context,
  file: string,
  key: AgeKey | undefined,
  databases: readonly PutItem[],
  owner: Owner,
): Promise<void> {
  if (databases.length === 0) return;
  const { files } = context.ports;
  const targets = new Map(databases.map(({ entry, target }) => [entry.path, stagedPath(target)]));
  try {
    await readBackup(context, file, key, async (entry, content) => {
      const target = targets.get(entry.path);
      if (target === undefined) return;
      await files.removeOwn(target);
      await files.writeNewFrom(target, content, { mode: entry.mode & 0o666, ...owner });
    });
  } catch (error) {
    for (const target of targets.values()) await files.removeOwn(target);
    throw error;
  }
}

async function journal(
  context: Context,
  owner: Owner | undefined,
  steps: readonly FileStep[],
): Promise<void> {
  context.signal.throwIfAborted();
  await runJournaled(context.ports, {
    directory: context.directory,
    command: 'backup restore',
    at: context.clock.now(),
    steps,
    ...(owner === undefined ? {} : { owner }),
  });
}

/** Straight from memory to where it belongs; 0600, synced, read back. Never over another file. */
async function putSecret(
  context: Context,
  { target, entry }: PutItem,
  bytes: Uint8Array | undefined,
  owner: Owner,
): Promise<void> {
  const { files } = context.ports;
  if (bytes === undefined) throw new Error(`${entry.path} was not read`);
  await files.makeDirectory(dirname(target), { mode: 0o700, ...owner });
  // Of a run that was killed in the middle of one.
  await files.removeLeftovers(dirname(target));
  await files.writeNew(target, bytes, { mode: 0o600, ...owner });
  if (Buffer.from(bytes).equals(await files.readBytes(target))) return;
  throw new SmeshError(
    'key-not-written',
    ExitCode.invalid,
    `${target} was written, but reads back differently: the disk is at fault`,
    { hint: 'The backup is whole. Do not start the node from this disk; restore to another: --to DIR' },
  );
}
