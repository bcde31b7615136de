import { isSeq } from 'yaml';
import { append, takeOut } from './edit-lists.ts';
import { setSectionKey } from './edit-section.ts';
import { cannotEdit, type Entry, open, pairAt, readBack } from './edit-sheet.ts';
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
    if (value !== undefined) edited = setSectionKey(edited, 'poet', key, value as string | Entry);
  }
  return edited;
}

function setServers(text: string, wanted: readonly PoetServer[]): string {
  const present = presentServers(text);
  const entries = wanted.map(({ address, pubkey }) => ({ address, pubkey }));
  if (present === undefined) return setSectionKey(text, 'poet', 'servers', entries);
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
