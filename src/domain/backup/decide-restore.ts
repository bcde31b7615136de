import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import type { Project } from '../project/types.ts';
import type { BackupEntry, Contents } from './contents.ts';
import type { OldDatabase } from './old-database.ts';

export interface RestoreFacts {
  readonly contents: Contents;
  readonly items: readonly {
    readonly entry: BackupEntry;
    readonly target: string;
    readonly present: 'absent' | 'same' | 'other';
  }[];
  /** Keys in the node's folder now. */
  readonly keys: readonly { readonly file: string; readonly smesherId?: SmesherId }[];
  /** What smesh.yaml there says now. */
  readonly standing: Pick<Project, 'identities' | 'retired'> | undefined;
  readonly hasDatabase: boolean;
  /** A `-wal` or `-journal` whose database is not there. */
  readonly strayJournals: readonly string[];
  readonly database: OldDatabase;
  readonly withOldLocalSql: boolean;
}

export interface RestoreDecision {
  /** Newer state that would be lost, or two keys of one name: a line each. Nothing is restored. */
  readonly refusals: readonly string[];
  /** What is written, in the order of the backup. */
  readonly put: readonly {
    readonly entry: BackupEntry;
    readonly target: string;
    readonly replaces: boolean;
  }[];
  /** What is there and stays, although the backup has another one. */
  readonly kept: readonly string[];
  /** local.sql is in the backup and was not put back: somebody can have published since. */
  readonly leftDatabase: boolean;
}

/**
 * What of a backup goes where. Files that a person or `generate` can write again are replaced (the caller keeps copies);
 * keys and databases never are: where they differ from the backup, the folder has a state of its own, and that is newer or
 * of another node.
 */
export function decideRestore(facts: RestoreFacts): RestoreDecision {
  const { contents, items, database } = facts;
  const isOld = database.kind !== 'current' && !facts.withOldLocalSql;
  const put: RestoreDecision['put'][number][] = [];
  const kept: string[] = [];
  const refusals = [...keyRefusals(facts), ...modelRefusals(facts)];
  let leftDatabase = false;
  const keepsState = items.some(({ entry, present }) => entry.kind === 'state' && present !== 'absent');
  const standing = new Set(facts.keys.flatMap(({ smesherId }) => smesherId ?? []) as unknown[]);
  for (const { entry, target, present } of items) {
    if (present === 'same') continue;
    if (entry.kind === 'database') {
      if (present === 'other') refusals.push(`${target} is not the one in the backup`);
      else if (isOld) leftDatabase = true;
      else put.push({ entry, target, replaces: false });
    } else if (entry.kind === 'key' || entry.kind === 'poet-key' || entry.kind === 'genesis') {
      if (present === 'other') refusals.push(`${target} is not the one in the backup`);
      // Under another name it is there already: the node refuses to start with two of one key (spacemesh.md §2.1).
      else if (!standing.has(entry.smesherId)) put.push({ entry, target, replaces: false });
    } else if (entry.kind === 'state' || entry.kind === 'p2p' || entry.kind === 'history') {
      if (present === 'other') kept.push(target);
      // The one without the other is no database.
      else if (entry.kind === 'state' && keepsState) kept.push(target);
      else put.push({ entry, target, replaces: false });
    } else if (entry.kind === 'lease') {
      // Who holds a key now is said by the lease that is there.
      if (present === 'absent') put.push({ entry, target, replaces: false });
    } else put.push({ entry, target, replaces: present === 'other' });
  }
  const backedUp = contents.entries.some(
    ({ kind, path }) => kind === 'database' && path === 'node-data/local.sql',
  );
  if (facts.hasDatabase && !backedUp)
    refusals.push('local.sql is there, and the backup has none: what is there is newer');
  // SQLite would play it into the database that is put beside it.
  for (const path of facts.strayJournals)
    refusals.push(`${path} is of a database that is not there: move it away with that one`);
  return { refusals, put, kept, leftDatabase };
}

function keyRefusals({ contents, keys }: RestoreFacts): readonly string[] {
  const known = new Set<SmesherId>(contents.identities.map(({ id }) => id));
  const names = new Set<string>();
  for (const { kind, smesherId, origin } of contents.entries) {
    if (kind !== 'key') continue;
    if (smesherId !== undefined) known.add(smesherId);
    names.add(origin.slice(origin.lastIndexOf('/') + 1));
  }
  return keys.flatMap(({ file, smesherId }) => {
    // Of the same name and other content: said where the file is compared.
    if (names.has(file)) return [];
    if (smesherId === undefined) return [`identities/${file} is there and no key of the backup`];
    return known.has(smesherId)
      ? []
      : [`identities/${file} is the key of ${shortId(smesherId)}, which the backup does not have`];
  });
}

/** An identity that came or went since the backup: what is there is newer. */
function modelRefusals({ contents, standing }: RestoreFacts): readonly string[] {
  if (standing === undefined) return [];
  const ids = new Set(contents.identities.map(({ id }) => id));
  // One whose key still waited is no identity of the backup, and its key comes back all the same.
  const withKey = new Set(
    contents.entries.flatMap(({ kind, smesherId }) => (kind === 'key' ? [smesherId] : [])),
  );
  return [
    ...standing.identities
      .filter(({ id }) => !ids.has(id))
      .map(({ name, id }) => `smesh.yaml has ${name} (${shortId(id)}), which the backup does not have`),
    ...standing.retired
      .filter(({ id }) => ids.has(id) || withKey.has(id))
      .map(({ name, id }) => `${name} (${shortId(id)}) was removed from this project since the backup`),
  ];
}
