import { isMap, isScalar, isSeq, type Node, type YAMLSeq } from 'yaml';
import {
  cannotEdit,
  columnOf,
  contentEnd,
  type Entry,
  insertLines,
  lineEnd,
  lineStart,
  open,
  pairAt,
  rangeOf,
  type Sheet,
  splice,
} from './edit-sheet.ts';
import { yamlText } from './new-project.ts';

/* Entries of lists in smesh.yaml: put in and taken out in the style in which the list is written. */

/** Lines of a list entry: `indent` columns, a dash, `gap` columns to the keys. */
export function blockEntry(entry: Entry, indent: number, gap: number, eol: string): string {
  const pad = ' '.repeat(indent);
  return yamlText(entry)
    .trimEnd()
    .split('\n')
    .map((line, index) => `${pad}${index === 0 ? `-${' '.repeat(gap - 1)}` : ' '.repeat(gap)}${line}${eol}`)
    .join('');
}

export function flowEntry(entry: Entry): string {
  const text = Object.entries(entry)
    .map(([key, value]) => `${key}: ${flowValue(value)}`)
    .join(', ');
  return `{${text}}`;
}

/** JSON is YAML, whatever the text holds. */
export function flowValue(value: unknown): string {
  return JSON.stringify(value);
}

/** Column of the dash of a block list and the distance to what stands behind it. */
function listShape(text: string, list: YAMLSeq): { indent: number; gap: number } {
  const first = list.items[0] as Node;
  const start = rangeOf(first)[0];
  const from = lineStart(text, start);
  const [, before = '', gap = ''] = /^(\s*)(-\s+)$/.exec(text.slice(from, start)) ?? [];
  return gap === '' ? { indent: 2, gap: 2 } : { indent: before.length, gap: gap.length };
}

/**
 * Appends entries to the list at a path of keys, in the style in which the list is written. The list, or its key at least,
 * must be there.
 */
export function append(text: string, path: readonly string[], entries: readonly Entry[]): string {
  const sheet = open(text);
  const pair = pairAt(sheet, path);
  const first = entries[0];
  if (first === undefined) return text;
  const block = (indent: number, gap: number) =>
    entries.map((entry) => blockEntry(entry, indent, gap, sheet.eol)).join('');
  if (pair === undefined) throw new Error(`no ${path.join('.')} to add to`);
  const { value } = pair;
  if (value === undefined || (isScalar(value) && value.value === null && value.source === '')) {
    return insertLines(sheet, rangeOf(pair.key)[1], block(columnOf(text, rangeOf(pair.key)[0]) + 2, 2));
  }
  if (!isSeq(value)) throw cannotEdit(`add to ${path.join('.')}`, first);
  const last = value.items.at(-1) as Node | undefined;
  if (!value.flow && last !== undefined) {
    const { indent, gap } = listShape(text, value);
    return insertLines(sheet, contentEnd(value), block(indent, gap));
  }
  const [start, end] = rangeOf(value);
  if (last === undefined && !isInFlow(sheet, path) && /^\[\s*\]$/.test(text.slice(start, end))) {
    // `identities: []`, as a first init without data leaves it: becomes a list of lines.
    const opened: Sheet = { ...sheet, text: splice(text, text.slice(0, start).trimEnd().length, end, '') };
    return insertLines(opened, rangeOf(pair.key)[1], block(columnOf(text, rangeOf(pair.key)[0]) + 2, 2));
  }
  const flow = entries.map(flowEntry).join(', ');
  if (last === undefined) return splice(text, start + 1, start + 1, flow);
  const at = rangeOf(last)[1];
  const ownLine = /^\s*$/.exec(text.slice(lineStart(text, rangeOf(last)[0]), rangeOf(last)[0]));
  const separator = ownLine === null ? ', ' : `,${sheet.eol}${ownLine[0]}`;
  return splice(text, at, at, `${separator}${entries.map(flowEntry).join(separator)}`);
}

/** Whether a mapping above the entry is written in braces, where lines cannot be put in. */
function isInFlow(sheet: Sheet, path: readonly string[]): boolean {
  return path.some((_, depth) => {
    const map = depth === 0 ? sheet.root : pairAt(sheet, path.slice(0, depth))?.value;
    return isMap(map) && map.flow === true;
  });
}

/** Takes one entry out of the list at a path of keys. Comments above it stay: they may speak of others. */
export function takeOut(text: string, path: readonly string[], index: number): string {
  const sheet = open(text);
  const pair = pairAt(sheet, path);
  if (pair === undefined || !isSeq(pair.value)) throw new Error(`no list ${path.join('.')}`);
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

/** Adds a key to one entry of the list at a path of keys, behind its others. */
export function addToEntry(
  text: string,
  path: readonly string[],
  index: number,
  key: string,
  value: string,
): string {
  const sheet = open(text);
  const list = pairAt(sheet, path)?.value;
  const item = isSeq(list) ? list.items[index] : undefined;
  const last = isMap(item) ? item.items.at(-1) : undefined;
  const first = isMap(item) ? item.items[0] : undefined;
  if (!isMap(item) || last === undefined || first === undefined)
    throw cannotEdit(`add to ${path.join('.')}`, { [key]: value });
  const end = contentEnd((last.value ?? last.key) as Node);
  if (item.flow) return splice(text, end, end, `, ${key}: ${flowValue(value)}`);
  const [start] = rangeOf(first.key as Node);
  const pad = ' '.repeat(start - lineStart(text, start));
  return insertLines(sheet, end, `${pad}${yamlText({ [key]: value }).trimEnd()}${sheet.eol}`);
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
