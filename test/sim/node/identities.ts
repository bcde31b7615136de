/** The key files of a data folder, read with the node's rules (spacemesh.md §2.1). */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKeyPair } from '../common/key-pair.ts';
import { goErrno } from './config.ts';
import { log } from './logger.ts';

export interface Identity {
  /** File name with its extension, as PostStates shows it. */
  readonly name: string;
  /** The smesher ID, 32 bytes. */
  readonly id: Buffer;
}

const supervisedName = 'local.key';

/** The keys of the folder, or a new `local.key` when there is none. @throws Error as the node words it */
export function loadIdentities(dataFolder: string): readonly Identity[] {
  const folder = join(dataFolder, 'identities');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`failed to create identities directory: mkdir ${folder}: ${goErrno(error)}`);
  }
  const identities = keyFilesIn(folder).map((name) => {
    try {
      return { name, id: readKey(join(folder, name), name) };
    } catch (error) {
      throw new Error(
        `loading identities: failed to construct identity ${name}: ${(error as Error).message}`,
      );
    }
  });
  if (identities.length === 0) return [createLocalKey(folder)];
  if (identities.length > 1) refuseSupervisedKey(identities);
  refuseDuplicates(identities);
  return identities;
}

/** True when this set of keys is smeshed with by remote post-services only. */
export function isRemote(identities: readonly Identity[]): boolean {
  return !(identities.length === 1 && identities[0]?.name === supervisedName);
}

/** The walk neither descends nor follows a link in place of the folder; a link in place of a key is read. */
export function keyFilesIn(folder: string): string[] {
  if (lstatSync(folder).isSymbolicLink()) return [];
  return readdirSync(folder)
    .sort()
    .filter((name) => name.endsWith('.key') && !isDirectory(join(folder, name)));
}

function isDirectory(path: string): boolean {
  return lstatSync(path).isDirectory() || (lstatSync(path).isSymbolicLink() && linksToDirectory(path));
}

function linksToDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The smesher ID of a key file. @throws Error as the node and merge-nodes word it */
export function readKey(path: string, name: string): Buffer {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    throw new Error(`failed to open identity file at ${path}: open ${path}: ${goErrno(error)}`);
  }
  const bytes = decodeHex(text, name);
  if (bytes.length !== 64) throw new Error(`invalid key size ${bytes.length}/64 for ${name}`);
  const privateKey = createPrivateKey({ key: pkcs8Of(bytes), format: 'der', type: 'pkcs8' });
  const derived = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  if (!derived.equals(bytes.subarray(32))) throw new Error('private and public do not match');
  return Buffer.from(bytes.subarray(32));
}

/** Signs with the key of that file, which is read now and not again. */
export function signerOf(dataFolder: string, { name }: Identity): (message: Buffer) => Buffer {
  const text = readFileSync(join(dataFolder, 'identities', name), 'latin1');
  const key = createPrivateKey({ key: pkcs8Of(Buffer.from(text, 'hex')), format: 'der', type: 'pkcs8' });
  return (message) => sign(null, message, key);
}

function pkcs8Of(seedAndId: Buffer): Buffer {
  return Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seedAndId.subarray(0, 32)]);
}

function decodeHex(text: string, name: string): Buffer {
  const wrong = /[^0-9a-f]/i.exec(text);
  // Pairs are read in order, so an odd length only counts when everything before it was right.
  if (wrong !== null) {
    const byte = wrong[0].charCodeAt(0);
    const shown =
      byte >= 0x20 && byte < 0x7f
        ? `U+${byte.toString(16).toUpperCase().padStart(4, '0')} '${wrong[0]}'`
        : `U+${byte.toString(16).toUpperCase().padStart(4, '0')}`;
    throw new Error(`decoding private key in ${name}: encoding/hex: invalid byte: ${shown}`);
  }
  if (text.length % 2 !== 0)
    throw new Error(`decoding private key in ${name}: encoding/hex: odd length hex string`);
  return Buffer.from(text, 'hex');
}

function refuseSupervisedKey(identities: readonly Identity[]): void {
  if (!identities.some((identity) => identity.name === supervisedName)) return;
  const unsupported = 'This is not supported in remote smeshing.';
  const ensure = `Ensure you do not have a file named ${supervisedName} in your identities directory`;
  log('ERROR', 'node', `Identities contain key for supervised smeshing (${supervisedName}). ${unsupported}`);
  log('ERROR', 'node', `${ensure} when using remote smeshing.`);
  throw new Error('loading identities: supervised key found in remote smeshing mode');
}

function refuseDuplicates(identities: readonly Identity[]): void {
  const seen = new Map<string, string>();
  let found = false;
  for (const { name, id } of identities) {
    const hex = id.toString('hex');
    const first = seen.get(hex);
    if (first !== undefined) {
      found = true;
      const fields = { filename1: name, filename2: first, public_key: hex.slice(0, 5), name: '' };
      log('ERROR', 'node', 'duplicate key', fields);
    }
    seen.set(hex, first ?? name);
  }
  if (found) throw new Error('loading identities: duplicate key found in identity files');
}

function createLocalKey(folder: string): Identity {
  const { seed, publicKey: id } = makeKeyPair();
  const path = join(folder, supervisedName);
  try {
    writeFileSync(path, Buffer.concat([seed, id]).toString('hex'), { mode: 0o600 });
  } catch (error) {
    const failed = 'creating new identity: failed to create identity: failed to write identity file';
    throw new Error(`${failed}: open ${path}: ${goErrno(error)}`);
  }
  log('INFO', 'node', 'created new identity', {
    filename: supervisedName,
    public_key: id.toString('hex').slice(0, 5),
  });
  return { name: supervisedName, id: Buffer.from(id) };
}
