import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { PendingKey } from '../domain/identity/decide-pending.ts';
import { readKeyFile } from '../domain/identity/key-file.ts';
import { pendingName } from '../domain/identity/pending-key.ts';
import { type SmesherId, shortId } from '../domain/identity/smesher-id.ts';
import { inspectData } from '../domain/post/completeness.ts';
import { readMetadata } from '../domain/post/metadata.ts';
import type { Context } from './context.ts';
import { lookAtFolder } from './post-init/look-at-folder.ts';

/** Keys that wait for their data, directly in a node's `identities/`; sorted by name. Public halves only leave this function. */
export async function readPendingKeys(
  { ports: { files, crypto } }: Pick<Context, 'ports'>,
  folder: string,
): Promise<readonly PendingKey[]> {
  if ((await files.facts(folder))?.kind !== 'directory') return [];
  const entries = await files.list(folder);
  const found = entries.map(async ({ name: file }): Promise<readonly PendingKey[]> => {
    const name = pendingName(file);
    const facts = name === undefined ? undefined : await files.facts(`${folder}/${file}`, 'nofollow');
    if (name === undefined || facts === undefined) return [];
    const { mode, uid, gid } = facts;
    const key = { file, name, mode, uid, gid };
    if (facts.kind !== 'file') return [{ ...key, fault: 'it is no plain file; put a copy in its place' }];
    try {
      const reading = readKeyFile(await files.readBytes(`${folder}/${file}`), crypto.publicKeyOfSeed);
      return [
        reading.kind === 'valid'
          ? { ...key, smesherId: reading.smesherId }
          : { ...key, fault: reading.fault },
      ];
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
      return [{ ...key, fault: `it cannot be read (${code})` }];
    }
  });
  return (await Promise.all(found)).flat();
}

/**
 * Refuses to give the node a key whose data is not whole: it would ask for that proof for weeks. Only of identities whose
 * key waits anything is looked at.
 */
export async function refuseUnfinishedData(
  { ports }: Pick<Context, 'ports'>,
  identities: readonly { readonly id: SmesherId; readonly name: string; readonly data: string }[],
  pending: readonly PendingKey[],
): Promise<void> {
  const waiting = new Set(pending.map(({ smesherId }) => smesherId));
  const looks = identities
    .filter(({ id }) => waiting.has(id))
    .map(async ({ id, name, data }) => {
      const fault = await dataFault(ports.files, id, data);
      return fault === undefined ? [] : [`${name} (${shortId(id)}): ${fault}`];
    });
  const details = (await Promise.all(looks)).flat();
  if (details.length === 0) return;
  throw new SmeshError(
    'data-not-complete',
    ExitCode.refused,
    `${details.length === 1 ? 'The key of an identity waits' : 'Keys of identities wait'} for PoST data that is not complete; with ${details.length === 1 ? 'it' : 'them'} the node would ask for proofs that nobody can give`,
    {
      details,
      hint: 'Nothing was changed. See how far it is: smesh-compose post status   Take what is not complete out of identities in smesh.yaml until then.',
    },
  );
}

/** Why data is not what a proof can be made from, as a clause; `undefined` where it is. */
async function dataFault(
  files: Context['ports']['files'],
  id: SmesherId,
  data: string,
): Promise<string | undefined> {
  const seen = await lookAtFolder(files, data);
  if (seen.kind !== 'seen') return `${data} cannot be looked at: is its disk mounted?`;
  if (seen.metadata.kind !== 'present') return `${data} has no metadata that can be read`;
  const reading = readMetadata(seen.metadata.text);
  if (reading.kind === 'malformed') return `${data}: ${reading.reasons.join('; ')}`;
  const { metadata } = reading;
  if (metadata.smesherId !== id) return `${data} holds data of ${shortId(metadata.smesherId)}`;
  const { state, files: found } = inspectData(metadata, seen.files);
  if (state.kind === 'damaged') return `${data}: ${state.faults.join('; ')}`;
  if (state.kind === 'unfinished') return `${data} has ${found.bytes} of ${found.expectedBytes} bytes`;
  return metadata.nonce === undefined ? `${data} has no VRF nonce yet` : undefined;
}
