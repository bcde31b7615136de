import { ExitCode, SmeshError } from '../domain/errors.ts';
import {
  decideKeys,
  type InstalledKey,
  type KeyDecision,
  type KeySource,
} from '../domain/identity/decide-keys.ts';
import { readKeyFile } from '../domain/identity/key-file.ts';
import { pendingName } from '../domain/identity/pending-key.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import { readMovedNotice } from '../domain/merge/moved-notice.ts';
import type { Project } from '../domain/project/types.ts';
import type { Context } from './context.ts';
import { findForeignHistory, foreignHistoryError } from './init/foreign-history.ts';
import { stateFolder } from './journal.ts';
import { readPendingKeys, refuseUnfinishedData } from './pending-keys.ts';

export interface NodeKeysRequest {
  readonly project: Project;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Files or folders to take keys from, besides the PoST directories and the retired keys. */
  readonly keyPlaces: readonly string[];
  readonly repair: boolean;
  /** Keys that other steps of the same act bring into the folder, by file name, or take out of it. */
  readonly arriving?: ReadonlyMap<SmesherId, string>;
  readonly departing?: ReadonlySet<SmesherId>;
}

/** Reads what keys stand where and decides what has to happen to them. Changes nothing. */
export async function planNodeKeys(context: Context, request: NodeKeysRequest): Promise<KeyDecision> {
  const { project } = request;
  const folder = identitiesFolder(project);
  const standing = await readInstalledKeys(context, folder);
  const pending = await readPendingKeys(context, folder);
  const installed = [
    ...standing.filter(({ smesherId }) => smesherId === undefined || !request.departing?.has(smesherId)),
    ...[...(request.arriving ?? [])].map(
      ([smesherId, file]): InstalledKey => ({ file, smesherId, mode: 0o600, ...request.owner }),
    ),
  ];
  const present = new Set(installed.map(({ smesherId }) => smesherId));
  const wanted = project.identities.filter(({ id }) => !present.has(id));
  const retiredFolder = `${stateFolder(context.directory)}/retired`;
  const places = [
    ...wanted.flatMap(({ data }) => [`${data}/identity.key`, `${data}/key.bin`]),
    ...(await listKeyFiles(context, [...request.keyPlaces, retiredFolder])),
  ];
  const found = wanted.length === 0 ? { sources: [], unreadable: [] } : await readSources(context, places);
  await refuseUnfinishedData(context, wanted, pending);
  const decision = decideKeys({
    folder,
    installed,
    pending,
    beingMade: new Set(project.initialisation?.jobs.map(({ id }) => id) ?? []),
    identities: project.identities,
    retired: project.retired,
    ...found,
    owner: request.owner,
    smeshedHere: await readSmeshedHere(context, project.node.data),
    repair: request.repair,
    retiredFolder,
  });
  await refuseForeignHistory(context, project.node.data, decision);
  return decision;
}

/** A key taken out of another node's folder may leave its history behind there (scenario S23). */
async function refuseForeignHistory(
  context: Context,
  nodeData: string,
  { steps }: KeyDecision,
): Promise<void> {
  const keys = steps.flatMap((step) =>
    step.kind === 'install-key' && step.source !== step.target
      ? [{ smesherId: step.smesherId, key: { path: step.source } }]
      : [],
  );
  const histories = await findForeignHistory(context, keys, { nodeFolders: [], nodeData });
  if (histories.length > 0) throw foreignHistoryError(histories);
}

export function identitiesFolder(project: Project): string {
  return `${project.node.data}/identities`;
}

