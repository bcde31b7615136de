import { findFormerProjects } from '../../domain/compose/former-project.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { Lease } from '../../domain/identity/lease.ts';
import { hasLetGo } from '../../domain/identity/let-go.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { isAlive } from '../engine-nodes.ts';
import { indexProject } from '../identity-index/project-index.ts';

export interface ServedLook {
  /** Whether a node of this project was found at work. */
  readonly nodeRuns: boolean;
  /** Why an identity that leaves may still be at work here; absent: it was looked everywhere, and it is not. */
  whyStill(lease: Lease): string | undefined;
}

/**
 * Looks at all that could go on with a key that was taken away: every container of the engine under any name, processes
 * of the host, and who holds the node's lock file. What could not be looked at counts as at work (design §8).
 */
export async function lookWhoServes(context: Context, project: Project): Promise<ServedLook> {
  const index = await indexProject(context, project);
  // Without an engine the index says so in `unseen`.
  const containers =
    index.unseen.length > 0 ? [] : (await (await context.ports.docker()).containers()).filter(isUp);
  const ofThis = containers.filter((one) => one.project === project.name);
  const nodes = ofThis.filter(isNode).map(({ startedAt }) => ({ startedAt }));
  const others = containers.filter((one) => one.project !== project.name);
  const former = findFormerProjects(others, { directory: context.directory, nodeData: project.node.data })
    .flatMap((one) => one.containers)
    .find(isNode);
  const closed = index.closed.find(({ live }) => live);
  const lock = nodes.length > 0 ? undefined : await lockHeld(context, `${project.node.data}/LOCK`);
  return {
    nodeRuns: nodes.length > 0,
    whyStill(lease) {
      const place = index.places.find(
        ({ smesherId, use, runs }) => smesherId === lease.smesherId && use === 'serves' && runs,
      );
      if (place !== undefined) return `${place.who} goes on with it`;
      if (!hasLetGo(lease, nodes)) return "this project's node has run since before its key was taken away";
      if (former !== undefined) return `container ${former.name} is this project's node under a former name`;
      const [unseen] = index.unseen;
      if (unseen !== undefined) return unseen;
      if (closed !== undefined) return `${closed.who} runs, and its keys (${closed.path}) may not be read`;
      return lock;
    },
  };
}

function isUp({ state }: ObservedContainer): boolean {
  return isAlive(state);
}

function isNode({ labels }: ObservedContainer): boolean {
  return readLabels(labels)?.role === 'node';
}

/**
 * A node locks a file in its data folder while it runs (spacemesh.md §1.2), on whichever engine. By the inode alone:
 * file systems with subvolumes tell processes another device than the kernel's list has.
 */
export async function lockHeld({ ports }: Context, path: string): Promise<string | undefined> {
  try {
    const facts = await ports.files.facts(path);
    if (facts === undefined) return undefined;
    const locks = await ports.files.readText('/proc/locks');
    const isHeld = locks
      .split('\n')
      .map((line) => line.split(/\s+/))
      // What this very process has just looked at it may not have let go of.
      .filter((words) => !words.includes(String(ports.system.pid)))
      .some((words) => words.some((word) => isOf(word, facts.inode)));
    return isHeld ? `somebody holds ${path}, so a node that was not found works on this folder` : undefined;
  } catch {
    return `who holds ${path} cannot be told`;
  }
}

/** `fe:00:10018841`: the device in hexadecimal, then the inode. */
function isOf(word: string, inode: number): boolean {
  return /^[0-9a-f]+:[0-9a-f]+:\d+$/.test(word) && Number(word.split(':')[2]) === inode;
}
