import { type ImageFinding, inspectImage } from '../node/images.ts';
import type { Finding } from '../plan/findings.ts';
import { type ImageReference, shortReference } from './image-reference.ts';
import { describeStops, knownDatabases, migratesState, nodePath } from './node-path.ts';
import { formatRelease, type Release } from './release.ts';

/** The node's way from one release to another, and the room there is for it. */
export interface NodeStepFacts {
  /** Of the node that last had the databases in hand; `undefined`: nobody can tell. */
  readonly from: Release | undefined;
  readonly to: Release | undefined;
  /** Absent: there is no state.sql yet, or it cannot be looked at. */
  readonly stateBytes?: number;
  /** `PRAGMA user_version` of state.sql and of local.sql. */
  readonly stateVersion?: number;
  readonly localVersion?: number;
  /** On the file system of the node's data; absent: not known. */
  readonly freeBytes?: number;
  /** No database yet: there is nothing to migrate and no way to keep to. */
  readonly fresh: boolean;
}

const NODE_DATA = 'the databases of this node';

/**
 * What stands in the way of a node's upgrade: the path of releases, and the space of a migration (spacemesh.md §9.2,
 * §14.2; operators.md (c) 13). An error with `kind: 'refused'` whose code ends in `-unknown` is something that nobody
 * knows; `--force` takes that risk. Others have no override.
 */
export function judgeNodeStep(facts: NodeStepFacts): readonly Finding[] {
  const { from, to, fresh } = facts;
  if (fresh) return [];
  if (from === undefined || to === undefined) return [unknownRelease(from === undefined)];
  const path = nodePath(from, to);
  const [was, will] = [formatRelease(from), formatRelease(to)];
  switch (path.kind) {
    case 'same':
      return [];
    case 'back':
      return path.possible ? [] : judgeDowngrade(facts, to, was);
    case 'through':
      return [
        refusal(
          'node-path',
          `From ${was} no node goes to ${will} at once: it no longer has the migrations that ${NODE_DATA} need`,
          `Let a node of each line between run until it is synced: ${describeStops(path.stops)}. ${firstStop(path.stops)}`,
        ),
      ];
    case 'unknown':
      return [
        refusal(
          'node-path-unknown',
          `Whether a node goes from ${was} to ${will} at once is not known to this version of the tool`,
          'Read its release notes; if they say so: --force',
        ),
      ];
    case 'direct':
      return [...judgeSpace(facts, from, to), ...judgeInvalidData(from)];
  }
}

/** v1.7.5 wrote ATX data that v1.7.6 mended in itself, not in the database (spacemesh.md §9.1). */
function judgeInvalidData({ major, minor, patch }: Release): readonly Finding[] {
  if (major !== 1 || minor !== 7 || patch !== 5) return [];
  return [
    {
      code: 'rebuild-state',
      severity: 'warning',
      kind: 'invalid',
      message: 'v1.7.5 wrote invalid ATX data into state.sql, which a newer release does not mend',
      next: 'Rebuild state.sql afterwards (quicksync, a backup from before v1.7.5, or a full sync); local.sql stays',
    },
  ];
}

function firstStop([first]: readonly string[]): string {
  return first === undefined || first.endsWith('.x')
    ? 'Which there are: smesh-compose upgrade --check'
    : `First: smesh-compose upgrade --node ${first}`;
}

/** It is known to fail where the databases are newer than what the older release makes, and doubtful everywhere else. */
function judgeDowngrade(facts: NodeStepFacts, to: Release, was: string): readonly Finding[] {
  const known = knownDatabases(to);
  const looks = [
    [known.local, facts.localVersion],
    [known.state, facts.stateVersion],
  ] as const;
  if (looks.every(([takes, has]) => takes !== undefined && takes === has)) return [];
  const isTooNew = looks.some(([takes, has]) => takes !== undefined && has !== undefined && has > takes);
  return [
    refusal(
      isTooNew ? 'node-downgrade' : 'node-downgrade-unknown',
      `${formatRelease(to)} is older than ${was}, which has had ${NODE_DATA} in hand: an older node ${isTooNew ? 'refuses what a newer one has migrated, and would not start' : 'does not start when a newer one has migrated them'}`,
      `Stay with ${was} or go to a newer release: smesh-compose upgrade --check`,
    ),
  ];
}

function judgeSpace(facts: NodeStepFacts, from: Release, to: Release): readonly Finding[] {
  const migrates = migratesState(from, to, facts.stateVersion);
  if (migrates === 'no') return [];
  const { stateBytes, freeBytes } = facts;
  const may = migrates === 'yes' ? 'migrates' : 'may migrate';
  const suffix = migrates === 'yes' ? '' : '-unknown';
  if (stateBytes === undefined || freeBytes === undefined) {
    return [
      refusal(
        'migration-space-unknown',
        `${formatRelease(to)} ${may} state.sql, which needs as much free space as the file has, and neither could be looked at`,
        "Run it as the user that owns the node's data, or with sudo; if you know that there is room: --force",
      ),
    ];
  }
  if (freeBytes >= stateBytes) return [];
  const [need, have] = [gibibytes(stateBytes), gibibytes(freeBytes)];
  const [message, next] = [
    `${formatRelease(to)} ${may} state.sql: it writes the whole file (${need}) anew beside the old one, and ${have} are free. A node that runs out of space on the way does not start`,
    `Make ${gibibytes(stateBytes - freeBytes)} more room on the disk of the node's data${migrates === 'yes' ? '' : ', or, if its release notes say that nothing is migrated: --force'}`,
  ];
  return [{ code: `migration-space${suffix}`, severity: 'error', kind: 'environment', message, next }];
}

function gibibytes(bytes: number): string {
  const value = bytes / 1024 ** 3;
  return `${value < 10 ? value.toFixed(1) : Math.ceil(value)} GiB`;
}

function unknownRelease(from: boolean): Finding {
  return refusal(
    'node-release-unknown',
    from
      ? "Nobody can tell which release the node's databases are of: its image has no release as tag, it does not run, and local.sql says nothing that is known"
      : 'Nobody can tell which release the new image is: its tag is none, and it does not say',
    'If you know that it may take these databases: --force',
  );
}

function refusal(code: string, message: string, next: string): Finding {
  return { code, severity: 'error', kind: 'refused', message, next };
}

/**
 * What is known of the image itself: no tag that moves, no release that is broken, none whose program is not started as
 * today's are (spacemesh.md §3.6). What smesh.yaml names already is only warned of where it is read.
 */
export function judgeImage(reference: ImageReference): readonly Finding[] {
  return inspectImage(reference.text).map((finding: ImageFinding) => ({
    code:
      finding.severity === 'error'
        ? 'image-broken'
        : finding.outdated === true
          ? 'image-outdated'
          : 'image-doubtful',
    severity: finding.outdated === true ? 'error' : finding.severity,
    kind: 'invalid',
    message: finding.message.replace(reference.text, shortReference(reference)),
    next: 'Which releases there are: smesh-compose upgrade --check',
  }));
}

/** Findings that `--force` turns into warnings: things that are not known, never things that are known to fail. */
export function acceptUnknown(findings: readonly Finding[]): readonly Finding[] {
  return findings.map((finding) =>
    finding.code.endsWith('-unknown') && finding.severity === 'error'
      ? { ...finding, severity: 'warning', next: 'Done all the same (--force)' }
      : finding,
  );
}
