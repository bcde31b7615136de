import type { Finding } from '../plan/findings.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { LeaseVerdict } from './lease.ts';
import { type SmesherId, shortId } from './smesher-id.ts';

/** An installed key with what its lease says. */
export interface JudgedKey {
  readonly smesherId: SmesherId;
  /** What people call it. */
  readonly name: string;
  /** Of the lease; of the key where it has none. */
  readonly path: string;
  readonly verdict: LeaseVerdict;
}

/** A lease that is not ours to write: what `keys adopt` is for. */
export type ForeignLease = Extract<LeaseVerdict, { kind: 'theirs' | 'unknown' }>;

export function isForeign(verdict: LeaseVerdict): verdict is ForeignLease {
  return verdict.kind === 'theirs' || verdict.kind === 'unknown';
}

/** Who holds a key, for people: `host atlas, project /srv/smesh`. */
export function describeHolder(verdict: ForeignLease): string {
  if (verdict.kind === 'unknown') return `nobody can say (${verdict.reason})`;
  const { host, project, nodeData, renewedAt } = verdict.holder;
  if (verdict.why === 'given-up')
    return `nobody can say: given up by this project on ${renewedAt.slice(0, 10)}, and free to be taken since`;
  return `host ${host.name}, project ${project.directory}, node data ${nodeData}`;
}

/** The word that `keys adopt` asks for: the name of the host that had the key, `unknown` where nobody can say. */
export function confirmationWord(verdict: ForeignLease): string {
  if (verdict.kind === 'unknown') return 'unknown';
  return verdict.holder.host.name === '' ? 'unknown' : verdict.holder.host.name;
}

/** Why a start is refused, as a clause behind the names. */
export function explainForeign(verdict: ForeignLease): string {
  if (verdict.kind === 'unknown') return `cannot be told from one that another host holds: ${verdict.reason}`;
  const { host, project, nodeData, renewedAt } = verdict.holder;
  const since = `last renewed ${renewedAt.slice(0, 16).replace('T', ' ')} UTC`;
  switch (verdict.why) {
    case 'other-host':
      return `is held by another host, ${host.name} (${project.directory}, ${since})`;
    case 'clone':
      return `is held by a machine that has this one's machine ID and none of its network cards, ${host.name} (${project.directory}, ${since}): one of the two is a clone`;
    case 'copy':
      return `is held for another folder on this host (project ${project.directory}, node data ${nodeData}, ${since}): this one seems to be a copy of it`;
    case 'leaving':
      return `was removed from the project in ${project.directory}, but its node has not been seen without it since`;
    case 'given-up':
      return `was given up here (released ${renewedAt.slice(0, 16).replace('T', ' ')} UTC), and may have been started elsewhere since: nobody can see that from here`;
  }
}

/** One error for all that the same place holds: 150 moved keys are one thing to decide. */
export function leaseFindings(keys: readonly JudgedKey[]): readonly Finding[] {
  const groups = new Map<string, { verdict: ForeignLease; keys: JudgedKey[] }>();
  for (const key of keys) {
    if (!isForeign(key.verdict)) continue;
    const reason = explainForeign(key.verdict);
    const group = groups.get(reason) ?? { verdict: key.verdict, keys: [] };
    group.keys.push(key);
    groups.set(reason, group);
  }
  return [...groups].map(([reason, { verdict, keys: alike }]) => toFinding(reason, verdict, alike));
}

function toFinding(reason: string, verdict: ForeignLease, keys: readonly JudgedKey[]): Finding {
  const names = keys.slice(0, 3).map(({ name, smesherId }) => `${name} (${shortId(smesherId)})`);
  const more = keys.length > names.length ? ` and ${keys.length - names.length} more` : '';
  const all = keys.length === 1 ? (keys[0]?.name ?? '') : '--all';
  const key = keys.length === 1 ? 'The key of' : 'Each key of';
  return {
    code: verdict.kind === 'unknown' ? 'lease-unknown' : CODES[verdict.why],
    severity: 'error',
    kind: 'refused',
    message: `${key} ${names.join(', ')}${more} ${reason}. Two nodes with one key: the network cancels that identity for ever`,
    evidence: keys[0]?.path ?? '',
    next: `${remedy(verdict)} then take it over: smesh-compose keys adopt ${all.startsWith('--') ? all : quoteForShell(all)}`,
  };
}

const CODES = {
  'other-host': 'lease-of-other-host',
  clone: 'lease-of-clone',
  copy: 'lease-of-other-project',
  leaving: 'lease-not-released',
  'given-up': 'lease-given-up',
} as const;

function remedy(verdict: ForeignLease): string {
  if (verdict.kind === 'unknown')
    return 'Find out where this key was used last, make sure that no node there has it any more,';
  const { host, project } = verdict.holder;
  switch (verdict.why) {
    case 'copy':
      return `Go on there. Or stop its node for good and move its keys away,`;
    case 'given-up':
      return `Only when no other host or project has taken this key, or its node is stopped for good and the key gone from there,`;
    case 'leaving':
      return `Let its node go on without it (smesh-compose -C ${quoteForShell(project.directory)} up) and add it again. Or stop that node for good,`;
    default:
      return `Only when the node on ${host.name} is stopped for good and the key is gone from there,`;
  }
}
