import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { ExitCode, SmeshError } from '../errors.ts';
import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import { identityEntry, type NewIdentity, yamlText } from './new-project.ts';
import { readSource, readValues } from './source.ts';

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
function lineEnd(text: string, offset: number): number {
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

function pairOf(sheet: Sheet, key: string): { key: Node; value: Node | undefined } | undefined {
  const pair = sheet.root.items.find((item) => isScalar(item.key) && item.key.value === key);
  return pair === undefined
    ? undefined
    : { key: pair.key as Node, value: (pair.value as Node | null) ?? undefined };
}

/** Lines of a list entry: `indent` columns, a dash, `gap` columns to the keys. */
function blockEntry(entry: Entry, indent: number, gap: number, eol: string): string {
  const pad = ' '.repeat(indent);
  return yamlText(entry)
    .trimEnd()
    .split('\n')
    .map((line, index) => `${pad}${index === 0 ? `-${' '.repeat(gap - 1)}` : ' '.repeat(gap)}${line}${eol}`)
    .join('');
}

function flowEntry(entry: Entry): string {
  const text = Object.entries(entry)
    .map(([key, value]) => `${key}: ${flowValue(value)}`)
    .join(', ');
  return `{${text}}`;
}

/** JSON is YAML, whatever the text holds. */
function flowValue(value: unknown): string {
  return JSON.stringify(value);
}

/** Puts complete lines behind the line on which `offset` lies. */
export function insertLines(sheet: Sheet, offset: number, lines: string): string {
  const at = lineEnd(sheet.text, offset);
  const unfinished = at === sheet.text.length && at > 0 && sheet.text[at - 1] !== '\n';
  return splice(sheet.text, at, at, `${unfinished ? sheet.eol : ''}${lines}`);
}

/** Column of the dash of a block list and the distance to what stands behind it. */
function listShape(text: string, list: YAMLSeq): { indent: number; gap: number } {
  const first = list.items[0] as Node;
  const start = rangeOf(first)[0];
  const from = lineStart(text, start);
  const [, before = '', gap = ''] = /^(\s*)(-\s+)$/.exec(text.slice(from, start)) ?? [];
  return gap === '' ? { indent: 2, gap: 2 } : { indent: before.length, gap: gap.length };
}

/** Appends entries to a list of the root, in the style in which the list is written. */
function append(text: string, key: string, entries: readonly Entry[]): string {
  const sheet = open(text);
  const pair = pairOf(sheet, key);
  const first = entries[0];
  if (first === undefined) return text;
  const block = (indent: number, gap: number) =>
    entries.map((entry) => blockEntry(entry, indent, gap, sheet.eol)).join('');
  if (pair === undefined) throw new Error(`no ${key} to add to`);
  const { value } = pair;
  if (value === undefined || (isScalar(value) && value.value === null && value.source === '')) {
    return insertLines(sheet, rangeOf(pair.key)[1], block(2, 2));
  }
  if (!isSeq(value)) throw cannotEdit(`add to ${key}`, first);
  const last = value.items.at(-1) as Node | undefined;
  if (!value.flow && last !== undefined) {
    const { indent, gap } = listShape(text, value);
    return insertLines(sheet, contentEnd(value), block(indent, gap));
  }
  const [start, end] = rangeOf(value);
  if (last === undefined && !sheet.root.flow && /^\[\s*\]$/.test(text.slice(start, end))) {
    // `identities: []`, as a first init without data leaves it: becomes a list of lines.
    const opened: Sheet = { ...sheet, text: splice(text, text.slice(0, start).trimEnd().length, end, '') };
    return insertLines(opened, rangeOf(pair.key)[1], block(2, 2));
  }
  const flow = entries.map(flowEntry).join(', ');
  if (last === undefined) return splice(text, start + 1, start + 1, flow);
  const at = rangeOf(last)[1];
  const ownLine = /^\s*$/.exec(text.slice(lineStart(text, rangeOf(last)[0]), rangeOf(last)[0]));
  const separator = ownLine === null ? ', ' : `,${sheet.eol}${ownLine[0]}`;
  return splice(text, at, at, `${separator}${entries.map(flowEntry).join(separator)}`);
}

/** Takes one entry out of a list of the root. Comments above it stay: they may speak of others. */
function takeOut(text: string, key: string, index: number): string {
  const sheet = open(text);
  const pair = pairOf(sheet, key);
  if (pair === undefined || !isSeq(pair.value)) throw new Error(`no list ${key}`);
  const list = pair.value;
  const item = list.items[index] as Node;
  if (list.flow) return takeOutOfFlow(text, list, index);
  const from = lineStart(text, rangeOf(item)[0]);
  const without = splice(text, from, lineEnd(text, contentEnd(item)), '');
  if (list.items.length > 1) return without;
  const colon = text.indexOf(':', rangeOf(pair.key)[1]);
  // An anchor of the list stands before it.
  const properties = /^(?:[ \t]+[&!]\S+)*/.exec(text.slice(colon + 1))?.[0].length ?? 0;
  return splice(without, colon + 1 + properties, colon + 1 + properties, ' []');
}

function takeOutOfFlow(text: string, list: YAMLSeq, index: number): string {
  const item = list.items[index] as Node;
  const next = list.items[index + 1] as Node | undefined;
  const previous = list.items[index - 1] as Node | undefined;
  const [from, to] = rangeOf(item);
  if (next !== undefined) {
    const comma = text.slice(to, rangeOf(next)[0]).indexOf(',');
    const after = to + comma + 1;
    const blank = /^[^\S\n]*(\r?\n[^\S\n]*)?/.exec(text.slice(after))?.[0].length ?? 0;
    return splice(text, from, after + blank, '');
  }
  if (previous === undefined) return splice(text, from, to, '');
  const gap = text.slice(rangeOf(previous)[1], from);
  const comma = rangeOf(previous)[1] + gap.indexOf(',');
  // A comment between the two stays where it is.
  return gap.includes('#')
    ? splice(splice(text, from, to, ''), comma, comma + 1, '')
    : splice(text, comma, to, '');
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

/**
 * Adds identities behind the last one. Nothing else of the text changes, not a byte. Exit 5 where that is impossible
 * (a list made of aliases), with the entry to be put in by hand.
 */
export function addIdentities(text: string, identities: readonly NewIdentity[]): string {
  const entries = identities.map(identityEntry);
  const [first] = entries;
  if (first === undefined) return text;
  return readBack(
    text,
    append(text, 'identities', entries),
    (values) => {
      values['identities'] = [...((values['identities'] as unknown[] | null) ?? []), ...entries];
    },
    'add an identity',
    first,
  );
}

/**
 * Takes an identity out and notes its name under `retired`, so that no other identity ever gets it. The text must be a
 * valid project that has it.
 */
export function removeIdentity(text: string, id: SmesherId): string {
  const values = readValues(readSource(text, 'smesh.yaml')) as {
    identities: readonly { id: unknown; name: string }[];
    retired?: readonly { id: unknown }[];
  };
  const isIt = (entry: { id: unknown }) => String(entry.id).toLowerCase() === id;
  const index = values.identities.findIndex(isIt);
  const identity = values.identities[index];
  if (identity === undefined) throw new Error(`no identity ${shortId(id)} in smesh.yaml`);
  const entry = { id, name: identity.name };
  const known = (values.retired ?? []).some(isIt);
  const what = `remove ${identity.name}`;
  const without = takeOut(text, 'identities', index);
  if (!isProject(without)) throw cannotEdit(what, entry);
  return readBack(
    text,
    known ? without : retire(without, entry),
    (wanted) => {
      wanted['identities'] = (wanted['identities'] as unknown[]).filter((_, at) => at !== index);
      if (!known) wanted['retired'] = [...((wanted['retired'] as unknown[] | null | undefined) ?? []), entry];
    },
    what,
    entry,
  );
}

/** Whether a next edit can find its places in what one has left. */
function isProject(text: string): boolean {
  const { errors, contents } = parseDocument(text, { merge: true });
  return errors.length === 0 && isMap(contents);
}

function retire(text: string, entry: Entry): string {
  const sheet = open(text);
  if (pairOf(sheet, 'retired') !== undefined) return append(text, 'retired', [entry]);
  const identities = pairOf(sheet, 'identities');
  if (identities?.value === undefined) throw new Error('no identities');
  const end = contentEnd(identities.value);
  if (sheet.root.flow) return splice(text, end, end, `, retired: [${flowEntry(entry)}]`);
  const { eol } = sheet;
  const comment = `# Removed identities. Their names are given to nobody else, and back to them when they return.`;
  return insertLines(sheet, end, `${eol}${comment}${eol}retired:${eol}${blockEntry(entry, 2, 2, eol)}`);
}
