import { formatRelease, type Release } from '../../upgrade/release.ts';

/** What has to go from a node's local database, and where it is. */
export interface RowsToDelete {
  readonly file: 'local.sql';
  readonly tables: readonly 'poet_registration'[];
}

export type RowsVerdict =
  | { readonly ok: true; readonly rows: RowsToDelete }
  | { readonly ok: false; readonly why: string };

/**
 * Which rows a change of PoETs deletes, by release (spacemesh.md §6.4). Since 1.7.0: none in the window, for after an ATX they
 * are gone already; the guide's `nipost` is of 1.3 and is today's `challenge`, which the node clears itself. Too late, only
 * `poet_registration`. What an older release makes of a changed list was not read, so it is not tried.
 */
export function rowsToDelete(release: Release | undefined, moment: 'window' | 'too-late'): RowsVerdict {
  if (release === undefined) {
    return {
      ok: false,
      why: 'which release of go-spacemesh this is could not be learnt, and what a changed list of PoETs does depends on it',
    };
  }
  const { major, minor } = release;
  if (major < 1 || (major === 1 && minor < 7)) {
    return {
      ok: false,
      why: `go-spacemesh ${formatRelease(release)} is older than v1.7.0, which is the first that registers with new PoETs by itself and says when registrations do not fit`,
    };
  }
  return { ok: true, rows: { file: 'local.sql', tables: moment === 'window' ? [] : ['poet_registration'] } };
}
