import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

/** What is about to change, which the file's name says. */
export type BackupReason = 'merge' | 'adopt' | 'keys' | 'poet-switch' | 'upgrade' | 'restore';

export interface BackupMade {
  /** One per destination. */
  readonly paths: readonly string[];
  /** Private keys are only in it where it is encrypted: `backup.recipients` of smesh.yaml, or a passphrase. */
  readonly withKeys: boolean;
}

/**
 * The backup that is taken before something changes what nothing else can give back: keys, smesh.yaml and overrides, node
 * config, local.sql, metadata. The database is copied consistently whether the node runs or not. Rejects when not one
 * destination could be written and verified: then what was to follow must not happen.
 *
 * @param options.also data folders of other nodes that are about to change, too (sources of a merge)
 */
export async function backUpBefore(
  _context: Context,
  _project: Project,
  _reason: BackupReason,
  _options: { readonly also?: readonly string[] } = {},
): Promise<BackupMade> {
  throw new Error('not written yet');
}
