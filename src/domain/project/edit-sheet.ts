import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { ExitCode, SmeshError } from '../errors.ts';
import { yamlText } from './new-project.ts';

/*
 * Edits of a smesh.yaml that somebody wrote: text is put in and taken out at places that the parsed document names, so
 * that every other byte stays. Writing the document anew would reflow comments and lists. Each edit is read back, and
 * one that does not mean what it should is refused.
 */

export type Entry = Readonly<Record<string, unknown>>;

/** The file is a project already (`parseProject` said so); these places exist. */
export interface Sheet {
  readonly text: string;
  readonly eol: string;
  readonly document: Document;
  readonly root: YAMLMap;
}

export function open(text: string): Sheet {
  const document = parseDocument(text, { keepSourceTokens: true, merge: true });
  const root = document.contents;
  if (document.errors.length > 0 || !isMap(root)) throw new Error('edit of a file that is no project');
  return { text, eol: text.includes('\r\n') ? '\r\n' : '\n', document, root };
}

export function cannotEdit(what: string, entry: Entry): SmeshError {
  return new SmeshError(
    'cannot-edit',
    ExitCode.refused,
    `smesh.yaml is written in a way that the tool cannot ${what} without touching more`,
    {
      details: yamlText([entry]).trimEnd().split('\n'),
      hint: 'Do it by hand (the entry is shown above) and run the command again. Nothing was changed.',
    },
  );
}

export const rangeOf = (node: Node): readonly [number, number] => {
  const range = node.range;
  if (range === null || range === undefined) throw new Error('node without a place');
  return [range[0], range[1]];
};

/** Where the last visible character of a node ends: collections reach over the line breaks and comments after them. */
export function contentEnd(node: Node): number {
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1);
    const value = last?.value as Node | null | undefined;
    if (value?.range) return contentEnd(value);
    return last === undefined ? rangeOf(node)[1] : rangeOf(last.key as Node)[1] + 1;
  }
  if (isSeq(node) && !node.flow) {
    const last = node.items.at(-1) as Node | undefined;
    return last?.range ? contentEnd(last) : rangeOf(node)[1];
  }
  return rangeOf(node)[1];
}

/** Offset just behind the line break that ends the line of an offset; the end of the text where there is none. */
export function lineEnd(text: string, offset: number): number {
  // A block scalar ends behind its own line break.
  if (offset > 0 && text[offset - 1] === '\n') return offset;
  const next = text.indexOf('\n', offset);
  return next < 0 ? text.length : next + 1;
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

export function splice(text: string, from: number, to: number, insert: string): string {
  return `${text.slice(0, from)}${insert}${text.slice(to)}`;
}

/** Puts complete lines behind the line on which `offset` lies. */
export function insertLines(sheet: Sheet, offset: number, lines: string): string {
  const at = lineEnd(sheet.text, offset);
  const unfinished = at === sheet.text.length && at > 0 && sheet.text[at - 1] !== '\n';
  return splice(sheet.text, at, at, `${unfinished ? sheet.eol : ''}${lines}`);
}

/** The entry at a path of keys from the root: `['identities']`, `['poet', 'servers']`. */
export function pairAt(
  sheet: Sheet,
  path: readonly string[],
): { readonly key: Node; readonly value: Node | undefined } | undefined {
  let map: Node | null | undefined = sheet.root;
  let found: { key: Node; value: Node | undefined } | undefined;
  for (const key of path) {
    if (!isMap(map)) return undefined;
    const pair: Pair | undefined = map.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair === undefined) return undefined;
    map = pair.value as Node | null;
    found = { key: pair.key as Node, value: map ?? undefined };
  }
  return found;
}

/** Column in which the line of an offset begins. */
export function columnOf(text: string, offset: number): number {
  const line = text.slice(lineStart(text, offset), offset);
  return line.length - line.trimStart().length;
}

/** Equal values, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const entries = Object.entries(a);
  return (
    entries.length === Object.keys(b).length &&
    entries.every(([key, value]) => Object.hasOwn(b, key) && same(value, (b as Record<string, unknown>)[key]))
  );
}

/** Refuses an edit after which the file would not say what it should. */
export function readBack(
  before: string,
  after: string,
  change: (values: Record<string, unknown>) => void,
  what: string,
  entry: Entry,
): string {
  const wanted = parseDocument(before, { merge: true }).toJS() as Record<string, unknown>;
  change(wanted);
  const read = parseDocument(after, { merge: true });
  const values: unknown = read.errors.length > 0 ? undefined : safely(() => read.toJS() as unknown);
  if (!same(values, wanted)) throw cannotEdit(what, entry);
  return after;
}

/** An alias whose anchor went away throws when it is resolved. */
function safely<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
