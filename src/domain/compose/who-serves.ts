import { LABEL } from './labels.ts';
import type { ObservedContainer, ObservedMount } from './observed.ts';

/** Folders on the engine's host in which a container may work on identities. */
export interface ServedFolders {
  /** PoST directories that it proves. */
  readonly post: readonly string[];
  /** Data folders of a node: their `identities/` hold keys. */
  readonly node: readonly string[];
}

/**
 * Where a container of any origin works on PoST data and keys: told by the flags of post-service and go-spacemesh, and
 * by what is mounted into something that names Spacemesh, folders of the host as well as named volumes (spacemesh.md
 * §1.2, §3.1). A backup program that merely mounts the same folders serves nobody.
 */
export function servedFolders(
  container: Pick<ObservedContainer, 'command' | 'mounts' | 'image' | 'labels'>,
): ServedFolders {
  const { command, image, labels } = container;
  // A PoET has no identities, and its folder is no node's for the name of its image.
  if (labels[LABEL.role] === 'poet' || programName(image.split(/[:@]/, 1)[0] ?? '') === 'poet')
    return { post: [], node: [] };
  const mounts = container.mounts.filter(isOnHost);
  const resolve = (path: string | undefined) => (path === undefined ? undefined : hostPath(mounts, path));
  const sources = mountedFolders(container);
  const named = resolve(flagValue(command, ['--data-folder', '-d']));
  const role = labels[LABEL.role];
  const names = [image, ...command].join(' ').toLowerCase();
  const proves = role === 'prover' || names.includes('post-service');
  // Beside a data folder that is named, a volume is some other; and the node's configuration is no folder.
  const mayHoldKeys = ({ kind, target }: ObservedMount) =>
    (named === undefined || kind === 'bind') && !/\.(json|ya?ml|toml)$/.test(target);
  return {
    post: unique([resolve(flagValue(command, ['--dir', '-d'])), ...(proves ? sources : [])]),
    node: unique([
      named,
      // spacemeshos/post-service is no node for its name.
      ...(role === 'node' || (!proves && names.includes('spacemesh'))
        ? mounts.filter(mayHoldKeys).map(({ source }) => source)
        : []),
    ]),
  };
}

/** Everything of the engine's host that a container sees: folders and files that are mounted, named volumes. */
export function mountedFolders({ mounts }: Pick<ObservedContainer, 'mounts'>): readonly string[] {
  return unique(mounts.filter(isOnHost).map(({ source }) => source));
}

/** A volume of a driver without a place on the host has only a name. */
export function isOnHost({ kind, source }: ObservedMount): boolean {
  return kind === 'bind' || (kind === 'volume' && source.startsWith('/'));
}

/** The value of a flag, `--dir x` or `--dir=x`; Go takes one dash as well as two. */
export function flagValue(words: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    if (names.includes(word)) return words[index + 1];
    const assigned = names.find((name) => name.startsWith('--') && word.startsWith(`${name}=`));
    if (assigned !== undefined) return word.slice(assigned.length + 1);
  }
  return undefined;
}

/** The path on the host of a path in the container, by the longest mount above it. */
export function hostPath(mounts: readonly ObservedMount[], path: string): string | undefined {
  const above = mounts
    .filter(({ target }) => path === target || path.startsWith(target.endsWith('/') ? target : `${target}/`))
    .sort((left, right) => right.target.length - left.target.length)[0];
  if (above === undefined) return undefined;
  const rest = path.slice(above.target.length).replace(/^\/+|\/+$/g, '');
  return rest === '' ? above.source : `${above.source.replace(/\/$/, '')}/${rest}`;
}

function unique(paths: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(paths.filter((path) => path !== undefined))];
}

const NODE_PROGRAMS = new Set(['go-spacemesh', 'node-spacemesh']);
const PROVER_PROGRAMS = new Set(['post-service']);

/** Whether a word of a command line starts a node. */
export function isNodeProgram(word: string): boolean {
  return NODE_PROGRAMS.has(programName(word));
}

export function isProverProgram(word: string): boolean {
  return PROVER_PROGRAMS.has(programName(word));
}

function programName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}
