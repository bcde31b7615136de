import type { Lease } from './lease.ts';

/** A node that is at work on a data folder, as far as it can be told since when. */
export interface RunningNode {
  /** Milliseconds since 1970; absent: nobody can say. */
  readonly startedAt?: number | undefined;
}

/**
 * Whether the nodes on a folder have let go of an identity whose key is not in it any more. Keys are read only at the
 * start (spacemesh.md §2.1): one that was started before the key was taken away goes on with it. Not known is not let go.
 */
export function hasLetGo(lease: Pick<Lease, 'state' | 'leftAt'>, nodes: readonly RunningNode[]): boolean {
  if (lease.state === 'released') return true;
  if (lease.state === 'held') return false;
  const leftAt = Date.parse(lease.leftAt ?? '');
  return nodes.every(
    ({ startedAt }) => startedAt !== undefined && !Number.isNaN(leftAt) && startedAt > leftAt,
  );
}
