import { compareReleases, type Release } from './release.ts';

/** Versions that the databases of a node have (`PRAGMA user_version`). */
export interface DatabaseVersions {
  readonly local?: number;
  readonly state?: number;
}

/**
 * What each release makes of the databases, as far as it was read in its source (spacemesh.md §0, "Release pairing").
 * Absent: not known. Releases newer than these were not read.
 */
export function knownDatabases(release: Release): DatabaseVersions {
  const { major, minor, patch } = release;
  if (major !== 1) return {};
  if (minor === 3) return { local: 2 };
  if (minor === 4 && patch <= 1) return { local: 5 };
  if (minor === 6 && patch <= 8) return { local: 8 };
  if (minor === 7 && patch <= 4) return { local: 9, state: 23 };
  if (minor === 7 && patch <= 6) return { local: 9, state: 25 };
  return {};
}

/** The release line that last had a data folder in hand, told by the version of its local.sql. */
export function lineOfDatabase(local: number): Release | undefined {
  const minor = { 2: 3, 5: 4, 7: 4, 8: 6, 9: 7 }[local];
  // 7 may be of 1.4 or 1.5; taking it for the older one is the careful side: the way leads over 1.5 then.
  return minor === undefined ? undefined : { major: 1, minor, patch: 0 };
}

export type NodePath =
  | { readonly kind: 'same' }
  | { readonly kind: 'direct' }
  /** Migrations of older releases were taken out: these have to run in between, in this order. */
  | { readonly kind: 'through'; readonly stops: readonly string[] }
  /** `possible`: both are known to have the same databases. */
  | { readonly kind: 'back'; readonly possible: boolean }
  /** Another major release: nobody can say from here what it wants to come from. */
  | { readonly kind: 'unknown' };

/** Last of each line that was read; any of the line will do. */
const STOPS: Readonly<Record<number, string>> = { 4: 'v1.4.6', 5: 'v1.5.6', 6: 'v1.6.8', 7: 'v1.7.6' };

/**
 * Whether a node can go from one release to another at once. 1.5 dropped the migrations before 1.4, 1.6 those before
 * 1.5, 1.7 those before 1.6 (spacemesh.md §9.2); newer lines are taken to go on like that. A node refuses databases that
 * a newer one has had in hand (`ErrTooNew`, §6.1, §14.2).
 */
export function nodePath(from: Release, to: Release): NodePath {
  const order = compareReleases(to, from);
  if (order === 0) return { kind: 'same' };
  if (order < 0) return { kind: 'back', possible: sameDatabases(knownDatabases(from), knownDatabases(to)) };
  if (from.major !== to.major) return from.major === 0 ? throughOnes(-1, to) : { kind: 'unknown' };
  return throughOnes(from.minor, to);
}

function throughOnes(minor: number, to: Release): NodePath {
  const stops: string[] = [];
  for (let stop = Math.max(minor + 1, 4); stop < to.minor; stop += 1) {
    stops.push(STOPS[stop] ?? `v${to.major}.${stop}.x`);
  }
  return stops.length === 0 ? { kind: 'direct' } : { kind: 'through', stops };
}

function sameDatabases(a: DatabaseVersions, b: DatabaseVersions): boolean {
  return a.local !== undefined && a.state !== undefined && a.local === b.local && a.state === b.state;
}

/**
 * Whether the node will write its state.sql anew, for which it needs as much free space as the file has (spacemesh.md
 * §9.2, 1.7.0; operators.md (c) 13). A release that was not read may: `unknown`.
 *
 * @param present version of the file as it stands, where it could be read
 */
export function migratesState(from: Release, to: Release, present?: number): 'yes' | 'no' | 'unknown' {
  const before = present ?? knownDatabases(from).state;
  const after = knownDatabases(to).state;
  if (before !== undefined && after !== undefined) return before === after ? 'no' : 'yes';
  if (compareReleases(from, to) === 0) return 'no';
  // Into 1.7 from any older line: that is the migration that was read.
  if (to.major === 1 && to.minor === 7 && from.major === 1 && from.minor < 7) return 'yes';
  return 'unknown';
}

/**
 * Whether the former release would still take the databases. `false`: a newer one has migrated them, and the older one
 * ends with "database version is too new". Without both looks nobody can say.
 */
export function canGoBack(before: DatabaseVersions, now: DatabaseVersions): boolean | 'unknown' {
  const looks = [
    [before.local, now.local],
    [before.state, now.state],
  ] as const;
  if (looks.some(([was, is]) => was !== undefined && is !== undefined && is > was)) return false;
  return looks.every(([was, is]) => was !== undefined && is !== undefined) ? true : 'unknown';
}

/** `v1.6.x (such as v1.6.8)` for each stop, in words. */
export function describeStops(stops: readonly string[]): string {
  return stops
    .map((stop) =>
      stop.endsWith('.x') ? stop : `${stop.slice(0, stop.lastIndexOf('.'))}.x (such as ${stop})`,
    )
    .join(', then ');
}

/** The newest of some releases that one leads to at once: what an upgrade without a name takes. */
export function nextOnPath(from: Release, newer: readonly Release[]): Release | undefined {
  return newer.find((release) => nodePath(from, release).kind === 'direct');
}
