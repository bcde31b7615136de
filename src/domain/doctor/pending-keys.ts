import type { PendingKey } from '../identity/decide-pending.ts';
import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { several } from './words.ts';

export interface PendingLook {
  /** The node's `identities/`, where they wait. */
  readonly folder: string;
  readonly pending: readonly PendingKey[];
  readonly jobs: readonly { readonly id: SmesherId; readonly name: string }[];
  /** Of identities that serve. */
  readonly identities: ReadonlySet<SmesherId>;
  /** Keys that the node reads, and those beside data that is being made. */
  readonly elsewhere: ReadonlySet<SmesherId>;
  readonly nodeUid: number;
}

/** What is wrong with keys that wait for their data (pending-key.ts): data without its key is worth nothing. */
export function judgePendingKeys(look: PendingLook): readonly DoctorFinding[] {
  return [...lost(look), ...faulty(look), ...forNobody(look), ...twice(look), ...foreign(look)];
}

function lost({ folder, pending, jobs, elsewhere }: PendingLook): readonly DoctorFinding[] {
  const waiting = new Set(pending.map(({ smesherId }) => smesherId));
  const without = jobs.filter(({ id }) => !waiting.has(id) && !elsewhere.has(id));
  if (without.length === 0) return [];
  return [
    finding('key-pending-missing', {
      subject: several(without.map(({ name }) => name)),
      message: 'There is no key for PoST data that is being made: without it the data is worth nothing',
      evidence: `${several([...new Set(without.map(({ id }) => shortId(id)))])}: no key in ${folder} or beside the data`,
      measured: { jobs: without.length },
      remedy: 'Stop the job, and take the key out of a backup: smesh-compose backup list',
    }),
  ];
}

function faulty({ folder, pending }: PendingLook): readonly DoctorFinding[] {
  return pending.flatMap(({ file, fault }) =>
    // What this user may not read, the node's may.
    fault === undefined || /\((EACCES|EPERM)\)$/.test(fault)
      ? []
      : [
          finding('key-pending-fault', {
            subject: `${folder}/${file}`,
            message: 'A key that waits for its data cannot be used',
            evidence: fault,
            remedy: 'Keep the file, and take the key out of a backup: smesh-compose backup list',
          }),
        ],
  );
}

function forNobody({ folder, pending, jobs, identities, elsewhere }: PendingLook): readonly DoctorFinding[] {
  const known = new Set([...jobs.map(({ id }) => id), ...identities, ...elsewhere]);
  const idle = pending.filter(({ smesherId }) => smesherId !== undefined && !known.has(smesherId));
  if (idle.length === 0) return [];
  return [
    finding('key-pending-idle', {
      subject: several(idle.map(({ file }) => file)),
      message: 'A key waits for data that nobody makes: post init had not come to its end',
      evidence: `${idle.length} of the keys in ${folder}, and no job of theirs in smesh.yaml`,
      measured: { keys: idle.length },
      remedy: 'smesh-compose post init   backs it up and uses it for the next new identity; do not delete it',
    }),
  ];
}

function twice({ folder, pending, jobs, elsewhere }: PendingLook): readonly DoctorFinding[] {
  const made = new Set(jobs.map(({ id }) => id));
  const read = pending.filter(
    ({ smesherId }) => smesherId !== undefined && elsewhere.has(smesherId) && !made.has(smesherId),
  );
  if (read.length === 0) return [];
  return [
    finding('key-pending-twice', {
      subject: several(read.map(({ file }) => file)),
      message: 'These wait for nothing any more: the node reads the same keys under other names',
      evidence: `${read.length} of the keys in ${folder}`,
      measured: { keys: read.length },
      remedy: 'smesh-compose generate   moves them to .smesh/retired',
    }),
  ];
}

function foreign({ folder, pending, nodeUid }: PendingLook): readonly DoctorFinding[] {
  const others = pending.filter(({ uid }) => uid !== nodeUid);
  if (others.length === 0) return [];
  return [
    finding('key-owner', {
      severity: 'warning',
      subject: several(others.map(({ file }) => file)),
      message: 'Keys that wait for their data belong to another user than the node runs as',
      evidence: `node runs as ${nodeUid}, keys belong to ${[...new Set(others.map(({ uid }) => uid))].join(', ')}`,
      measured: { nodeUid, keys: others.length },
      remedy: `sudo chown ${nodeUid} ${folder}/*.key.pending`,
    }),
  ];
}
