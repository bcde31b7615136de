import type { BackupReason as AnyReason } from '../../domain/backup/file-name.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { explainSystemError } from '../../domain/system-error.ts';
import type { Context } from '../context.ts';
import { makeBackup } from './make.ts';
import { sayMissing } from './show.ts';

/** What is about to change, which the file's name says. */
export type BackupReason = Exclude<AnyReason, 'manual'>;

export interface BackupMade {
  /** One per destination. */
  readonly paths: readonly string[];
  /** Private keys are only in it where it is encrypted: `backup.recipients` of smesh.yaml, or a passphrase. */
  readonly withKeys: boolean;
}

/**
 * The backup that is taken before something changes what nothing else can give back: keys, smesh.yaml and overrides, node
 * config, local.sql, metadata. The database is copied consistently whether the node runs or not. Rejects when not one
 * destination could be written and verified: then what was to follow must not happen. The caller holds the project's lock.
 *
 * @param options.spare a backup that `backup.keep` must not remove now
 * @param options.also data folders of other nodes that are about to change, too (sources of a merge)
 */
export async function backUpBefore(
  context: Context,
  project: Project,
  reason: BackupReason,
  options: { readonly also?: readonly string[]; readonly spare?: string } = {},
): Promise<BackupMade> {
  const recipients = project.backup?.recipients ?? [];
  const withKeys = recipients.length > 0;
  try {
    const made = await makeBackup(context, project, {
      reason,
      withState: false,
      also: options.also ?? [],
      ...(options.spare === undefined ? {} : { spare: options.spare }),
      ...(withKeys ? { lock: { kind: 'recipients', recipients } as const } : {}),
    });
    for (const { destination, error } of made.failed)
      context.out.warn(`No backup in ${destination}: ${error.message}`);
    sayMissing(context, made.contents);
    const [path = ''] = made.paths;
    context.out.note(
      withKeys
        ? `Backup before this: ${path}`
        : `Backup before this, without private keys: ${path}\n  (with keys it must be encrypted: name an age1… key in smesh.yaml, backup.recipients)`,
    );
    return { paths: made.paths, withKeys };
  } catch (thrown) {
    const error = explainSystemError(thrown) ?? thrown;
    if (!(error instanceof SmeshError) || error.exitCode === ExitCode.cancelled) throw thrown;
    throw new SmeshError(
      'no-backup',
      error.exitCode === ExitCode.refused ? ExitCode.refused : ExitCode.invalid,
      `The backup before this could not be made, so it was not begun: ${error.message}`,
      {
        details: error.details,
        hint: error.hint ?? 'Name another folder for backups in smesh.yaml: backup.to',
        cause: thrown,
      },
    );
  }
}
