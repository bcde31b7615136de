import { basename } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { KeyDecision } from '../../domain/identity/decide-keys.ts';
import {
  decideLeases,
  type FoundLease,
  type LeaseDecision,
  type LeaseFacts,
  type StandingKey,
} from '../../domain/identity/decide-leases.ts';
import { judgeLease, type LeaseHere, type LeaseReading, leaseFileOf } from '../../domain/identity/lease.ts';
import { describeHolder, leaseFindings } from '../../domain/identity/lease-findings.ts';
import { pendingName } from '../../domain/identity/pending-key.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import { version } from '../../version.ts';
import type { Context } from '../context.ts';
import { identitiesFolder } from '../node-keys.ts';
import { findLease, leaseHere, readLeaseBeside, readLeaseFiles } from './read-leases.ts';

/** Which leases the planned keys need, and what keeps a node from being started with them. Reads only. */
export async function planLeases(
  context: Context,
  project: Project,
  owner: { readonly uid: number; readonly gid: number },
  keys: KeyDecision,
): Promise<LeaseDecision & { readonly findings: readonly Finding[] }> {
  const facts = await leaseFacts(context, project, owner, keys);
  refuseCopiedFolder(facts, keys);
  const decision = decideLeases(facts);
  const names = new Map(project.identities.map(({ id, name }) => [id, name]));
  const carried = decision.carried.map((key) => ({ ...key, name: names.get(key.smesherId) ?? '' }));
  return { ...decision, findings: leaseFindings(carried) };
}

function waitedBefore({ steps }: Pick<KeyDecision, 'steps'>): ReadonlySet<SmesherId> {
  return new Set(
    steps.flatMap((step) =>
      step.kind === 'move-key' && pendingName(step.from) !== undefined ? [step.smesherId] : [],
    ),
  );
}

/** Of other verdicts the folder is no copy: one key was given up, or its lease cannot be read. */
const COPIES: ReadonlySet<string> = new Set(['other-host', 'clone', 'copy']);

/**
 * A key that waits has no lease. Those beside it tell whether the folder is a copy of one: then the same key waits, or
 * serves by now, at that place, too.
 */
function refuseCopiedFolder({ standing, here }: LeaseFacts, keys: Pick<KeyDecision, 'steps'>): void {
  const waited = [...waitedBefore(keys)];
  if (waited.length === 0) return;
  for (const { isNew, lease } of standing) {
    if (isNew || lease === undefined) continue;
    const verdict = judgeLease(lease.reading, here, lease.former);
    if (verdict.kind !== 'theirs' || !COPIES.has(verdict.why)) continue;
    throw new SmeshError(
      'lease-elsewhere',
      ExitCode.refused,
      `${waited.map(shortId).join(', ')}: not taken in. Another place holds keys of this folder (${describeHolder(verdict)}), and what waited here for its data came from there with them. Two nodes with one key cost that identity for ever`,
      {
        hint: 'Nothing was changed. Take it in at that place. Or, where that is gone for good, take over its keys first; what must be true for that says: smesh-compose keys adopt --all --dry-run',
      },
    );
  }
}

/** What is known of the leases of all keys that stand in the node's folder once `keys` is carried out. */
export async function leaseFacts(
  context: Context,
  project: Project,
  owner: { readonly uid: number; readonly gid: number },
  keys: Pick<KeyDecision, 'steps' | 'keyFiles'>,
): Promise<LeaseFacts> {
  const folder = identitiesFolder(project);
  const here = await leaseHere(context, project);
  const present = await readLeaseFiles(context.ports.files, folder);
  const find = (path: string, smesherId: SmesherId) => findFor(context, here, present, path, smesherId);
  const sources = new Map(
    keys.steps.flatMap((step) =>
      step.kind === 'install-key' && step.source !== step.target
        ? [[step.smesherId, step.source] as const]
        : [],
    ),
  );
  // A key that waited for its data was nobody's to start a node with.
  const waited = waitedBefore(keys);
  const standing = await Promise.all(
    [...keys.keyFiles].map(async ([smesherId, file]): Promise<StandingKey> => {
      const path = `${folder}/${file}`;
      const source = sources.get(smesherId);
      const lease = await find(path, smesherId);
      const sourceLease = source === undefined ? undefined : await findBeside(context, here, source);
      return {
        smesherId,
        path,
        isNew: source !== undefined || waited.has(smesherId),
        ...(lease === undefined ? {} : { lease }),
        ...(sourceLease === undefined ? {} : { sourceLease }),
      };
    }),
  );
  const retired = new Set(project.retired.map(({ id }) => id));
  const leaving = await Promise.all(
    keys.steps.flatMap((step) => {
      // A local.key that the node made by itself was never leased.
      if (step.kind !== 'move-key' || keys.keyFiles.has(step.smesherId) || !retired.has(step.smesherId))
        return [];
      const { smesherId, from, to } = step;
      return [
        find(from, smesherId).then((lease) => ({
          smesherId,
          from,
          to,
          ...(lease === undefined ? {} : { lease }),
        })),
      ];
    }),
  );
  return { here, standing, leaving, owner, now: new Date(context.clock.now()).toISOString(), version };
}

/** The lease beside the key; where there is none, one of the same identity under another name. */
async function findFor(
  context: Context,
  here: LeaseHere,
  present: ReadonlyMap<string, LeaseReading>,
  keyPath: string,
  smesherId: SmesherId,
): Promise<FoundLease | undefined> {
  const isOf = (reading: LeaseReading) => reading.kind === 'read' && reading.lease.smesherId === smesherId;
  const beside = leaseFileOf(keyPath);
  const reading = present.get(beside);
  // One of another identity was left behind by a key that a hand renamed.
  if (reading !== undefined && (reading.kind === 'unknown' || isOf(reading)))
    return findLease(context, here, beside, reading);
  const [other] = [...present]
    .filter(([, candidate]) => isOf(candidate))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return other === undefined ? undefined : findLease(context, here, other[0], other[1]);
}

async function findBeside(
  context: Context,
  here: LeaseHere,
  source: string,
): Promise<FoundLease | undefined> {
  if (!basename(source).endsWith('.key')) return undefined;
  const path = leaseFileOf(source);
  const reading = await readLeaseBeside(context.ports.files, path);
  return reading === undefined ? undefined : findLease(context, here, path, reading);
}
