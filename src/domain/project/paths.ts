/**
 * Absolute form of a path as written in `smesh.yaml`: relative ones count from the project directory; `.`, `..`, doubled
 * and trailing slashes go. Links are not followed: that needs the disk.
 */
export function absolutePath(directory: string, written: string): string {
  const parts: string[] = [];
  for (const part of (written.startsWith('/') ? written : `${directory}/${written}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Why a path cannot be used, as a clause; `undefined` when it can. */
export function pathFault(written: string): string | undefined {
  if (written.trim() === '') return 'is empty';
  if (/^~(\/|$)/.test(written)) {
    return 'begins with "~", which only a shell knows; write the whole path';
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be in a path
  if (/[\u0000-\u001f\u007f]/.test(written)) return 'holds a control character such as a line break';
  return undefined;
}
