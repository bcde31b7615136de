import { isMap, parseDocument } from 'yaml';
import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import { append, blockEntry, flowEntry, takeOut } from './edit-lists.ts';
import {
  cannotEdit,
  contentEnd,
  type Entry,
  insertLines,
  open,
  pairAt,
  readBack,
  splice,
} from './edit-sheet.ts';
import { identityEntry, type NewIdentity } from './new-project.ts';
import { readSource, readValues } from './source.ts';

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
    append(text, ['identities'], entries),
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
  const without = takeOut(text, ['identities'], index);
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
  if (pairAt(sheet, ['retired']) !== undefined) return append(text, ['retired'], [entry]);
  const identities = pairAt(sheet, ['identities']);
  if (identities?.value === undefined) throw new Error('no identities');
  const end = contentEnd(identities.value);
  if (sheet.root.flow) return splice(text, end, end, `, retired: [${flowEntry(entry)}]`);
  const { eol } = sheet;
  const comment = `# Removed identities. Their names are given to nobody else, and back to them when they return.`;
  return insertLines(sheet, end, `${eol}${comment}${eol}retired:${eol}${blockEntry(entry, 2, 2, eol)}`);
}
