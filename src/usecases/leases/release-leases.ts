import { readLabels } from '../../domain/compose/labels.ts';
import { leaseStep } from '../../domain/identity/decide-leases.ts';
import { judgeLease, type Lease } from '../../domain/identity/lease.ts';
import { hasLetGo } from '../../domain/identity/let-go.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import type { FileStep } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { isAlive } from '../engine-nodes.ts';
import { runJournaled, stateFolder } from '../journal.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { nodeOwner } from '../owners.ts';
import { findLease, leaseHere, readLeaseFiles } from './read-leases.ts';

/**
 * Gives up the leases of identities that were removed, once the node has been seen without them: it is down, or it was
 * started after their keys were taken away (it reads keys only at its start, spacemesh.md §2.1). From then on they may be
 * started elsewhere (S40). To be called with the project's lock, at the end of whatever may have restarted the node.
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
  const docker = await context.ports.docker();
  const alive = (await docker.containers({ project: project.name })).filter(({ state }) => isAlive(state));
  const nodes = alive
    .filter(({ labels }) => readLabels(labels)?.role === 'node')
    .map(({ startedAt }) => ({ startedAt }));
  // A prover that goes on with the data keeps another one out.
  const proved = new Set(alive.map(({ labels }) => readLabels(labels)?.smesherId));
  const now = new Date(context.clock.now()).toISOString();
  const owner = await nodeOwner(context, project);
  const steps: FileStep[] = [];
  const released = new Map<string, Lease>();
  for (const [path, reading] of leaving) {
    if (reading.kind !== 'read' || installed.has(reading.lease.smesherId)) continue;
    const { former } = await findLease(context, here, path, reading);
    if (judgeLease(reading, here, former).kind !== 'ours-again') continue;
    if (!hasLetGo(reading.lease, nodes) || proved.has(reading.lease.smesherId)) continue;
    const lease: Lease = { ...reading.lease, state: 'released', renewedAt: now };
    steps.push(leaseStep(path, lease, 'released', owner));
    released.set(lease.smesherId, lease);
  }
  if (steps.length === 0) return;
  await runJournaled(context.ports, {
    directory: context.directory,
    command: 'release',
    at: context.clock.now(),
    steps,
  });
  const names = new Map(project.retired.map(({ id, name }) => [id, name]));
  const list = [...released.values()].map(({ smesherId }) => {
    const name = names.get(smesherId);
    return name === undefined ? shortId(smesherId) : `${name} (${shortId(smesherId)})`;
  });
  context.out.note(
    `${list.join(', ')}: released. This project's node ${nodes.length === 0 ? 'is down' : 'runs without it'}, so it may be started elsewhere now.`,
  );
}
