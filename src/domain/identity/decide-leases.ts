import type { FileStep } from '../plan/steps.ts';
import {
  type FormerPlace,
  judgeLease,
  type Lease,
  type LeaseHere,
  type LeaseReading,
  leaseFileOf,
  writeLease,
} from './lease.ts';
import { isForeign, type JudgedKey } from './lease-findings.ts';
import { type SmesherId, shortId } from './smesher-id.ts';

/** The lease of one key, as it was found, and what stands where it says the key is. */
export interface FoundLease {
  /** Absolute. */
  readonly path: string;
  readonly reading: LeaseReading;
  readonly former: FormerPlace;
}

/** A key that stands in `identities/` once the steps for keys are done. */
export interface StandingKey {
  readonly smesherId: SmesherId;
  /** Absolute path of the key file. */
  readonly path: string;
  /** It is copied there only now. */
  readonly isNew: boolean;
  /** In `identities/`. */
  readonly lease?: FoundLease;
  /** Beside the file from which it is copied. */
  readonly sourceLease?: FoundLease;
}

/** A key that these steps take out of `identities/` because its identity was removed from the project. */
export interface LeavingKey {
  readonly smesherId: SmesherId;
  readonly from: string;
  readonly to: string;
  readonly lease?: FoundLease;
}

export interface LeaseFacts {
  readonly here: LeaseHere;
  readonly standing: readonly StandingKey[];
  readonly leaving: readonly LeavingKey[];
  readonly owner: { readonly uid: number; readonly gid: number };
  /** ISO time. */
  readonly now: string;
  /** Of the tool. */
  readonly version: string;
}

export interface LeaseDecision {
  readonly steps: readonly FileStep[];
  readonly notes: readonly string[];
  /** Keys that are copied together with a lease that another place holds. */
  readonly carried: readonly Pick<JudgedKey, 'smesherId' | 'path' | 'verdict'>[];
}

const MOVED: Readonly<Record<'moved' | 'renamed' | 'returned' | 'released', string>> = {
  moved: 'the folder was moved on this host; its leases follow it.',
  renamed: 'the project was renamed; its leases follow it.',
  returned:
    'taken back: the lease is held here again. If it was started elsewhere meanwhile, stop it there first.',
  released:
    'released by who had it before; from now on the lease is held here. A released key can be taken once: make sure that no other host takes a copy of it as well.',
};

/**
 * Writes a lease beside each key that has none or whose lease is ours to write, and takes none from anybody: what another
 * place holds stays as it is, and travels with a key that is copied from there.
 */
export function decideLeases(facts: LeaseFacts): LeaseDecision {
  const steps: FileStep[] = [];
  const carried: LeaseDecision['carried'][number][] = [];
  const foreign: SmesherId[] = [];
  const late: SmesherId[] = [];
  const again = new Map<string, SmesherId[]>();
  for (const key of facts.standing) {
    const path = leaseFileOf(key.path);
    const verdict = judgeLease(key.lease?.reading, facts.here, key.lease?.former ?? GONE);
    if (isForeign(verdict)) foreign.push(key.smesherId);
    if (verdict.kind === 'ours' || isForeign(verdict)) continue;
    const source = key.isNew ? key.sourceLease : undefined;
    const origin = judgeLease(source?.reading, facts.here, source?.former ?? GONE);
    if (source !== undefined && (origin.kind === 'theirs' || origin.kind === 'unknown')) {
      steps.push(carry(facts, key.smesherId, path, source));
      foreign.push(key.smesherId);
      carried.push({ smesherId: key.smesherId, path: source.path, verdict: origin });
      continue;
    }
    const taken = verdict.kind === 'ours-again' ? verdict : origin;
    if (taken.kind === 'ours-again') again.set(taken.why, [...(again.get(taken.why) ?? []), key.smesherId]);
    if (verdict.kind === 'absent' && !key.isNew) late.push(key.smesherId);
    const before = key.lease?.reading.kind === 'read' ? key.lease.reading.lease : undefined;
    steps.push(step(facts, path, heldLease(facts, key.smesherId, before), 'held by this host and project'));
  }
  for (const key of facts.leaving) steps.push(...leave(facts, key));
  return {
    steps,
    carried,
    notes: [
      ...lateNote(late),
      ...foreignNote(foreign),
      ...[...again].map(([why, ids]) => `${list(ids)}: ${MOVED[why as 'moved']}`),
    ],
  };
}

