/**
 * What a name from a disk, a log or another program may not put on a terminal: control codes (they move the cursor,
 * set colours, retitle windows), line breaks, and the marks that reverse the order of what follows.
 */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]/gu;
const LONE_SURROGATE = /\p{Surrogate}/gu;
const PRINTABLE_ASCII = /^[\u0020-\u007e]*$/;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The text with everything visible and harmless: `a\x1b[2Jb`, `two\nlines`. One line whatever came in. */
export function printable(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text;
  return text.replace(UNPRINTABLE, escapeCharacter).replace(LONE_SURROGATE, '\ufffd');
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const HALF_WIDTH = /^[\uff61-\uffdc]/;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

let segmenter: Intl.Segmenter | undefined;

function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  // U+FE0F asks for the picture, which takes two cells.
  return (WIDE.test(grapheme) && !HALF_WIDTH.test(grapheme)) || grapheme.includes('\ufe0f') ? 2 : 1;
}

/** Terminal cells that a printable text takes. */
export function textWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  return graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

function takeWidth(parts: Iterable<string>, width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const part of parts) {
    used += graphemeWidth(part);
    if (used > width) break;
    taken.push(part);
  }
  return taken;
}

/** Where the `…` stands. Paths lose their start or middle: what tells them apart is at the end. */
export type CutPlace = 'start' | 'middle' | 'end';

/** At most `width` cells, whole characters only, with `…` where something is missing. */
export function cutText(text: string, width: number, place: CutPlace = 'end'): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  const parts = graphemes(text);
  const room = width - 1;
  if (place === 'end') return `${takeWidth(parts, room).join('')}…`;
  const headRoom = place === 'start' ? 0 : Math.floor(room / 3);
  const head = takeWidth(parts, headRoom);
  const tail = takeWidth(parts.slice(head.length).reverse(), room - textWidth(head.join(''))).reverse();
  return `${head.join('')}…${tail.join('')}`;
}

/** Breaks a printable text at spaces into lines of at most `width` cells; a longer word gets a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room.
const COLORS = /\u001b\[[\d;]*m/g;

/** Where the text of a line begins: behind its indent and the mark of a list (`! `, `→ `, `· `). */
const MARGIN = /^ *(?:[!→·+=~-] +)?/u;

/**
 * One line as lines of at most `columns` cells, broken between words, the further ones below the text of the first.
 * Colours take no room. A line that is a command stays whole: broken, it would be another one when it is pasted.
 */
export function fitLine(line: string, columns: number): string[] {
  const bare = (text: string) => text.replace(COLORS, '');
  if (textWidth(bare(line)) <= columns) return [line];
  const margin = MARGIN.exec(line)?.[0] ?? '';
  const text = line.slice(margin.length);
  if (/^(?:smesh-compose|docker|sudo) /.test(text)) return [line];
  const below = ' '.repeat(textWidth(margin));
  const lines: string[] = [];
  let current = '';
  // Runs of spaces are columns: they are kept within a line.
  for (const word of text.split(/(?<=[^ ]) (?=[^ ])/)) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && textWidth(below) + textWidth(bare(longer)) > columns) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return [...lines, current].map((part, index) => (index === 0 ? margin : below) + part);
}

/** `post-0001, post-0002` or, when they are many or long, `post-0001 … post-0050 (50)`. */
export function enumerate(subjects: readonly string[]): string {
  const all = subjects.join(', ');
  if (subjects.length === 1 || (subjects.length <= 4 && all.length <= 60)) return all;
  return `${subjects[0]} … ${subjects.at(-1)} (${subjects.length})`;
}
