import { heldLease, leaseStep } from '../identity/decide-leases.ts';
import { type Lease, type LeaseHere, leaseFileOf, writeLease } from '../identity/lease.ts';
import type { SmesherId } from '../identity/smesher-id.ts';
import type { FileStep, Ownership } from '../plan/steps.ts';
import type { Arrival, MergeSource } from './facts.ts';
import {
  movedEnding,
  movedNotice,
  movedNoticeName,
  UNFINISHED_NOTICE_NAME,
  unfinishedNotice,
} from './moved-notice.ts';

/** One key that leaves a node's `identities/`, and what was written for it in the project. */
export interface MovedKey {
  readonly smesherId: SmesherId;
  readonly from: string;
  readonly to: string;
}

/** What a merge did to one node, and what takes it back. */
export interface SourceRecord {
  readonly folder: string;
  readonly notice: string;
  readonly keys: readonly MovedKey[];
  /** Leases as they were. */
  readonly leases: readonly {
    readonly path: string;
    readonly smesherId: SmesherId;
    readonly content: string;
  }[];
}

export interface MergeRecord {
  readonly at: string;
  readonly nodeData: string;
  readonly sources: readonly SourceRecord[];
  /** Copies in the project, each with where its original was, and is again once it is taken back. */
  readonly installed: readonly {
    readonly smesherId: SmesherId;
    readonly path: string;
    readonly original: string;
  }[];
  /** smesh.yaml before and after. */
  readonly before: string;
  readonly after: string;
  /** The local.sql that took the former one's place, as long as no node has worked on it. */
  readonly merged: { readonly size: number; readonly modifiedMs: number; readonly inode: number };
  /** The former one; absent: there was none. */
  readonly former?: string;
}

export interface SwapFacts {
  readonly project: { readonly name: string; readonly directory: string; readonly nodeData: string };
  readonly owner: { readonly uid: number; readonly gid: number };
  /** ISO time, and version of the tool. */
  readonly now: string;
  readonly version: string;
  readonly here: LeaseHere;
  readonly sources: readonly MergeSource[];
  readonly arrivals: readonly Arrival[];
  readonly staged: string;
  /** Where the former local.sql is kept; absent: there is none. */
  readonly keep?: string;
  /** What `generate` does to the rest of the project. */
  readonly generated: readonly FileStep[];
  readonly record: MergeRecord;
  readonly recordPath: string;
}

/** Where the keys of a node go: out of its sight, in their own folder. Keys beside data are originals and stay. */
export function sourceRecord(
  source: MergeSource,
  project: { readonly name: string; readonly directory: string },
  taken: ReadonlySet<string>,
): SourceRecord {
  const ending = movedEnding(project.name);
  const chosen = new Set(taken);
  const free = (path: string): string => {
    let name = withEnding(path, ending);
    for (let count = 2; chosen.has(name); count += 1) name = withEnding(path, `${ending}-${count}`);
    chosen.add(name);
    return name;
  };
  const ofNode = source.keys.filter(({ where }) => where === 'identities');
  return {
    folder: source.folder,
    notice: `${source.folder}/identities/${movedNoticeName(project)}`,
    keys: ofNode.map(({ smesherId, path }) => ({ smesherId, from: path, to: free(path) })),
    leases: ofNode.flatMap(({ smesherId, lease }) =>
      lease?.lease === undefined ? [] : [{ path: lease.path, smesherId, content: writeLease(lease.lease) }],
    ),
  };
}

/** The most bytes that a file name may have. A longer one would stop the merge half-way, and for ever. */
const LONGEST_NAME = 255;

/** The name that a key gets; of a very long one the end goes, and its record knows what it was. */
function withEnding(path: string, ending: string): string {
  const slash = path.lastIndexOf('/') + 1;
  let name = path.slice(slash);
  while (new TextEncoder().encode(name + ending).length > LONGEST_NAME)
    name = [...name].slice(0, -1).join('');
  return `${path.slice(0, slash)}${name}${ending}`;
}

/**
 * Keeps both nodes from starting: each finds a `*.key` file that is no key (moved-notice.ts). From here on, and until the
 * last step, neither can be started, not even by plain docker compose.
 */
