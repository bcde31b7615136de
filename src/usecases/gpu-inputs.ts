import type { GpuVendor } from '../domain/project/types.ts';
import type { Context } from './context.ts';

/** The hand-kept Compose fragment of a GPU vendor, `compose/init/<vendor>.yaml` of the package. */
export async function readGpuFragment(context: Context, vendor: GpuVendor): Promise<string> {
  const templates = await context.ports.templates();
  return templates.fragment(`init/${vendor}.yaml`);
}

/**
 * Numeric gids of the host's `video` and `render` groups: a container knows neither name, and who may open the GPU's
 * device files is decided by number (spacemesh.md §8.4).
 */
export async function gpuGroups(context: Context, vendor: GpuVendor): Promise<readonly number[]> {
  if (vendor !== 'amd' && vendor !== 'intel') return [];
  const text = (await context.ports.files.readTextIfPresent('/etc/group')) ?? '';
  return text.split('\n').flatMap((line) => {
    const [name, , gid] = line.split(':');
    return (name === 'video' || name === 'render') && /^\d+$/.test(gid ?? '') ? [Number(gid)] : [];
  });
}
