const AGE = 'age-encryption.org/v1\n';

/** Bytes of the beginning that tell. */
export const KIND_BYTES = 512;

/**
 * How a backup is opened, by its first bytes: with a passphrase, with an age key, or not at all because it is a plain
 * archive; `other` is no backup of ours.
 */
export function backupKind(head: Uint8Array): 'passphrase' | 'key' | 'plain' | 'other' {
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith(`${AGE}-> scrypt `)) return 'passphrase';
  if (text.startsWith(AGE)) return 'key';
  return text.startsWith('contents.json\0') ? 'plain' : 'other';
}
