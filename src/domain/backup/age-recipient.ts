import { bech32 } from 'bech32';

/** Those of post-quantum keys have about two thousand characters. */
const LONGEST = 4096;

const KEY_BYTES = 32;

/**
 * Why a text names nobody for whom age can encrypt, as a clause; `undefined` when it does. Keys made by `age-keygen`
 * (`age1…`, X25519) and `age-keygen -pq` (`age1pq1…`); those of plugins cannot be used here.
 */
export function recipientFault(text: string): string | undefined {
  if (/^AGE-SECRET-KEY/i.test(text))
    return 'is a secret key, which opens backups: write its public half here (age1…), and treat the secret one as known';
  if (!text.startsWith('age1')) return 'does not begin with age1';
  const decoded = bech32.decodeUnsafe(text, LONGEST);
  if (decoded === undefined) return 'has a mistake in it: its check digits do not fit';
  const { prefix, words } = decoded;
  if (prefix === 'age1pq') return undefined;
  if (prefix !== 'age')
    return `is for the plugin ${prefix.replace(/^age1/, 'age-plugin-')}, which is not here`;
  return bech32.fromWordsUnsafe(words)?.length === KEY_BYTES ? undefined : 'has the wrong length';
}
