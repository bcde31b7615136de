import { isMap, isScalar, type Node } from 'yaml';
import { flowValue } from './edit-lists.ts';
import {
  cannotEdit,
  columnOf,
  contentEnd,
  type Entry,
  insertLines,
  lineStart,
  open,
  pairAt,
  rangeOf,
  readBack,
  type Sheet,
  splice,
} from './edit-sheet.ts';
import { yamlText } from './new-project.ts';

/* Keys of a section of smesh.yaml, in the style in which the section is written. */

export type SectionValue = string | Entry | readonly Entry[];

/**
 * Sets one key of a section, and makes the section where there is none. The same text when it says so already. Exit 5
 * where that is impossible (an alias, braces within braces), with what to write by hand.
 */
export function setSectionKey(text: string, section: string, key: string, value: SectionValue): string {
  const sheet = open(text);
  const before = (sheet.document.toJS() as Record<string, Record<string, unknown> | null | undefined>)[
    section
  ];
  if (JSON.stringify(before?.[key]) === JSON.stringify(value)) return text;
  const what = `set ${section}.${key}`;
  const entry = { [section]: { [key]: value } };
  const edited = writeKey(sheet, section, key, value);
  if (edited === undefined) throw cannotEdit(what, entry);
  return readBack(
    text,
    edited,
    (values) => {
      values[section] = { ...(values[section] as object | null | undefined), [key]: value };
    },
    what,
    entry,
  );
}

function writeKey(sheet: Sheet, name: string, key: string, value: SectionValue): string | undefined {
  const { text, eol, root } = sheet;
  const section = pairAt(sheet, [name]);
  if (section === undefined) {
    if (root.flow) return undefined;
    const gap = text === '' || text.endsWith('\n') ? '' : eol;
    return `${text}${gap}${eol}${name}:${eol}${lines(key, value, 2, eol)}`;
  }
  const map = section.value;
  if (map === undefined || (isScalar(map) && map.value === null && map.source === '')) {
    return root.flow ? undefined : insertLines(sheet, rangeOf(section.key)[1], lines(key, value, 2, eol));
  }
  if (!isMap(map)) return undefined;
  const present = pairAt(sheet, [name, key])?.value;
  if (present !== undefined) return replaceScalar(text, present, value);
  if (map.flow) {
    const [start] = rangeOf(map);
    const pair = `${key}: ${flowValue(value)}`;
    return splice(text, start + 1, start + 1, map.items.length > 0 ? `${pair}, ` : pair);
  }
  const first = map.items[0]?.key as Node | undefined;
  if (first === undefined) return undefined;
  const start = rangeOf(first)[0];
  // Behind something else on its line (an anchor, a tag) nobody can say where the next key would stand.
  if (text.slice(lineStart(text, start), start).trim() !== '') return undefined;
  return insertLines(sheet, contentEnd(map), lines(key, value, columnOf(text, start), eol));
}

function replaceScalar(text: string, present: Node, value: SectionValue): string | undefined {
  if (!isScalar(present) || typeof value !== 'string') return undefined;
  const [from, to] = rangeOf(present);
  return splice(text, from, to, value);
}

function lines(key: string, value: SectionValue, indent: number, eol: string): string {
  return yamlText({ [key]: value })
    .trimEnd()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}${eol}`)
    .join('');
}
