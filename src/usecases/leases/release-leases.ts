import { leaseStep } from '../../domain/identity/decide-leases.ts';
import { judgeLease, type Lease } from '../../domain/identity/lease.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { FileStep } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { runJournaled, stateFolder } from '../journal.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { nodeOwner } from '../owners.ts';
import { findLease, leaseHere, readLeaseFiles } from './read-leases.ts';
import { lookWhoServes } from './still-served.ts';

/**
 * Gives up the leases of identities that were removed, once the node has been seen without them: it is down, or it was
 * started after their keys were taken away (it reads keys only at its start, spacemesh.md §2.1). From then on they may be
 * started elsewhere (S40). A node that is not found is no node that is down: engine, name or folder may have been changed,
 * so everything on this host is looked at, and what cannot be looked at keeps the lease. To be called with the project's lock, at the end of whatever may have restarted the node.
 */
export async function releaseLeases(context: Context, project: Project): Promise<void> {
  const folder = identitiesFolder(project);
  const { files } = context.ports;
  const left = (
    await Promise.all(
      [folder, `${stateFolder(context.directory)}/retired`].map((place) => readLeaseFiles(files, place)),
    )
  ).flatMap((leases) => [...leases]);
  const leaving = left.filter(([, reading]) => reading.kind === 'read' && reading.lease.state === 'leaving');
  if (leaving.length === 0) return;
  const here = await leaseHere(context, project);
  const installed = new Set((await readInstalledKeys(context, folder)).map(({ smesherId }) => smesherId));
  const look = await lookWhoServes(context, project);
  const now = new Date(context.clock.now()).toISOString();
  const owner = await nodeOwner(context, project);
  const steps: FileStep[] = [];
  const released = new Map<SmesherId, Lease>();
  const kept = new Map<SmesherId, string>();
  for (const [path, reading] of leaving) {
    if (reading.kind !== 'read' || installed.has(reading.lease.smesherId)) continue;
    const { former } = await findLease(context, here, path, reading);
    if (judgeLease(reading, here, former).kind !== 'ours-again') continue;
    const why = look.whyStill(reading.lease);
    if (why !== undefined) {
      kept.set(reading.lease.smesherId, why);
      continue;
    }
    const lease: Lease = { ...reading.lease, state: 'released', renewedAt: now };
    steps.push(leaseStep(path, lease, 'released', owner));
    released.set(lease.smesherId, lease);
  }
  await runJournaled(context.ports, {
    directory: context.directory,
    command: 'release',
    at: context.clock.now(),
    steps,
  });
  const names = new Map(project.retired.map(({ id, name }) => [id, name]));
  const called = (id: SmesherId) => {
    const name = names.get(id);
    return name === undefined ? shortId(id) : `${name} (${shortId(id)})`;
  };
  if (released.size > 0)
    context.out.note(
      `${[...released.keys()].map(called).join(', ')}: released. This project's node ${look.nodeRuns ? 'runs without it' : 'is down'}, so it may be started elsewhere now.`,
    );
  for (const why of new Set(kept.values())) {
    const ids = [...kept].filter(([, other]) => other === why).map(([id]) => called(id));
    context.out.note(`${ids.join(', ')}: not released yet, do not start it elsewhere: ${why}.`);
  }
}
