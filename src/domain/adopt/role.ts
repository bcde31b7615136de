import { isNodeProgram, isProverProgram } from '../compose/who-serves.ts';
import type { FoundProgram } from './found.ts';

export type FoundRole = 'node' | 'prover' | 'scheduler' | 'other';

const hasFlag = (words: readonly string[], ...names: readonly string[]) =>
  words.some((word) => names.some((name) => word === name || word.startsWith(`${name}=`)));

/**
 * Whether these are the words of a post-service, whatever its program is called: up to 0.7.8 that was `service`, and many
 * start it by a script of their own (spacemesh.md §3.1).
 */
export function isProverCommand(words: readonly string[]): boolean {
  return words.some(isProverProgram) || (hasFlag(words, '--dir', '-d') && hasFlag(words, '--address', '-a'));
}

export function isNodeCommand(words: readonly string[]): boolean {
  return words.some(isNodeProgram);
}

/** Told by the program, else by the image, else by its flags. Compose's own image names end with the service's. */
export function foundRole(program: Pick<FoundProgram, 'words' | 'image' | 'mounts' | 'name'>): FoundRole {
  const { words, image = '', mounts } = program;
  const named = image.split('@', 1)[0]?.split('/').at(-1)?.split(':', 1)[0] ?? '';
  // Such a one starts and stops other containers: a schedule, a panel, an updater.
  if (mounts.some(({ target }) => /\/docker\.sock$/.test(target)))
    return /psm|schedul|masher/i.test(`${image} ${program.name}`) ? 'scheduler' : 'other';
  // The image's own program, unless another one is started in it.
  const runsImage = words.length === 0 || words[0]?.startsWith('-') === true;
  if (isProverCommand(words) || (runsImage && isProverProgram(named))) return 'prover';
  if (isNodeCommand(words) || (runsImage && isNodeProgram(named))) return 'node';
  const startsNode =
    hasFlag(words, '--config', '-c') && hasFlag(words, '--data-folder', '-d', '--preset', '-p');
  return startsNode ? 'node' : 'other';
}
