import { basename } from 'node:path';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import { judgeLease, type LeaseHere, leaseFileOf } from '../../domain/identity/lease.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { MergeSource, SourceKey } from '../../domain/merge/facts.ts';
import { readMovedNotice, readUnfinishedNotice } from '../../domain/merge/moved-notice.ts';
import type { SourceConfig } from '../../domain/merge/source-config.ts';
import type { Context } from '../context.ts';
import { findLease, readLeaseBeside } from '../leases/read-leases.ts';
import { readInstalledKeys } from '../node-keys.ts';
import { readPendingKeys } from '../pending-keys.ts';
import { databaseBytes, readDatabaseState, readGenesis } from './read-database.ts';

/** All that is known of one node that is to be merged. Reads only. */
export async function observeSource(
  context: Context,
  folder: string,
  config: SourceConfig | undefined,
): Promise<MergeSource> {
  const { files } = context.ports;
  const identities = `${folder}/identities`;
  const installed = await readInstalledKeys(context, identities);
  const keys: SourceKey[] = [];
  const faulty: { file: string; fault: string }[] = [];
  let movedTo: MergeSource['movedTo'];
  let unfinished: MergeSource['unfinished'];
  for (const { file, smesherId, fault } of installed) {
    const path = `${identities}/${file}`;
    if (smesherId !== undefined) {
      const lease = await leaseOf(context, folder, path, smesherId);
      keys.push({ smesherId, path, where: 'identities', ...(lease === undefined ? {} : { lease }) });
      continue;
    }
    const text = await files.readText(path).catch(() => '');
    const notice = readMovedNotice(text);
    const halfDone = readUnfinishedNotice(text);
    if (notice !== undefined) movedTo = notice;
    else if (halfDone !== undefined) unfinished = halfDone;
    else faulty.push({ file, fault: fault ?? 'it cannot be read' });
  }
  const old = await oldKey(context, config);
  if (old !== undefined && !keys.some(({ smesherId }) => smesherId === old.smesherId)) keys.push(old);
  const pending = (await readPendingKeys(context, identities)).map(({ file }) => file);
  const [database, hasOldDatabase, bytes, genesis, facts] = await Promise.all([
    readDatabaseState(context, folder),
    files.exists(`${folder}/node_state.sql`),
    databaseBytes(context, folder),
    readGenesis(context, folder),
    files.facts(identities),
  ]);
  const owner = facts ?? (await files.facts(folder));
  return {
    folder,
    keys,
    faulty,
    database,
    hasOldDatabase,
    databaseBytes: bytes,
    owner: { uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 },
    ...(pending.length === 0 ? {} : { pending }),
    ...(facts === undefined ? { lacksIdentities: true } : {}),
    ...(movedTo === undefined ? {} : { movedTo }),
    ...(unfinished === undefined ? {} : { unfinished }),
    ...(genesis === undefined ? {} : { genesis }),
    ...(config === undefined ? {} : { config }),
  };
}

/** Before 1.4 the key lay beside the data; 1.6 and newer pass over it there (spacemesh.md §2.1). */
async function oldKey({ ports }: Context, config: SourceConfig | undefined): Promise<SourceKey | undefined> {
  if (config?.dataDirectory === undefined) return undefined;
  const path = `${config.dataDirectory}/key.bin`;
  const bytes = await ports.files.readBytes(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const reading = readKeyFile(bytes, ports.crypto.publicKeyOfSeed);
  return reading.kind === 'valid' ? { smesherId: reading.smesherId, path, where: 'beside-data' } : undefined;
}

/** A key of a smesh-compose project is judged where it stands: held there is as it should be, held elsewhere is not. */
async function leaseOf(
  context: Context,
  folder: string,
  keyPath: string,
  smesherId: SmesherId,
): Promise<SourceKey['lease']> {
  const { files, system } = context.ports;
  const path = leaseFileOf(keyPath);
  const reading = await readLeaseBeside(files, path);
  if (reading === undefined) return undefined;
  if (reading.kind === 'unknown') return { path, verdict: reading };
  const { lease } = reading;
  // One of another identity was left behind by a key that a hand renamed.
  if (lease.smesherId !== smesherId)
    return {
      path,
      verdict: { kind: 'unknown', reason: `${basename(path)} is of another identity` },
    };
  const facts = await files.facts(`${folder}/identities`);
  const here: LeaseHere = {
    host: await system.host(),
    project: lease.project,
    nodeData: folder,
    ...(facts === undefined ? {} : { folder: { device: facts.device, inode: facts.inode } }),
  };
  const found = await findLease(context, here, path, reading);
  return { path, lease, verdict: judgeLease(found.reading, here, found.former) };
}
