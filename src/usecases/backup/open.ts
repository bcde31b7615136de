import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import {
  type BackupEntry,
  CONTENTS_ENTRY,
  type Contents,
  LARGEST_CONTENTS,
  readContents,
  SEAL_ENTRY,
} from '../../domain/backup/contents.ts';
import { backupKind, KIND_BYTES } from '../../domain/backup/file-kind.ts';
import { type ArchivedFile, BadArchive, readTar } from '../../domain/backup/tar-reader.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { AgeFault, type AgeKey } from '../../ports/age.ts';
import type { Context } from '../context.ts';

/** Keys, settings and metadata of a host, all of them together. */
const LARGEST_SMALL_FILES = 512 * 1024 * 1024;

/** What is done with each file of a backup; what is not read is checked all the same. */
export type Visitor = (
  entry: BackupEntry,
  content: AsyncIterable<Uint8Array>,
  contents: Contents,
) => Promise<void>;

/** How a backup is opened. Rejects where the file is not there, or is none. */
export async function kindOfBackup(context: Context, file: string): Promise<'passphrase' | 'key' | 'plain'> {
  let head: Uint8Array = new Uint8Array(0);
  for await (const piece of context.ports.files.readChunks(file)) {
    head = Buffer.concat([head, piece]);
    if (head.length >= KIND_BYTES) break;
  }
  const kind = backupKind(head);
  if (kind === 'other')
    throw damagedBackup(file, 'it is no backup of smesh-compose, or its beginning is damaged');
  return kind;
}

/**
 * Reads a backup from its beginning to its end, once, and checks every byte of it: the encryption, each size and digest
 * in the list of contents, and that nothing is missing or too much. Writes nothing. A visitor sees bytes whose digest is
 * known only at the end of its file: what it makes of them counts once this has resolved.
 */
export async function readBackup(
  context: Context,
  file: string,
  key: AgeKey | undefined,
  visit: Visitor,
): Promise<Contents> {
  const chunks = context.ports.files.readChunks(file);
  const plain = key === undefined ? chunks : (await context.ports.age()).decrypt(chunks, key);
  const visitor = new VisitorFaults(visit);
  try {
    return await readArchive(context, plain, visitor);
  } catch (error) {
    if (visitor.thrown !== undefined) throw visitor.thrown;
    throw explain(error, file);
  }
}

/** An error of the visitor is none of the backup's. */
class VisitorFaults {
  thrown: unknown;
  readonly visit: Visitor;

  constructor(visit: Visitor) {
    this.visit = async (entry, content, contents) => {
      try {
        await visit(entry, content, contents);
      } catch (error) {
        if (!(error instanceof BadArchive) && !(error instanceof AgeFault)) this.thrown = error;
        throw error;
      }
    };
  }
}

async function readArchive(
  context: Context,
  plain: AsyncIterable<Uint8Array>,
  { visit }: VisitorFaults,
): Promise<Contents> {
  let contents: Contents | undefined;
  let digest = '';
  let sealed = false;
  let at = 0;
  for await (const file of readTar(plain)) {
    context.signal.throwIfAborted();
    if (contents === undefined) {
      const bytes = await gather(firstOf(file));
      digest = bytesToHex(sha256(bytes));
      contents = contentsIn(bytes);
      continue;
    }
    if (file.path === SEAL_ENTRY && at === contents.entries.length && !sealed) {
      if (file.size > 128) throw new BadArchive('its last file is much too long');
      sealed = Buffer.from(await gather(file.content())).toString('latin1') === `${digest}\n`;
      if (!sealed) throw new BadArchive('its list of contents is not as it was written');
      continue;
    }
    const entry = contents.entries[at];
    at += 1;
    if (entry === undefined || entry.path !== file.path || entry.size !== file.size)
      throw new BadArchive(`${file.path} in it is not what its list of contents says`);
    const hash = sha256.create();
    await visit(entry, hashed(file, hash), contents);
    for await (const piece of file.content()) hash.update(piece);
    if (bytesToHex(hash.digest()) !== entry.sha256)
      throw new BadArchive(`${entry.path} in it has another digest than its list of contents says`);
  }
  const absent = contents?.entries[at];
  if (contents === undefined) throw new BadArchive('there is nothing in it');
  if (!sealed && absent === undefined) throw new BadArchive('it ends too early');
  if (absent !== undefined) throw new BadArchive(`${absent.path} is missing in it`);
  return contents;
}

async function* hashed(file: ArchivedFile, hash: { update(bytes: Uint8Array): unknown }) {
  for await (const piece of file.content()) {
    hash.update(piece);
    yield piece;
  }
}

function firstOf(file: ArchivedFile): AsyncIterable<Uint8Array> {
  if (file.path !== CONTENTS_ENTRY) throw new BadArchive('it does not begin with a list of contents');
  if (file.size > LARGEST_CONTENTS) throw new BadArchive('its list of contents is much too long');
  return file.content();
}

function contentsIn(bytes: Uint8Array): Contents {
  const read = readContents(Buffer.from(bytes).toString('utf8'));
  if ('fault' in read) throw new BadArchive(read.fault);
  // These are read into memory; nothing that a backup has of them comes near.
  const small = read.entries.filter(({ kind }) => kind !== 'database' && kind !== 'state');
  if (small.reduce((total, { size }) => total + size, 0) > LARGEST_SMALL_FILES)
    throw new BadArchive('files in it are much too large for what they are');
  return read;
}

/** All of it, in memory: for files that are small. */
export async function gather(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

function explain(error: unknown, file: string): unknown {
  if (error instanceof BadArchive) return damagedBackup(file, error.message);
  if (!(error instanceof AgeFault)) return error;
  if (error.reason === 'damaged') return damagedBackup(file, error.message);
  return new SmeshError(
    'backup-not-opened',
    ExitCode.invalid,
    `${file} was not opened: ${error.message}. Nothing was changed.`,
    {
      hint:
        error.reason === 'bad-key'
          ? 'It should be a file that age-keygen made.'
          : 'Try the other passphrases and keys that it could be; without the right one nobody can open it.',
    },
  );
}

function damagedBackup(file: string, reason: string): SmeshError {
  return new SmeshError(
    'damaged-backup',
    ExitCode.invalid,
    `${file} cannot be used: ${reason}. Nothing was changed.`,
    { hint: 'Take another one: smesh-compose backup list' },
  );
}
