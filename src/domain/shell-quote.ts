/**
 * A word as a POSIX shell or bash must be given it, for commands that a person is told to type: names with spaces,
 * `$`, quotes and line breaks stay one word and run nothing.
 */
export function quoteForShell(word: string): string {
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, (character) => {
    const code = character.charCodeAt(0);
    // Above ASCII `\x` would be one byte and no character.
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u00${code.toString(16)}`;
  });
  return `$'${escaped}'`;
}