const GONE: FormerPlace = { nodeData: 'gone', project: 'gone' };

function lateNote(ids: readonly SmesherId[]): readonly string[] {
  if (ids.length === 0) return [];
  return [
    `${list(ids)}: no lease stood beside ${ids.length === 1 ? 'this installed key' : 'these installed keys'}; now it says that this host and project hold ${ids.length === 1 ? 'it' : 'them'}.`,
  ];
}

/** `up` refuses; plain Compose asks nobody. */
function foreignNote(ids: readonly SmesherId[]): readonly string[] {
  if (ids.length === 0) return [];
  return [
    `${list(ids)}: another place holds ${ids.length === 1 ? 'this key' : 'these keys'}, see smesh-compose keys. Do not start the node with plain docker compose either: two nodes with one key cost that identity for ever.`,
  ];
}

function list(ids: readonly SmesherId[]): string {
  const shown = ids.slice(0, 4).map(shortId).join(', ');
  return ids.length > 4 ? `${shown} … (${ids.length})` : shown;
}

/** A lease that is held here from now on. What came before it tells since when. */
export function heldLease(
  facts: Pick<LeaseFacts, 'here' | 'now' | 'version'>,
  smesherId: SmesherId,
  before?: Pick<Lease, 'createdAt' | 'adopted'>,
): Lease {
  const { host, project, nodeData } = facts.here;
  return {
    smesherId,
    state: 'held',
    host,
    project,
    nodeData,
    createdAt: before?.createdAt ?? facts.now,
    renewedAt: facts.now,
    ...(before?.adopted === undefined ? {} : { adopted: before.adopted }),
    tool: facts.version,
  };
}

/** The lease stays where the key was, for who looks into that node's folder, and goes with the key as well. */
function leave(facts: LeaseFacts, key: LeavingKey): readonly FileStep[] {
  const verdict = judgeLease(key.lease?.reading, facts.here, key.lease?.former ?? GONE);
  // Whose it is not, cannot give it away.
  if (verdict.kind === 'theirs' || verdict.kind === 'unknown') return [];
  const before = key.lease?.reading.kind === 'read' ? key.lease.reading.lease : undefined;
  const lease: Lease = { ...heldLease(facts, key.smesherId, before), state: 'leaving', leftAt: facts.now };
  return [leaseFileOf(key.from), leaseFileOf(key.to)].map((path) =>
    step(facts, path, lease, 'key taken away from this node'),
  );
}

/** As it was found, so that a start here is refused until it is taken over. */
function carry(facts: LeaseFacts, smesherId: SmesherId, path: string, source: FoundLease): FileStep {
  const content = source.reading.kind === 'read' ? writeLease(source.reading.lease) : '{}\n';
  const why = 'still held where the key comes from';
  return { kind: 'write-lease', path, content, smesherId, why, mark: false, mode: 0o600, ...facts.owner };
}

function step(facts: Pick<LeaseFacts, 'owner'>, path: string, lease: Lease, why: string): FileStep {
  return leaseStep(path, lease, why, facts.owner);
}

/** The step that writes a lease; the mark of the folder is put in where the file is written. */
export function leaseStep(
  path: string,
  lease: Lease,
  why: string,
  owner: { readonly uid: number; readonly gid: number },
): FileStep {
  const { folder: _, ...rest } = lease;
  return {
    kind: 'write-lease',
    path,
    content: writeLease(rest),
    smesherId: lease.smesherId,
    why,
    mark: true,
    mode: 0o600,
    uid: owner.uid,
    gid: owner.gid,
  };
}

/** The same leases with a new time, for a start of the node that is about to happen; others stay. */
export function renewLeases(facts: LeaseFacts): readonly FileStep[] {
  return facts.standing.flatMap((key) => {
    if (key.lease?.reading.kind !== 'read') return [];
    if (judgeLease(key.lease.reading, facts.here, key.lease.former).kind !== 'ours') return [];
    const lease = { ...heldLease(facts, key.smesherId, key.lease.reading.lease) };
    return [step(facts, key.lease.path, lease, 'renewed, because the node is started')];
  });
}