export function barrierSteps(facts: Pick<SwapFacts, 'project' | 'owner' | 'now' | 'sources' | 'record'>): {
  readonly steps: readonly FileStep[];
  readonly undo: readonly FileStep[];
} {
  const { project, owner, now, sources, record } = facts;
  const own = unfinishedPath(project.nodeData);
  const identities = `${project.nodeData}/identities`;
  const steps: FileStep[] = [
    { kind: 'make-directory', path: identities, mode: 0o700, ...owner },
    notice(own, unfinishedNotice(project.directory), owner),
    ...record.sources.flatMap(({ folder, notice: path }): FileStep[] => {
      const source = sources.find((one) => one.folder === folder);
      const place = { kind: 'make-directory', path: `${folder}/identities`, mode: 0o700 } as const;
      return [
        // Of keys that lie beside their data alone. One that is there keeps mode and owner.
        ...(source?.lacksIdentities === true ? [{ ...place, ...source.owner }] : []),
        notice(path, movedNotice(project, now), source?.owner ?? {}),
      ];
    }),
  ];
  const undo: FileStep[] = [
    // Nothing was moved, or the very first one was and nothing after it.
    ...record.sources.flatMap(({ keys }) => keys.map((key) => back(key))),
    ...record.sources.map(({ notice: path }) => remove(path)),
    remove(own),
  ];
  return { steps, undo };
}

export function unfinishedPath(nodeData: string): string {
  return `${nodeData}/identities/${UNFINISHED_NOTICE_NAME}`;
}

export function notice(path: string, content: string, owner: Ownership): FileStep {
  return { kind: 'write-file', path, content, what: 'keeps that node from starting', mode: 0o600, ...owner };
}

export function remove(path: string, what = 'what kept a node from starting'): FileStep {
  return { kind: 'remove-file', path, what };
}

export function back({ smesherId, from, to }: MovedKey): FileStep {
  return { kind: 'move-key', from: to, to: from, smesherId };
}

/**
 * Behind the barrier: first all keys leave the sources, then the project's node gets their rows, then the keys, then
 * everything else; last it may start. So at no moment a key stands where two nodes could start with it, and none stands in
 * the project without its history.
 */
export function swapSteps(facts: SwapFacts): readonly FileStep[] {
  const { project, owner, sources, arrivals, record, generated } = facts;
  const arriving = new Set(arrivals.map(({ smesherId }) => smesherId));
  const moved = new Map(record.sources.flatMap(({ keys }) => keys.map(({ from, to }) => [from, to])));
  const target = ({ keyFile }: Arrival) => `${project.nodeData}/identities/${keyFile}`;
  return [
    ...record.sources.flatMap(({ keys }): FileStep[] =>
      keys.map(({ smesherId, from, to }) => ({ kind: 'move-key', from, to, smesherId })),
    ),
    ...sources.flatMap((source) => releaseLeases(source, facts)),
    {
      kind: 'replace-file',
      from: facts.staged,
      to: `${project.nodeData}/local.sql`,
      ...(facts.keep === undefined ? {} : { keep: facts.keep }),
      what: 'with the rows of all these nodes',
    },
    ...arrivals.map(
      (arrival): FileStep => ({
        kind: 'install-key',
        source: moved.get(arrival.key.path) ?? arrival.key.path,
        target: target(arrival),
        smesherId: arrival.smesherId,
        repair: false,
        mode: 0o600,
        ...owner,
      }),
    ),
    ...arrivals.map((arrival) =>
      leaseStep(
        leaseFileOf(target(arrival)),
        heldLease(facts, arrival.smesherId),
        'held by this host and project',
        owner,
      ),
    ),
    // What `generate` would say of leases that it does not know to be new.
    ...generated.filter((step) => step.kind !== 'write-lease' || !arriving.has(step.smesherId)),
    {
      kind: 'write-file',
      path: facts.recordPath,
      content: `${JSON.stringify({ version: 1, ...record })}\n`,
      what: 'how it is taken back',
      mode: 0o600,
    },
    remove(unfinishedPath(project.nodeData)),
  ];
}

/** For who looks into that folder: its node is down, and does not have these keys any more. */
function releaseLeases(source: MergeSource, { now }: SwapFacts): readonly FileStep[] {
  return source.keys.flatMap(({ smesherId, lease }): FileStep[] => {
    if (lease?.lease === undefined) return [];
    const released: Lease = { ...lease.lease, state: 'released', leftAt: now, renewedAt: now };
    return [
      {
        kind: 'write-lease',
        path: lease.path,
        content: writeLease(released),
        smesherId,
        why: 'released: its key is in another project now',
        mark: false,
        mode: 0o600,
        ...source.owner,
      },
    ];
  });
}
