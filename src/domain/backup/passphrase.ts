import { Secret } from '../secret.ts';

/** Fewer characters are guessed, however slow each guess is made. */
export const SHORTEST_PASSPHRASE = 12;

/** What opens a backup. It prints as `[passphrase]` whichever way it is printed. */
export class Passphrase extends Secret {
  constructor(text: string) {
    super(text, 'passphrase');
  }

  /** Only for the one adapter that encrypts and decrypts. */
  reveal(): string {
    return this.text();
  }
}

/** Why it will not do for a new backup, as a clause; `undefined` when it does. */
export function passphraseFault(text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  const length = [...text].length;
  if (length < SHORTEST_PASSPHRASE)
    return `has ${length} characters; at least ${SHORTEST_PASSPHRASE}, better four or five random words`;
  return undefined;
}

/** The first line of a passphrase file: editors put a line break at the end, which nobody types later. */
export function passphraseInFile(text: string): string {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '';
}
