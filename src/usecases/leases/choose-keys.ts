import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { didYouMean } from '../../domain/project/suggest.ts';

interface Named {
  readonly smesherId: SmesherId;
  readonly name: string;
}

/** The installed keys that were meant: by name, smesher ID or the beginning of one; or all. */
export function chooseKeys<Key extends Named>(
  keys: readonly Key[],
  request: { readonly names: readonly string[]; readonly all: boolean },
): readonly Key[] {
  if (request.all && request.names.length > 0) {
    throw new SmeshError('bad-option', ExitCode.usage, 'Name the keys or say --all, not both', {
      hint: 'Nothing was changed.',
    });
  }
  if (request.all) return keys;
  if (request.names.length === 0) {
    throw new SmeshError('no-keys-named', ExitCode.usage, 'Which keys are to be taken over?', {
      hint: 'Name identities, or all whose lease another place holds: smesh-compose keys adopt --all   (smesh-compose keys lists them)',
    });
  }
  return chooseListed(keys, request.names);
}

/** Those that the words mean; a word that is nobody's, or two people's, is a usage error. */
export function chooseListed<Key extends Named>(
  keys: readonly Key[],
  words: readonly string[],
): readonly Key[] {
  return [...new Set(words.map((word) => findKey(keys, word)))];
}

function findKey<Key extends Named>(keys: readonly Key[], word: string): Key {
  const lower = word.toLowerCase();
  const found = keys.filter(
    ({ name, smesherId }) => name === word || (word.length >= 4 && smesherId.startsWith(lower)),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const meant = didYouMean(
    word,
    keys.map(({ name }) => name),
  );
  throw new SmeshError(
    'unknown-identity',
    ExitCode.usage,
    found.length > 1
      ? `${word} is the beginning of ${found.length} smesher IDs`
      : `No key here is called ${word}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    { hint: 'Nothing was changed. They are listed by: smesh-compose keys' },
  );
}
