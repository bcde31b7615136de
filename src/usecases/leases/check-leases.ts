import { basename } from 'node:path';
import { type LeaseFacts, renewLeases } from '../../domain/identity/decide-leases.ts';
import { judgeLease } from '../../domain/identity/lease.ts';
import { type JudgedKey, leaseFindings } from '../../domain/identity/lease-findings.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { FileStep } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { nodeOwner } from '../owners.ts';
import { leaseFacts } from './plan-leases.ts';

/** What is known of the leases of the keys that stand in the node's folder now. Reads only. */
export async function installedLeases(context: Context, project: Project): Promise<LeaseFacts> {
  const installed = await readInstalledKeys(context, identitiesFolder(project));
  const keyFiles = new Map<SmesherId, string>();
  for (const { smesherId, file } of installed) if (smesherId !== undefined) keyFiles.set(smesherId, file);
  const owner = await nodeOwner(context, project);
  return leaseFacts(context, project, owner, { steps: [], keyFiles });
}

/** The steps that note a start of the node in the leases held here. */
export async function planRenewal(context: Context, project: Project): Promise<readonly FileStep[]> {
  return renewLeases(await installedLeases(context, project));
}

/** Every key that stands in the node's folder, with what its lease says. Reads only. */
export async function judgeInstalledKeys(context: Context, project: Project): Promise<readonly JudgedKey[]> {
  const facts = await installedLeases(context, project);
  const names = new Map(project.identities.map(({ id, name }) => [id, name]));
  return facts.standing.map(({ smesherId, path, lease }) => ({
    smesherId,
    name: names.get(smesherId) ?? basename(path),
    path: lease?.path ?? path,
    verdict: judgeLease(
      lease?.reading,
      facts.here,
      lease?.former ?? { nodeData: 'unknown', project: 'unknown' },
    ),
  }));
}

/**
 * Whether another host or project holds a key that the node would be started with (S23). Before every start; nothing
 * overrides it but `keys adopt`.
 */
export async function checkLeases(context: Context, project: Project): Promise<readonly Finding[]> {
  return leaseFindings(await judgeInstalledKeys(context, project));
}
