import { leaseFileOf } from '../identity/lease.ts';
import type { FileStep } from '../plan/steps.ts';
import { unfinishedNotice } from './moved-notice.ts';
import { back, type MergeRecord, notice, remove, unfinishedPath } from './swap-steps.ts';

export interface UndoFacts {
  readonly directory: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly record: MergeRecord;
  /** A copy of the former local.sql on the disk of the node's data; absent: there was none. */
  readonly staged?: string;
  /** Where the merged one is kept. */
  readonly keep: string;
  readonly generated: readonly FileStep[];
  readonly recordPath: string;
}

/** The node of the project is kept from starting; those of the sources still are. */
export function undoBarrier({
  directory,
  owner,
  record,
}: Pick<UndoFacts, 'directory' | 'owner' | 'record'>): {
  readonly steps: readonly FileStep[];
  readonly undo: readonly FileStep[];
} {
  const own = unfinishedPath(record.nodeData);
  return {
    steps: [notice(own, unfinishedNotice(directory), owner)],
    undo: [
      ...record.sources.flatMap(({ keys }) =>
        keys.map(({ smesherId, from, to }): FileStep => ({ kind: 'move-key', from, to, smesherId })),
      ),
      remove(own),
    ],
  };
}

/**
 * A merge backwards, behind the barrier: the keys get their names back, the copies leave the project, then the rows, and
 * last both may start. A copy goes by being laid on its original, which it must equal: no key is ever deleted alone. Each
 * key is laid where it belongs in the end, so that the steps may be done twice.
 */
export function undoSteps(facts: UndoFacts): readonly FileStep[] {
  const { record, staged, keep, generated } = facts;
  const database = `${record.nodeData}/local.sql`;
  return [
    ...record.sources.flatMap(({ keys }) => keys.map((key) => back(key))),
    ...record.installed.map(
      ({ smesherId, path, original }): FileStep => ({
        kind: 'move-key',
        from: path,
        to: original,
        smesherId,
      }),
    ),
    ...record.installed.map(({ path }) => remove(leaseFileOf(path), 'the lease of a key that goes back')),
    staged === undefined
      ? {
          kind: 'replace-file',
          from: database,
          to: keep,
          once: true,
          what: 'the merged local.sql, out of the way',
        }
      : { kind: 'replace-file', from: staged, to: database, keep, what: 'as it was before the merge' },
    ...generated,
    ...record.sources.flatMap(({ leases }): FileStep[] =>
      leases.map(({ path, smesherId, content }) => ({
        kind: 'write-lease',
        path,
        content,
        smesherId,
        why: 'as it was before the merge',
        mark: false,
        mode: 0o600,
      })),
    ),
    remove(facts.recordPath, 'how the merge is taken back'),
    ...record.sources.map(({ notice: path }) => remove(path)),
    remove(unfinishedPath(record.nodeData)),
  ];
}
