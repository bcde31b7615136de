import { basename } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { PendingKey } from '../../domain/identity/decide-pending.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import { leaseFileOf } from '../../domain/identity/lease.ts';
import { pendingName } from '../../domain/identity/pending-key.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { readPendingKeys } from '../pending-keys.ts';
import type { NewKey } from './make-key.ts';

export interface FoundKey {
  /** To be put where keys wait, because it stands nowhere that the node could take it from as it is. */
  readonly copy?: NewKey;
  /** Where it stands, when it stays there. */
  readonly path?: string;
}

/**
 * The key of data that was begun elsewhere: waiting or installed in the node's folder, beside the data, among the retired
 * ones, or where a person says. Data whose key is nowhere is worth nothing, however complete it gets (scenarios S6 to S8).
 */
export async function findKey(
  context: Context,
  project: Project,
  data: string,
  id: SmesherId,
  pending: readonly PendingKey[],
  keys: readonly string[],
): Promise<FoundKey> {
  const folder = identitiesFolder(project);
  const standing = [...pending, ...(await readInstalledKeys(context, folder))];
  const there = standing.find(({ smesherId }) => smesherId === id);
  if (there !== undefined) return { path: `${folder}/${there.file}` };
  const own = [`${data}/identity.key`, `${data}/key.bin`];
  const others = await keyFiles(context, [...keys, `${stateFolder(context.directory)}/retired`]);
  const { files, crypto } = context.ports;
  const seen: string[] = [];
  for (const path of [...own, ...others]) {
    if ((await files.facts(path))?.kind !== 'file') continue;
    if (!(await files.isReadable(path))) {
      seen.push(`${path}: you may not read it`);
      continue;
    }
    const reading = readKeyFile(await files.readBytes(path), crypto.publicKeyOfSeed);
    if (reading.kind === 'malformed') seen.push(`${path}: ${reading.fault}`);
    else if (reading.smesherId !== id) seen.push(`${path}: the key of ${shortId(reading.smesherId)}`);
    else {
      // Beside its data it is found again when that is whole, and the backup has it.
      if (own.includes(path) && reading.kind === 'valid') return { path };
      // Whoever holds the lease may start a node with it; `add` alone decides such cases.
      if (pendingName(basename(path)) !== undefined || (await files.exists(leaseFileOf(path))))
        throw elsewhere(id, path);
      return { copy: { smesherId: id, privateKey: reading.privateKey } };
    }
  }
  throw new SmeshError(
    'key-missing',
    ExitCode.invalid,
    `There is no key of ${shortId(id)} beside ${data}, in the node's folder or among the retired ones; without its key the data is of no use`,
    { details: seen, hint: 'Nothing was changed. Name where its key is: --keys FILE-OR-DIRECTORY' },
  );
}

function elsewhere(id: SmesherId, path: string): SmeshError {
  return new SmeshError(
    'key-of-another-node',
    ExitCode.refused,
    `The key of ${shortId(id)} in ${path} is of another node's folder, whose it still is. Used by two, the identity is banned for ever`,
    {
      hint: 'Nothing was changed. Go on with the data in that project; or take the key out of it there first: smesh-compose remove',
    },
  );
}

async function keyFiles(
  { ports: { files } }: Context,
  places: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const place of places) {
    const facts = await files.facts(place);
    if (facts?.kind === 'file') found.push(place);
    if (facts?.kind !== 'directory') continue;
    for (const { name, kind } of await files.list(place))
      if (kind !== 'directory' && /\.key(\.pending)?$|^key\.bin$/.test(name)) found.push(`${place}/${name}`);
  }
  return found;
}

/** Jobs that somebody wrote by hand for an identity whose key is not here. Names. */
export async function withoutKey(
  context: Context,
  project: Project,
  jobs: readonly InitialisationJob[],
): Promise<readonly string[]> {
  const folder = identitiesFolder(project);
  const keys = [...(await readPendingKeys(context, folder)), ...(await readInstalledKeys(context, folder))];
  const beside = await Promise.all(
    jobs.map(({ data }) => context.ports.files.exists(`${data}/identity.key`).catch(() => true)),
  );
  return jobs
    .filter(({ id }, index) => beside[index] !== true && !keys.some(({ smesherId }) => smesherId === id))
    .map(({ name }) => name);
}
