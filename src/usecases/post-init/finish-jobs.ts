import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

export interface FinishedIdentity {
  readonly id: SmesherId;
  readonly name: string;
  /** The directory with the whole set. */
  readonly data: string;
}

/**
 * For each identity whose jobs are all complete: joins its parts (with the smallest VRF nonce) in a journaled plan. Answers
 * those whose data is whole now. Does nothing for the others; twice is as once.
 */
export async function joinComplete(
  _context: Context,
  _project: Project,
): Promise<readonly FinishedIdentity[]> {
  throw new Error('not written yet');
}

/**
 * Takes identities with whole data into the project: their entry under `identities`, their key under the name that the node
 * reads, their jobs out of `init.jobs`; one journaled plan. Answers the exit code.
 */
export async function takeIn(
  _context: Context,
  _finished: readonly FinishedIdentity[],
  _options: { readonly dryRun: boolean },
): Promise<number> {
  throw new Error('not written yet');
}
