import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { SmesherId } from '../identity/smesher-id.ts';
import {
  cannotEdit,
  insertLines,
  lineStart,
  open,
  rangeOf,
  readBack,
  type Sheet,
  splice,
} from './edit-sheet.ts';

/** Images that smesh.yaml shall name. What is left out stays as it is. */
export interface ImageChanges {
  readonly node?: string;
  /** `image` under `defaults`. */
  readonly provers?: string;
  /** Identities that name an image of their own. */
  readonly own?: ReadonlyMap<SmesherId, string>;
}

type Path = readonly (string | number)[];

/**
 * Names other images; comments, order and every other byte stay. Exit 5 where that is impossible (an alias, an anchor
 * that others use), with what to write by hand.
 */
export function setImages(text: string, changes: ImageChanges): string {
  let edited = text;
  if (changes.node !== undefined) edited = setText(edited, ['node'], changes.node);
  if (changes.provers !== undefined) edited = setText(edited, ['defaults'], changes.provers);
  for (const [id, image] of changes.own ?? []) {
    edited = setText(edited, ['identities', indexOf(edited, id)], image);
  }
  return edited;
}

function indexOf(text: string, id: SmesherId): number {
  const { identities } = open(text).document.toJS() as { identities: readonly { id: unknown }[] };
  return identities.findIndex((entry) => String(entry.id).toLowerCase() === id);
}

function setText(text: string, at: Path, image: string): string {
  const what = 'name another image';
  const entry = { [String(at[0])]: { image } };
  const edited = writeImage(open(text), at, image);
  if (edited === undefined) throw cannotEdit(what, entry);
  return readBack(
    text,
    edited,
    (values) => {
      const [section, index] = at as [string, number | undefined];
      if (index === undefined) values[section] = { ...(values[section] as object | null), image };
      else {
        const list = [...(values[section] as object[])];
        list[index] = { ...list[index], image };
        values[section] = list;
      }
    },
    what,
    entry,
  );
}

function writeImage(sheet: Sheet, [section, index]: Path, image: string): string | undefined {
  const pair = findPair(sheet.root, String(section));
  if (pair === undefined) return appendSection(sheet, String(section), image);
  const value = pair.value as Node | null;
  const map = index === undefined ? value : isSeq(value) ? (value.items[Number(index)] as Node) : undefined;
  if (isMap(map)) return intoMap(sheet, map, image);
  const empty = value === null || (isScalar(value) && value.value === null && value.source === '');
  if (index !== undefined || !empty || sheet.root.flow) return undefined;
  return insertLines(sheet, rangeOf(pair.key as Node)[1], `  image: ${image}${sheet.eol}`);
}

function intoMap({ text, eol }: Sheet, map: YAMLMap, image: string): string | undefined {
  const present = findPair(map, 'image')?.value as Node | null | undefined;
  if (isScalar(present)) {
    const [from, to] = rangeOf(present);
    return splice(text, from, to, image);
  }
  if (present !== undefined) return undefined;
  const [start] = rangeOf(map);
  if (map.flow)
    return splice(text, start + 1, start + 1, map.items.length > 0 ? `image: ${image}, ` : `image: ${image}`);
  const first = map.items[0]?.key as Node | undefined;
  if (first === undefined) return undefined;
  const at = rangeOf(first)[0];
  const before = text.slice(lineStart(text, at), at);
  // In a list the first key stands behind the dash: the new one goes between the two.
  return splice(text, at, at, `image: ${image}${eol}${before.replace(/-/g, ' ')}`);
}

function appendSection(sheet: Sheet, section: string, image: string): string | undefined {
  if (sheet.root.flow) return undefined;
  const { text, eol } = sheet;
  const gap = text.endsWith('\n') ? '' : eol;
  return `${text}${gap}${eol}${section}:${eol}  image: ${image}${eol}`;
}

function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((item) => isScalar(item.key) && item.key.value === key);
}

/** Identities that name an image of their own: what stands under `defaults` does not reach them. */
export function identitiesWithOwnImage(text: string): readonly string[] {
  const { identities } = open(text).document.toJS() as {
    identities?: readonly { id: unknown; image?: unknown }[] | null;
  };
  return (identities ?? []).flatMap(({ id, image }) =>
    image === undefined ? [] : [String(id).toLowerCase()],
  );
}
