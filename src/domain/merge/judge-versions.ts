import type { Finding } from '../plan/findings.ts';
import { describeStops, lineOfDatabase, nodePath } from '../upgrade/node-path.ts';
import { formatRelease, type Release } from '../upgrade/release.ts';
import type { DatabaseState, MergeSource } from './facts.ts';

/** Last line without local.sql: what it left is renamed and migrated by 1.4 alone (spacemesh.md §6.1). */
const ONLY_OLD: Release = { major: 1, minor: 3, patch: 0 };
const NEWEST_READ: Release = { major: 1, minor: 7, patch: 6 };

export interface VersionFacts {
  readonly source: Pick<MergeSource, 'folder' | 'database' | 'hasOldDatabase'>;
  readonly target: DatabaseState;
  readonly nodeData: string;
  /** Version of the release that smesh.yaml names. */
  readonly wanted?: number;
}

/**
 * Whether both local.sql have the schema that merge-nodes wants, which migrates nothing (spacemesh.md §6.3): older ones are
 * told which releases they have to pass through, because each dropped the migrations of those before (§9.2).
 */
export function judgeVersions({ source, target, nodeData, wanted }: VersionFacts): readonly Finding[] {
  const { folder, database } = source;
  const at = `${folder}/local.sql`;
  if (database.kind === 'absent') return [withoutDatabase(source)];
  if (target.kind !== 'absent' && wanted !== undefined && (target.userVersion ?? wanted) !== wanted) {
    return [
      {
        code: 'target-schema',
        severity: 'error',
        kind: 'refused',
        message: `This project's local.sql has schema version ${target.userVersion ?? 'unknown'}, and the node of smesh.yaml has ${wanted}: merge-nodes migrates nothing`,
        evidence: `${nodeData}/local.sql`,
        next: 'Start the node once as it is in smesh.yaml (smesh-compose up), stop it (smesh-compose stop node), then merge again',
      },
    ];
  }
  if (target.kind === 'unknown') return [unreadable(`${nodeData}/local.sql`, target.reason)];
  const version = target.kind === 'read' ? target.userVersion : wanted;
  const theirs = database.userVersion;
  if (version !== undefined && theirs !== undefined && version !== theirs)
    return [theirs < version ? older(at, theirs, version) : newer(at, theirs, version)];
  return database.kind === 'unknown' ? [unreadable(at, database.reason)] : [];
}

function withoutDatabase({ folder, hasOldDatabase }: VersionFacts['source']): Finding {
  if (hasOldDatabase) {
    const path = nodePath(ONLY_OLD, NEWEST_READ);
    const stops = path.kind === 'through' ? describeStops(path.stops) : '';
    return {
      code: 'only-ran-1-3',
      severity: 'error',
      kind: 'refused',
      message:
        'Only 1.3.x has ever run on this folder: it has node_state.sql, and no local.sql that could be merged',
      evidence: `${folder}/node_state.sql`,
      next: `Start that node once with each of ${stops}, then v1.7.x, in this order and until it is synced, stop it, then merge again. No release in between can be left out: each dropped the migrations of those before`,
    };
  }
  return {
    code: 'no-local-sql',
    severity: 'error',
    kind: 'invalid',
    message:
      'There are keys, but no local.sql: what these identities have under way would stay behind, and with a second ATX for the same epoch they are banned for ever',
    evidence: `${folder}/local.sql`,
    next: 'Name the folder that has both. A node that has never been started has none: then its keys and data are all there is (smesh-compose add DATA --keys FOLDER)',
  };
}

function unreadable(path: string, reason: string): Finding {
  return {
    code: 'database-unknown',
    severity: 'error',
    kind: 'refused',
    message: `What is in it nobody can say (${reason})`,
    evidence: path,
    next: 'Let it be read (sudo; Node 22.13 or newer, or npm install libsql). A damaged one has to be restored first',
  };
}

function older(path: string, version: number, wanted: number): Finding {
  const from = lineOfDatabase(version);
  const to = lineOfDatabase(wanted) ?? NEWEST_READ;
  const way = from === undefined ? undefined : nodePath(from, { ...to, patch: 1 });
  const stops = way?.kind === 'through' ? `${describeStops(way.stops)}, then ` : '';
  const line = `v${to.major}.${to.minor}.x`;
  return {
    code: 'source-schema-older',
    severity: 'error',
    kind: 'refused',
    message: `Its schema version is ${version}${from === undefined ? '' : ` (last used by v${from.major}.${from.minor}.x)`}, this project's is ${wanted}: merge-nodes migrates nothing`,
    evidence: path,
    next: `Start that node once with ${stops}${line}, each until it is synced, stop it, then merge again`,
  };
}

function newer(path: string, version: number, wanted: number): Finding {
  const from = lineOfDatabase(version);
  return {
    code: 'source-schema-newer',
    severity: 'error',
    kind: 'refused',
    message: `Its schema version is ${version}, newer than this project's ${wanted}: a node never goes back`,
    evidence: path,
    next: `Upgrade this project's node first${from === undefined ? '' : ` (to ${formatRelease({ ...from, patch: 0 }).replace(/\.0$/, '.x')} at least)`}: smesh-compose upgrade`,
  };
}
