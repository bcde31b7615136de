import type { GpuVendor } from '../project/types.ts';

/**
 * Numeric gids of the `video` and `render` groups in the text of /etc/group, which own the nodes of AMD and Intel cards: a
 * container knows neither name, and who may open a node is decided by number (spacemesh.md §8.4).
 */
export function cardGroups(vendor: GpuVendor, text: string): readonly number[] {
  if (vendor !== 'amd' && vendor !== 'intel') return [];
  return text.split('\n').flatMap((line) => {
    const [name, , gid] = line.split(':');
    return (name === 'video' || name === 'render') && /^\d+$/.test(gid ?? '') ? [Number(gid)] : [];
  });
}
