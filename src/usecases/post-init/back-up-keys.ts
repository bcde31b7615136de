import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { Project } from '../../domain/project/types.ts';
import type { AgeLock } from '../../ports/age.ts';
import { destinationsOf, sameDiskWarning } from '../backup/destinations.ts';
import { chooseLock } from '../backup/locks.ts';
import { makeBackup } from '../backup/make.ts';
import { sayMissing } from '../backup/show.ts';
import type { Context } from '../context.ts';

export interface LockWords {
  readonly passphraseFile?: string;
  readonly recipients: readonly string[];
}

/** How the backup of new keys is going to be locked, for people; `undefined`: nobody said, and nobody can be asked. */
export function lockWords(
  { out, yes }: Context,
  project: Project,
  { passphraseFile, recipients }: LockWords,
): string | undefined {
  if (passphraseFile !== undefined) return `encrypted with the passphrase in ${passphraseFile}`;
  const known = recipients.length > 0 ? recipients : (project.backup?.recipients ?? []);
  if (known.length > 0) return `encrypted for ${known.length === 1 ? known[0] : `${known.length} age keys`}`;
  return out.interactive && !yes ? 'encrypted with a passphrase that you are asked for' : undefined;
}

/** Without a lock there is no backup of keys, and without that no key is made (exit 5). */
export function noLock(): SmeshError {
  return new SmeshError(
    'no-lock',
    ExitCode.refused,
    'A new key has to be in a backup before the first label is made, and a backup with keys has to be encrypted: nobody said for whom',
    {
      hint: 'Nothing was made. Name a file with a passphrase: --passphrase-file FILE   Or an age key: --recipient age1…, or backup.recipients in smesh.yaml',
    },
  );
}

/** Whom the backup will open for. A passphrase is asked for twice in a terminal. */
export async function chooseKeyLock(
  context: Context,
  project: Project,
  options: LockWords,
): Promise<AgeLock> {
  if (lockWords(context, project, options) === undefined) throw noLock();
  const { passphraseFile, recipients } = options;
  const lock = await chooseLock(context, project, {
    recipients,
    withoutKeys: false,
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
  });
  if (lock === undefined) throw noLock();
  return lock;
}

/**
 * The backup that must be there before a job is: encrypted, read back, with the private key of each of these identities in
 * it. Rejects where one is not: then nothing else happens, and the keys wait for the next run. Answers where it lies.
 */
export async function backUpKeys(
  context: Context,
  project: Project,
  ids: readonly SmesherId[],
  lock: AgeLock,
): Promise<readonly string[]> {
  const made = await makeBackup(context, project, { reason: 'keys', lock, withState: false, also: [] });
  const secured = new Set(
    made.contents.entries.filter(({ secret }) => secret).map(({ smesherId }) => smesherId),
  );
  const missing = ids.filter((id) => !secured.has(id));
  if (missing.length > 0)
    throw new SmeshError(
      'key-not-in-backup',
      ExitCode.invalid,
      `The backup has no key of ${missing.map(shortId).join(', ')}, so nothing is begun`,
      { hint: 'The key itself is where it was. See what the backup says: smesh-compose backup list' },
    );
  for (const { destination, error } of made.failed)
    context.out.warn(`No backup in ${destination}: ${error.message}`);
  // A project that begins with data whose key is beside it has no node folder yet.
  const isNew = project.identities.length === 0;
  sayMissing(context, {
    ...made.contents,
    missing: made.contents.missing.filter(({ path }) => !isNew || path !== project.node.data),
  });
  const warning = await sameDiskWarning(context, project, destinationsOf(context, project));
  if (warning !== undefined) context.out.warn(warning);
  return made.paths;
}
