import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { append, flowValue, takeOut } from './edit-lists.ts';
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
import type { PoetServer } from './types.ts';

/* Edits below `poet` of a smesh.yaml that somebody wrote: every other byte stays. */

const SERVERS = ['poet', 'servers'] as const;

/** What below `poet` shall say something else. Texts as they stand in the file: `240h`. */
export interface PoetChanges {
  /** The whole list as it shall be; entries that are there already stay as they are written. */
  readonly servers?: readonly PoetServer[];
  readonly phaseShift?: string;
  readonly cycleGap?: string;
  readonly gracePeriod?: string;
  readonly positioningAtxTimeout?: string;
  /** The section of a PoET service of one's own, as a mapping. */
  readonly serve?: Entry;
}

/**
 * Writes other PoET settings into the text of a valid project. Comments, order and every other byte stay; where the file
 * has no list of servers (they are the network's) the whole new list is written out. Exit 5 where that is impossible (an
 * alias, braces within braces), with what to write by hand. The same text when it says all of it already.
 */
export function editPoet(text: string, changes: PoetChanges): string {
  let edited = text;
  const { servers, ...others } = changes;
  if (servers !== undefined) edited = setServers(edited, servers);
  for (const [key, value] of Object.entries(others)) {
    if (value !== undefined) edited = setKey(edited, key, value as string | Entry);
  }
  return edited;
}

function setServers(text: string, wanted: readonly PoetServer[]): string {
  const present = presentServers(text);
  const entries = wanted.map(({ address, pubkey }) => ({ address, pubkey }));
  if (present === undefined) return setKey(text, 'servers', entries);
  const isIn = (list: readonly PoetServer[], one: PoetServer) =>
    list.some(({ address, pubkey }) => address === one.address && pubkey === one.pubkey);
  let edited = text;
  // From the end: what stands before keeps its number.
  for (const [index, server] of [...present.entries()].reverse()) {
    if (!isIn(wanted, server)) edited = takeOut(edited, SERVERS, index);
  }
  const added = entries.filter((one) => !isIn(present, one));
  edited = append(edited, SERVERS, added);
  if (edited === text) return text;
  const kept = present.filter((server) => isIn(wanted, server));
  return readBack(
    text,
    edited,
    (values) => {
      values['poet'] = { ...(values['poet'] as object), servers: [...kept, ...added] };
    },
    'change the PoET servers',
    { servers: entries },
  );
}

/** The list as written; `undefined` where the file has none and the network's own counts. */
function presentServers(text: string): readonly PoetServer[] | undefined {
  const sheet = open(text);
  const value = pairAt(sheet, SERVERS)?.value;
  if (value === undefined) return undefined;
  if (!isSeq(value)) throw cannotEdit('change the PoET servers', { servers: [] });
  const { poet } = sheet.document.toJS() as { poet: { servers: readonly PoetServer[] } };
  return poet.servers;
}

type Value = string | Entry | readonly Entry[];

/** Sets one key below `poet`, and the section itself where there is none. */
function setKey(text: string, key: string, value: Value): string {
  const sheet = open(text);
  const before = (sheet.document.toJS() as { poet?: Record<string, unknown> | null }).poet;
  if (JSON.stringify(before?.[key]) === JSON.stringify(value)) return text;
  const what = `set poet.${key}`;
  const entry = { poet: { [key]: value } };
  const edited = writeKey(sheet, key, value);
  if (edited === undefined) throw cannotEdit(what, entry);
  return readBack(
    text,
    edited,
    (values) => {
      values['poet'] = { ...(values['poet'] as object | null | undefined), [key]: value };
    },
    what,
    entry,
  );
}

function writeKey(sheet: Sheet, key: string, value: Value): string | undefined {
  const { text, eol, root } = sheet;
  const section = pairAt(sheet, ['poet']);
  if (section === undefined) {
    if (root.flow) return undefined;
    const gap = text === '' || text.endsWith('\n') ? '' : eol;
    return `${text}${gap}${eol}poet:${eol}${lines(key, value, 2, eol)}`;
  }
  const map = section.value;
  if (map === undefined || (isScalar(map) && map.value === null && map.source === '')) {
    return root.flow ? undefined : insertLines(sheet, rangeOf(section.key)[1], lines(key, value, 2, eol));
  }
  if (!isMap(map)) return undefined;
  const present = pairAt(sheet, ['poet', key])?.value;
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

function replaceScalar(text: string, present: Node, value: Value): string | undefined {
  if (!isScalar(present) || typeof value !== 'string') return undefined;
  const [from, to] = rangeOf(present);
  return splice(text, from, to, value);
}

function lines(key: string, value: Value, indent: number, eol: string): string {
  return yamlText({ [key]: value })
    .trimEnd()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}${eol}`)
    .join('');
}
