import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { PrivateKey, readKeyFile } from '../../domain/identity/key-file.ts';
import { pendingKeyFile } from '../../domain/identity/pending-key.ts';
import { type SmesherId, shortId, smesherIdFromBytes } from '../../domain/identity/smesher-id.ts';
import type { CryptoPort } from '../../ports/crypto.ts';
import type { FilesPort } from '../../ports/files.ts';

/** A key that stands nowhere yet. */
export interface NewKey {
  readonly smesherId: SmesherId;
  readonly privateKey: PrivateKey;
}

const KEY_MODE = 0o600;
const FOLDER_MODE = 0o700;
const SEED_BYTES = 32;

/** A fresh identity, in memory alone: nothing is lost when nothing comes of it. */
export function newKey(crypto: CryptoPort): NewKey {
  const seed = crypto.randomBytes(SEED_BYTES);
  const publicKey = crypto.publicKeyOfSeed(seed);
  const smesherId = smesherIdFromBytes(publicKey);
  if (smesherId === undefined || seed.length !== SEED_BYTES) throw new Error('no key pair came out');
  const privateKey = new PrivateKey(`${Buffer.from(seed).toString('hex')}${smesherId}`);
  seed.fill(0);
  return { smesherId, privateKey };
}

export interface PendingKeyPlace {
  /** The node's `identities/`; made where it is not there. */
  readonly folder: string;
  /** Of the identity to be. */
  readonly name: string;
  readonly owner: { readonly uid: number; readonly gid: number };
}

/**
 * Puts a key where the node passes over it: whole or not at all after a power cut, 0600, never over another file, synced
 * with its folder, read back and compared (spacemesh.md §2.1). The caller holds the project's lock. Answers its path.
 */
export async function writePendingKey(
  { files, crypto }: { readonly files: FilesPort; readonly crypto: CryptoPort },
  key: NewKey,
  { folder, name, owner }: PendingKeyPlace,
): Promise<string> {
  const path = `${folder}/${pendingKeyFile(name)}`;
  await files.makeDirectory(folder, { mode: FOLDER_MODE, ...owner });
  // A run that was killed in the middle of this leaves a file that is nobody's key yet.
  await files.removeLeftovers(folder);
  const content = key.privateKey.revealForKeyFile();
  try {
    await files.writeNew(path, content, { mode: KEY_MODE, ...owner });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new SmeshError(
      'key-name-taken',
      ExitCode.refused,
      `${path} is there already; it was left as it is`,
      {
        hint: 'Run the same command again: the key that is there is used first.',
      },
    );
  }
  const written = readKeyFile(await files.readBytes(path), crypto.publicKeyOfSeed);
  if (written.kind !== 'valid' || written.privateKey.revealForKeyFile() !== content) {
    throw new SmeshError(
      'key-not-written',
      ExitCode.invalid,
      `The key of ${shortId(key.smesherId)} was written to ${path}, but reads back differently: the disk is at fault`,
      { hint: 'Nothing is made with this key. Look at the disk (dmesg), then take that file away.' },
    );
  }
  return path;
}
