import { readKeyFile } from '../identity/key-file.ts';
import { shortId } from '../identity/smesher-id.ts';
import type { BackupEntry } from './contents.ts';

const MAGIC = 'SQLite format 3\0';

/** What of a database's beginning is looked at. */
export const DATABASE_HEAD_BYTES = 100;

/** Why a key in a backup is not what the list of contents says, as a clause; never quotes it. */
export function keyFault(
  entry: BackupEntry,
  content: Uint8Array,
  publicKeyOfSeed: (seed: Uint8Array) => Uint8Array,
): string | undefined {
  // It was no key when it was taken, and is kept for its own sake.
  if (entry.smesherId === undefined) return undefined;
  const reading = readKeyFile(content, publicKeyOfSeed);
  if (reading.kind === 'malformed') return reading.fault;
  return reading.smesherId === entry.smesherId
    ? undefined
    : `it is the key of ${shortId(reading.smesherId)}, not of ${shortId(entry.smesherId)}`;
}

/** Why a database in a backup does not open, or is another one, by its first page (sqlite.org/fileformat2.html §1.3). */
export function databaseFault(entry: BackupEntry, head: Uint8Array): string | undefined {
  if (entry.userVersion === undefined) return undefined;
  const bytes = Buffer.from(head);
  if (bytes.length < DATABASE_HEAD_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
    return 'it is no SQLite database';
  const version = bytes.readUInt32BE(60);
  if (version !== entry.userVersion)
    return `its schema has version ${version}, and the list of contents says ${entry.userVersion}`;
  const stored = bytes.readUInt16BE(16);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (pageSize < 512 || entry.size % pageSize !== 0) return 'it has no whole number of pages';
  const pages = bytes.readUInt32BE(28);
  // Valid only where the file was written by an SQLite that keeps it.
  if (bytes.readUInt32BE(24) === bytes.readUInt32BE(92) && pages * pageSize !== entry.size)
    return `it should have ${pages} pages, and has ${entry.size / pageSize}`;
  return undefined;
}
