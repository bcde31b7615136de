import type { DiskRate } from './disk-rate.ts';

/** What `bench disk` found of one disk. */
export type DiskResult = { readonly disk: string; readonly services: readonly string[] } & (
  | {
      readonly kind: 'measured';
      readonly rate: DiskRate;
      /** False: read through the page cache, so it may be faster than the disk. */
      readonly direct: boolean;
      /** Good enough to plan by, and written to the project's history. */
      readonly counts: boolean;
      /** Why it does not count, in words. */
      readonly why?: string;
    }
  | { readonly kind: 'failed'; readonly reason: string }
);

/** File systems that take O_DIRECT and read through their own cache all the same. */
const CACHES_ANYWAY = new Set(['zfs', 'tmpfs', 'ramfs', 'overlay', 'fuse.mergerfs']);

export function readsDirectly(direct: boolean, fileSystem: string | undefined): boolean {
  return direct && !(fileSystem !== undefined && CACHES_ANYWAY.has(fileSystem));
}
