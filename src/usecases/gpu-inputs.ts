import { cardGroups } from '../domain/gpu/groups.ts';
import type { GpuVendor } from '../domain/project/types.ts';
import type { Context } from './context.ts';

/** The hand-kept Compose fragment of a GPU vendor, `compose/init/<vendor>.yaml` of the package. */
export async function readGpuFragment(context: Context, vendor: GpuVendor): Promise<string> {
  const templates = await context.ports.templates();
  return templates.fragment(`init/${vendor}.yaml`);
}

/** Numeric gids that a job has beside its user's own: see `cardGroups`. */
export async function gpuGroups(context: Context, vendor: GpuVendor): Promise<readonly number[]> {
  return cardGroups(vendor, (await context.ports.files.readTextIfPresent('/etc/group')) ?? '');
}
