import type { Pseudonyms } from './pseudonyms.ts';

/** Words that announce a secret, in names of settings, flags and fields. A public key is none. */
const SECRET_WORD =
  'passw(?:or)?d|passphrase|passwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|privkey|mnemonic|seed(?:[-_]?phrase)?|credentials?|authorization|bearer|cookie|webhook';

export const SECRET_NAME = new RegExp(SECRET_WORD, 'i');

/** No real text has more backslashes in a row; without an end a line of nothing else would take for ever. */
const ESCAPE = String.raw`\\{1,8}`;

/** `password: x`, `"api_key":"x"`, `TOKEN=x`; unquoted values go on to the end of the line. */
const NAMED = new RegExp(
  String.raw`((?:${SECRET_WORD})[\w.-]{0,60}(?:${ESCAPE})?["']?\s{0,8}[:=]\s{0,8})(?:((?:${ESCAPE})?["'])(.*?)\2|[^\s].*)`,
  'gi',
);
/** `--secret x` */
const FLAG = new RegExp(String.raw`(--[\w-]{0,40}(?:${SECRET_WORD})[\w-]{0,40}\s{1,8})[^\s]+`, 'gi');
const PEM = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/gs;

/** Accounts of any network, and keys in the same spelling (bech32). */
const BECH32 = /(?<![A-Za-z0-9])[a-z]{1,20}1[02-9ac-hj-np-z]{30,}(?![A-Za-z0-9])/gi;

const HEX_SEPARATOR = String.raw`(?:${ESCAPE}[nrtbf"'/0]|[\s"'${'`'}+,;:|._-]|\\){1,8}`;
const HEX_RUN = new RegExp(
  `(?<![0-9A-Za-z])(?:0x)?[0-9a-f]+(?:${HEX_SEPARATOR}(?:0x)?[0-9a-f]+)*(?![0-9A-Za-z])`,
  'gi',
);
/** Digits of a key that are cut off or glued to letters: no word has so many. */
const HEX_PIECE = /[0-9a-f]{16,}/gi;
const HEX_LEAST = 16;
/** Pieces are only taken together when they make up as much as the smallest secret. */
const JOINED_LEAST = 32;

const BASE64_RUN = /[A-Za-z0-9+/_-]{20,}={0,2}/g;
const BASE64_JOIN = String.raw`(?:${ESCAPE}[nr]|(?:${ESCAPE})?["']\s{0,8}[+,]?\s{0,8}(?:${ESCAPE})?["'])`;
const BASE64_SPLIT = new RegExp(
  `(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{2,}(?:(?:${BASE64_JOIN}){1,4}[A-Za-z0-9+/_-]{2,})+={0,2}`,
  'g',
);
const BASE32_RUN = /(?<![A-Za-z0-9])[A-Z2-7]{26,}={0,6}(?![A-Za-z0-9])/g;
const BYTE_LIST = /(?<![\d.])\d{1,3}(?:[\s,;]+\d{1,3}){7,}(?![\d.])/g;
const ESCAPED_BYTES = /(?:\\{1,8}x[0-9a-f]{2}[^\\\s"]{0,6}){4,}[^\s"]*/gi;

/** Secrets that are announced by a name before them, or by their frame. */
export function redactNamed(text: string): string {
  return text
    .replace(PEM, '[blanked]')
    .replace(NAMED, (_: string, name: string, quote: string | undefined) =>
      quote === undefined ? `${name}[blanked]` : `${name}${quote}[blanked]${quote}`,
    )
    .replace(FLAG, '$1[blanked]');
}

/** Accounts: who earns is nobody's business. */
export function redactAccounts(text: string, names: Pseudonyms): string {
  return text.replace(BECH32, (found) => names.of('account', found.toLowerCase()));
}

/**
 * Everything that could be a key by its looks: long runs of hex digits, base64, base32 and lists of bytes, whole or in
 * pieces with quotes, escapes or blanks between them. What is known to be harmless stays; an identity gets its pseudonym.
 */
export function redactLongValues(text: string, names: Pseudonyms, harmless: ReadonlySet<string>): string {
  const nameOf = (hex: string): string => {
    if (harmless.has(hex.toLowerCase())) return hex;
    return names.smesher(hex) ?? names.of('hex', hex.toLowerCase());
  };
  return text
    .replace(ESCAPED_BYTES, '[bytes]')
    .replace(BYTE_LIST, (found) =>
      found.split(/[\s,;]+/).every((part) => Number(part) < 256) ? '[bytes]' : found,
    )
    .replace(HEX_RUN, (run) => redactHexRun(run, nameOf, harmless, names))
    .replace(HEX_PIECE, (piece) => (isNumber(piece) ? piece : nameOf(piece)))
    .replace(BASE64_SPLIT, (run) =>
      isRandom(run.replace(/[^A-Za-z0-9+/_-]/g, ''), 40) ? names.of('token', run) : run,
    )
    .replace(BASE64_RUN, (run) => {
      if (harmless.has(run) || !isRandom(run, 24)) return run;
      return smesherInBase64(run, names) ?? names.of('token', run);
    })
    .replace(BASE32_RUN, (run) => (/\d/.test(run) || run.length >= 40 ? names.of('token', run) : run));
}

/** Pieces that are whole values are named each; others are taken together, so that no half of a key remains. */
function redactHexRun(
  run: string,
  nameOf: (hex: string) => string,
  harmless: ReadonlySet<string>,
  names: Pseudonyms,
): string {
  const pieces = run.split(/((?:0x)?[0-9a-f]+)/i);
  const digits = (piece: string) => piece.replace(/^0x/i, '');
  const isKnown = (piece: string) =>
    harmless.has(digits(piece).toLowerCase()) ||
    (digits(piece).length >= 8 && names.smesher(digits(piece)) !== undefined);
  const unknown = pieces.filter((piece, index) => index % 2 === 1 && !isKnown(piece)).map(digits);
  const together = unknown.join('');
  const scattered =
    unknown.length > 1 &&
    together.length >= JOINED_LEAST &&
    unknown.some((piece) => piece.length < JOINED_LEAST) &&
    looksHex(together);
  return pieces
    .map((piece, index) => {
      if (index % 2 === 0) return piece;
      if (scattered && !isKnown(piece)) return '[blanked]';
      const bare = digits(piece);
      if (bare.length < HEX_LEAST || (isNumber(bare) && bare.length < JOINED_LEAST)) {
        return names.smesher(bare) ?? piece;
      }
      return nameOf(bare);
    })
    .join('')
    .replace(/\[blanked\](?:[^[]{0,8}\[blanked\])+/g, '[blanked]');
}

/** Numbers and times in a row are no hex digits in pieces: those have letters among them. */
function looksHex(text: string): boolean {
  const letters = text.replace(/\d/g, '').length;
  return letters >= Math.max(4, text.length * 0.1) && letters < text.length;
}

/** Times in nanoseconds and sizes are long, too. */
function isNumber(text: string): boolean {
  return /^\d{1,24}$/.test(text);
}

/** Words and paths have not all of capital and small letters and digits, a key practically always. */
function isRandom(text: string, least: number): boolean {
  if (text.length < least || !/[a-z]/.test(text) || !/[A-Z]/.test(text)) return false;
  return /\d|[+/]/.test(text) || text.length >= 32;
}

function smesherInBase64(text: string, names: Pseudonyms): string | undefined {
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return undefined;
  return names.smesher(Buffer.from(text, 'base64').toString('hex'));
}
