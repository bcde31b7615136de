import type { PendingKey } from '../identity/decide-pending.ts';
import type { SmesherId } from '../identity/smesher-id.ts';
import { shortId } from '../identity/smesher-id.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { judgePendingKeys } from './pending-keys.ts';
import { several } from './words.ts';

/** A key file in the node's folder, as the node would judge it. */
export interface KeyFacts {
  readonly file: string;
  readonly mode: number;
  readonly uid: number;
  readonly smesherId?: SmesherId;
  readonly fault?: string;
}

export interface KeysLook {
  readonly folder: string;
  /** `unreadable`: this user may not look. */
  readonly installed: readonly KeyFacts[] | 'unreadable';
  readonly identities: readonly { readonly id: SmesherId; readonly name: string }[];
  /** User ID that the node runs as. */
  readonly nodeUid: number;
  /** Originals beside the data, by path. */
  readonly originals: readonly { readonly path: string; readonly mode: number }[];
  /** Keys that wait for their data, and the jobs that make it. */
  readonly pending?: readonly PendingKey[];
  readonly jobs?: readonly { readonly id: SmesherId; readonly name: string }[];
  /** Whose keys lie beside data that is being made. */
  readonly besideJobs?: ReadonlySet<SmesherId>;
}

const OPEN = 0o077;

/** Decides what is wrong with the keys, from names, owners and modes; no content is looked at here (spacemesh.md §2.1). */
export function judgeKeys(look: KeysLook): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [...judgeModes(look)];
  if (look.installed === 'unreadable') {
    found.push(
      finding('keys-unreadable', {
        subject: look.folder,
        message: "This user may not look into the node's folder of keys",
        evidence: 'permission denied',
        remedy: 'sudo smesh-compose doctor',
      }),
    );
    return found;
  }
  found.push(...judgeInstalled(look, look.installed), ...judgeWaiting(look, look.installed));
  if (found.length > 0) return found;
  return [
    finding('keys-ok', {
      message: 'Every identity has its key, readable by the node alone',
      evidence: `${look.installed.length + (look.pending?.length ?? 0)} keys in ${look.folder}, all 0600${look.pending?.length ? `, ${look.pending.length} of them waiting for their data` : ''}`,
      measured: { keys: look.installed.length },
    }),
  ];
}

function judgeWaiting(look: KeysLook, installed: readonly KeyFacts[]): readonly DoctorFinding[] {
  const { folder, nodeUid, pending = [], jobs = [], besideJobs = new Set<SmesherId>() } = look;
  const elsewhere = new Set([...besideJobs, ...installed.flatMap(({ smesherId }) => smesherId ?? [])]);
  const identities = new Set(look.identities.map(({ id }) => id));
  return judgePendingKeys({ folder, pending, jobs, identities, elsewhere, nodeUid });
}

function judgeModes({ installed, folder, originals, pending = [] }: KeysLook): readonly DoctorFinding[] {
  const copies = [...(installed === 'unreadable' ? [] : installed), ...pending];
  const open = [
    ...copies.map(({ file, mode }) => ({ path: `${folder}/${file}`, mode })),
    ...originals,
  ].filter(({ mode }) => (mode & OPEN) !== 0);
  const [first] = open;
  if (first === undefined) return [];
  return [
    finding('key-mode', {
      subject: several(
        open.map(({ path }) => path),
        3,
      ),
      message:
        'Other users of this host can read private keys; whoever has a key can end its identity for ever',
      evidence: `${open.length} of ${copies.length + originals.length} key files; ${first.path} is ${octal(first.mode)}`,
      measured: { files: open.length },
      remedy: `chmod 600 ${open
        .map(({ path }) => quote(path))
        .slice(0, 5)
        .join(' ')}${open.length > 5 ? ' …' : ''}`,
    }),
  ];
}

function judgeInstalled(
  { folder, identities, nodeUid }: KeysLook,
  installed: readonly KeyFacts[],
): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [];
  const local = installed.find(({ file }) => file === 'local.key');
  if (local !== undefined) {
    const alone = installed.length === 1;
    found.push(
      finding('key-local', {
        severity: alone ? 'warning' : 'error',
        subject: `${folder}/local.key`,
        message: alone
          ? 'The node has made a key of its own, local.key: it once started without any, and that identity has no data'
          : 'There is a local.key beside other keys: the node refuses to start',
        evidence: `${installed.length} key files`,
        remedy: 'smesh-compose generate   says what it is and puts it in order; do not delete it',
      }),
    );
  }
  for (const { file, fault } of installed) {
    if (fault === undefined) continue;
    found.push(
      finding('key-fault', {
        subject: `${folder}/${file}`,
        message: 'The node refuses this key file, and with it to start',
        evidence: fault,
        remedy:
          'smesh-compose generate   says how it can be mended; the original beside the data is not touched',
      }),
    );
  }
  // Root may read what belongs to others as long as it has its capabilities, which the node's container has not.
  const foreign = installed.filter(({ uid, fault }) => uid !== nodeUid && fault === undefined);
  if (foreign.length > 0) {
    found.push(
      finding('key-owner', {
        subject: several(foreign.map(({ file }) => file)),
        message:
          'The node runs as another user than these keys belong to, and may not read them: it would not start',
        evidence: `node runs as ${nodeUid}, keys belong to ${[...new Set(foreign.map(({ uid }) => uid))].join(', ')}`,
        measured: { nodeUid, keys: foreign.length },
        remedy: `sudo chown ${nodeUid} ${folder}/*.key`,
      }),
    );
  }
  const byId = new Map<SmesherId, string[]>();
  for (const { file, smesherId } of installed) {
    if (smesherId !== undefined) byId.set(smesherId, [...(byId.get(smesherId) ?? []), file]);
  }
  for (const [id, files] of byId) {
    if (files.length < 2) continue;
    found.push(
      finding('key-duplicate', {
        subject: files.join(', '),
        message: 'These files hold one and the same key: the node refuses to start',
        evidence: `smesher ${shortId(id)} in ${files.length} files`,
        measured: { files: files.length },
        remedy: `Move one of them out of ${folder}; do not delete it before the other is known to be good`,
      }),
    );
  }
  const missing = identities.filter(({ id }) => !byId.has(id));
  if (missing.length > 0) {
    found.push(
      finding('key-missing', {
        subject: several(missing.map(({ name }) => name)),
        message: 'The node has no key for these identities, and does nothing for them',
        evidence: `${missing.length} of ${identities.length} identities; ${folder} holds ${installed.length} keys`,
        measured: { missing: missing.length, identities: identities.length },
        remedy: 'smesh-compose generate',
      }),
    );
  }
  const strays = installed.filter(
    ({ file, smesherId }) =>
      file !== 'local.key' && smesherId !== undefined && !identities.some(({ id }) => id === smesherId),
  );
  if (strays.length > 0) {
    found.push(
      finding('key-stray', {
        subject: several(strays.map(({ file }) => file)),
        message:
          'The node registers these identities too, and nobody here proves for them; if they are served elsewhere, they will be ended for ever',
        evidence: strays
          .map(({ file, smesherId }) => `${file}: ${shortId(smesherId as SmesherId)}`)
          .join(', '),
        measured: { keys: strays.length },
        remedy: 'smesh-compose add   serves them here; smesh-compose generate   says what else can be done',
      }),
    );
  }
  return found;
}

function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8)}`;
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
