import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface TreeOptions {
  /** Paths relative to the root that are passed over with all below them. */
  readonly ignore?: readonly string[];
  /** Larger files are told by their size alone. */
  readonly readUpTo?: number;
  /** Replaced in names and contents before they are compared: where a tree lies, when it was made. */
  readonly replace?: readonly (readonly [string | RegExp, string])[];
}

/**
 * Every entry below a folder as one line: path, kind, mode, owner and a digest of the content. Two trees are equal when
 * their lines are; what differs can be read.
 */
export function describeTree(root: string, options: TreeOptions = {}): readonly string[] {
  const { ignore = [], readUpTo = 1024 * 1024, replace = [] } = options;
  const level = (text: string) => replace.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return names
    .filter((name) => !ignore.some((ignored) => name === ignored || name.startsWith(`${ignored}/`)))
    .map((found) => {
      const name = level(found);
      const path = join(root, found);
      const stats = lstatSync(path);
      const owner = `${(stats.mode & 0o7777).toString(8)} ${stats.uid}:${stats.gid}`;
      if (stats.isDirectory()) return `${name}/ ${owner}`;
      if (stats.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      const content =
        stats.size > readUpTo
          ? ''
          : createHash('sha256')
              .update(level(readFileSync(path, 'latin1')))
              .digest('hex')
              .slice(0, 16);
      return `${name} ${owner} ${replace.length === 0 ? stats.size : ''} ${content}`;
    });
}
