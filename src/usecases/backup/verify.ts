import { DATABASE_HEAD_BYTES, databaseFault, keyFault } from '../../domain/backup/check-entry.ts';
import type { BackupEntry, Contents } from '../../domain/backup/contents.ts';
import type { AgeKey } from '../../ports/age.ts';
import type { Context } from '../context.ts';
import { gather, readBackup, type Visitor } from './open.ts';

export interface VerifiedBackup {
  readonly contents: Contents;
  /** Small files by their path in the archive: everything but databases. In memory only. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What is in it as it was taken, and still is not what it should be. */
  readonly faults: readonly string[];
}

const KEY_KINDS: ReadonlySet<BackupEntry['kind']> = new Set(['key', 'data-key', 'retired-key']);
const DATABASE_KINDS: ReadonlySet<BackupEntry['kind']> = new Set(['database', 'state']);

/**
 * Opens a backup and checks all of it: every digest, every key against its smesher ID, the databases by their first page.
 * Rejects for what is damaged or does not open (exit 3). Writes nothing.
 */
export async function verifyBackup(
  context: Context,
  file: string,
  key: AgeKey | undefined,
): Promise<VerifiedBackup> {
  const files = new Map<string, Uint8Array>();
  const faults: string[] = [];
  const { publicKeyOfSeed } = context.ports.crypto;
  const visit: Visitor = async (entry, content) => {
    if (DATABASE_KINDS.has(entry.kind)) {
      const fault = databaseFault(entry, await beginning(content));
      if (fault !== undefined) faults.push(`${entry.path}: ${fault}`);
      return;
    }
    const bytes = await gather(content);
    files.set(entry.path, bytes);
    const fault = KEY_KINDS.has(entry.kind) ? keyFault(entry, bytes, publicKeyOfSeed) : undefined;
    if (fault !== undefined) faults.push(`${entry.path}: ${fault}`);
  };
  const contents = await readBackup(context, file, key, visit);
  return { contents, files, faults };
}

async function beginning(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    pieces.push(piece);
    length += piece.length;
    if (length >= DATABASE_HEAD_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, DATABASE_HEAD_BYTES);
}
