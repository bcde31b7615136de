import type { Context } from '../../context.ts';

/** The real path of a folder that may not be there yet: its paths stand in compose.yaml, by way of a link they change. */
export async function restoredFolder({ ports }: Context, path: string): Promise<string> {
  for (let place = path, rest = ''; ; ) {
    const real = await ports.files.realPath(place).catch(() => undefined);
    if (real !== undefined) return `${real === '/' ? '' : real}${rest}` || '/';
    const slash = place.lastIndexOf('/');
    rest = `${place.slice(slash)}${rest}`;
    place = place.slice(0, slash) || '/';
  }
}
