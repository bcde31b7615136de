import { barrierSteps, type MergeRecord, type SwapFacts, swapSteps } from '../../domain/merge/swap-steps.ts';
import { version } from '../../version.ts';
import type { Context } from '../context.ts';
import { backupPath } from '../journal.ts';
import { runBehindBarrier } from '../journal-barrier.ts';
import { leaseHere } from '../leases/read-leases.ts';
import { projectOwner } from '../owners.ts';
import { lastLook } from './last-look.ts';
import type { MergePlan } from './plan.ts';
import { recordPath } from './record.ts';
import type { Staged } from './stage.ts';

export interface SwapRequest {
  readonly plan: MergePlan;
  /** smesh.yaml as it is. */
  readonly text: string;
  readonly staged: Staged;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly stamp: string;
  /** How each folder's database was when it was copied. */
  readonly marks: ReadonlyMap<string, string>;
}

/**
 * Keys, rows and files change places. Before it everything can be given up; after its beginning the next command of any
 * kind finishes it. In between neither node can be started.
 */
export async function swap(context: Context, request: SwapRequest): Promise<void> {
  const { plan, staged, owner } = request;
  const { facts } = plan;
  const { project } = facts;
  const now = new Date(context.clock.now()).toISOString();
  const record = recordOf(context, request, now);
  const swapFacts: SwapFacts = {
    project: { name: project.name, directory: context.directory, nodeData: project.node.data },
    owner,
    now,
    version,
    here: await leaseHere(context, project),
    sources: facts.sources,
    arrivals: plan.arrivals,
    staged: staged.path,
    ...(record.former === undefined ? {} : { keep: record.former }),
    generated: plan.generate.steps,
    record,
    recordPath: recordPath(context.directory),
  };
  const folderOwner = await projectOwner(context);
  await runBehindBarrier(
    context.ports,
    {
      directory: context.directory,
      command: 'merge',
      at: context.clock.now(),
      steps: swapSteps(swapFacts),
      ...(folderOwner === undefined ? {} : { owner: folderOwner }),
    },
    { ...barrierSteps(swapFacts), look: () => lastLook(context, request) },
  );
}

function recordOf(context: Context, { plan, text, staged, stamp }: SwapRequest, now: string): MergeRecord {
  const { facts } = plan;
  const { data } = facts.project.node;
  return {
    at: now,
    nodeData: data,
    sources: plan.records,
    installed: plan.arrivals.map(({ smesherId, keyFile, key }) => ({
      smesherId,
      path: `${data}/identities/${keyFile}`,
      original: key.path,
    })),
    before: text,
    after: plan.after,
    merged: { size: staged.size, modifiedMs: staged.modifiedMs, inode: staged.inode },
    ...(facts.database.kind === 'absent'
      ? {}
      : { former: backupPath(context.directory, stamp, 'local.sql.before-merge') }),
  };
}