/** The `*.key` files that the node will read: directly in the folder, exactly that extension (spacemesh.md §2.1). */
export async function readInstalledKeys(context: Context, folder: string): Promise<readonly InstalledKey[]> {
  const { files, crypto } = context.ports;
  if ((await files.facts(folder, 'nofollow'))?.kind === 'symlink') throw linkedIdentities(folder);
  const names = await listFiles(context, folder);
  return Promise.all(
    names
      .filter((name) => name.endsWith('.key'))
      .map(async (file): Promise<InstalledKey> => {
        const path = `${folder}/${file}`;
        const facts = await files.facts(path, 'nofollow');
        const { mode, uid, gid } = facts ?? { mode: 0, uid: -1, gid: -1 };
        // Followed, its repair would change the mode of the original; and the container has only this one folder.
        if (facts?.kind === 'symlink')
          return {
            file,
            mode,
            uid,
            gid,
            fault: 'it is a symbolic link, which leads nowhere inside the container; put a copy in its place',
          };
        try {
          const bytes = await files.readBytes(path);
          const reading = readKeyFile(bytes, crypto.publicKeyOfSeed);
          if (reading.kind === 'valid') return { file, mode, uid, gid, smesherId: reading.smesherId };
          const movedTo = readMovedNotice(Buffer.from(bytes).toString('utf8'));
          if (movedTo === undefined) return { file, mode, uid, gid, fault: reading.fault };
          const { name, directory } = movedTo;
          const fault = `it keeps this node from starting: its keys serve in project ${name} (${directory}) now`;
          return { file, mode, uid, gid, fault, movedTo: { name, directory } };
        } catch (error) {
          return { file, mode, uid, gid, fault: `it cannot be read (${errorCode(error)})` };
        }
      }),
  );
}

/** The node does not follow it, sees no keys, and would make one of its own (spacemesh.md §2.1). */
function linkedIdentities(folder: string): SmeshError {
  return new SmeshError(
    'identities-link',
    ExitCode.invalid,
    `${folder} is a symbolic link, which the node does not follow: it would see none of the keys and make one of its own`,
    {
      hint: 'Nothing was changed, no key is lost. Put a real folder with the keys in its place, then run the same command again.',
    },
  );
}

async function listFiles(context: Context, folder: string): Promise<readonly string[]> {
  const facts = await context.ports.files.facts(folder);
  if (facts?.kind !== 'directory') return [];
  const entries = await context.ports.files.list(folder);
  return entries.filter(({ kind }) => kind !== 'directory').map(({ name }) => name);
}

/** Places may be key files or folders of them; what is not there is passed over. */
async function listKeyFiles(context: Context, places: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    places.map(async (place) => {
      const facts = await context.ports.files.facts(place);
      if (facts?.kind === 'file') return [place];
      const names = await listFiles(context, place);
      return names.filter((name) => /\.key$|^key\.bin$/.test(name)).map((name) => `${place}/${name}`);
    }),
  );
  return found.flat();
}

async function readSources(
  context: Context,
  paths: readonly string[],
): Promise<{ readonly sources: readonly KeySource[]; readonly unreadable: readonly string[] }> {
  const { files, crypto } = context.ports;
  const sources: KeySource[] = [];
  const unreadable: string[] = [];
  const read = async (path: string): Promise<void> => {
    if (!(await files.exists(path))) return;
    if (!(await files.isReadable(path))) {
      unreadable.push(path);
      return;
    }
    const reading = readKeyFile(await files.readBytes(path), crypto.publicKeyOfSeed);
    if (reading.kind === 'malformed') return;
    sources.push({
      path,
      smesherId: reading.smesherId,
      needsRepair: reading.kind === 'repairable',
      ...(pendingName(path) === undefined ? {} : { waits: true as const }),
    });
  };
  await Promise.all(paths.map(read));
  // In the order of the places, whichever was read first: a key beside its data goes before others.
  const rank = new Map(paths.map((path, index) => [path, index]));
  sources.sort((a, b) => (rank.get(a.path) ?? 0) - (rank.get(b.path) ?? 0));
  return { sources, unreadable };
}

/** Which identities have a history in this node's database; `unknown` when that cannot be read. */
export async function readSmeshedHere(
  context: Context,
  nodeData: string,
): Promise<ReadonlySet<SmesherId> | 'unknown'> {
  // The database adapter is loaded only where there is something to read.
  if (!(await context.ports.files.exists(`${nodeData}/local.sql`))) return new Set();
  const database = await context.ports.localDatabase();
  const facts = await database.read(`${nodeData}/local.sql`);
  if (facts.kind === 'unknown') return 'unknown';
  return new Set(facts.kind === 'read' ? facts.identities.map(({ smesherId }) => smesherId) : []);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
}
