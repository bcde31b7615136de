import type { SmesherId } from '../domain/identity/smesher-id.ts';

/**
 * What is done to a node's local.sql beside reading it. Nothing here migrates, and nothing is left behind in it: the node
 * refuses a database with a foreign table (spacemesh.md §6.1).
 *
 * Every method rejects with SmeshError: `no-sqlite` (exit 4: neither node:sqlite nor libsql), `damaged-database` (exit 3),
 * and with the system's own error where the file system refuses (`ENOSPC`, `EACCES`).
 */
export interface DatabaseEditorPort {
  /**
   * A whole copy in one file, also of a database that a node has open, with what still stands in its `-wal`. The copy has
   * the same schema text and `user_version`, passes `PRAGMA integrity_check`, is 0600 and synced. Rejects with `EEXIST` when
   * the target is there; whatever goes wrong, nothing is left there.
   */
  copy(from: string, to: string): Promise<void>;
  /**
   * Brings what stands in `-wal` into the file and removes `-wal` and `-shm`, as SQLite does when the last user closes it.
   * Only with the node stopped: rejects with `database-busy` (exit 5) when somebody has it open.
   */
  settle(path: string): Promise<void>;
  /**
   * Deletes all rows of `poet_registration` of these identities in one transaction and answers how many there were
   * (spacemesh.md §6.4). Only with the node stopped; the caller has made a backup (design §8).
   */
  deleteRegistrations(path: string, identities: readonly SmesherId[]): Promise<number>;
}
