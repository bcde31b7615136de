import { flagValue } from '../../domain/compose/who-serves.ts';
import type { FilesPort } from '../../ports/files.ts';

export interface NodeSurroundings {
  /** Where its file system is seen from here: `/proc/812/root`. */
  readonly root: string;
  readonly home: string;
  /** Its working directory as seen from here, for relative paths. */
  readonly cwd?: string;
}

/**
 * The data folder of a go-spacemesh by its command line: the flag, else `main.data-folder` of its config file, else the
 * default in its user's home (spacemesh.md §1.1, §1.2: flags beat the file). A config file that cannot be read leaves the
 * default. The answer is a path inside of `root`, or a relative one.
 */
export async function nodeDataFolder(
  files: FilesPort,
  words: readonly string[],
  { root, home, cwd }: NodeSurroundings,
): Promise<string> {
  const given = flagValue(words, ['--data-folder', '-d']);
  if (given !== undefined) return given;
  const config = flagValue(words, ['--config', '-c']);
  const usual = `${home}/spacemesh`;
  if (config === undefined) return usual;
  const path = config.startsWith('/') ? `${root}${config}` : `${cwd ?? root}/${config}`;
  const text = await files.readText(path).catch(() => '');
  return readDataFolder(text) ?? usual;
}

/** Keys are read in any case, and the file may be anything (spacemesh.md §1.1). */
export function readDataFolder(text: string): string | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const folder = field(field(content, 'main'), 'data-folder');
  return typeof folder === 'string' && folder !== '' ? folder : undefined;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key.toLowerCase() === name)?.[1];
}
