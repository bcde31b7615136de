import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The directory without links, also where its end does not exist yet: all ways to it must lead to one project. */
export async function realDirectory(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch {
    const parent = dirname(directory);
    return parent === directory ? directory : join(await realDirectory(parent), basename(directory));
  }
}
