import { ExitCode, SmeshError } from '../errors.ts';
import type { FileStep } from '../plan/steps.ts';
import type { Identity, RetiredIdentity } from '../project/types.ts';
import { quoteForShell } from '../shell-quote.ts';
import { decidePending, type PendingKey, waitsElsewhere } from './decide-pending.ts';
import { type SmesherId, shortId } from './smesher-id.ts';

/** A `*.key` file directly in the node's `identities/`, the only ones that the node reads (spacemesh.md §2.1). */
export interface InstalledKey {
  readonly file: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly smesherId?: SmesherId;
  readonly fault?: string;
  /** It is no key but keeps the node from starting, because a merge took its keys to that project. */
  readonly movedTo?: { readonly name: string; readonly directory: string };
}

/** Where the key of an identity could be taken from. */
export interface KeySource {
  /** It waits for its data in the folder of another node (pending-key.ts). */
  readonly waits?: true;
  readonly path: string;
  readonly smesherId: SmesherId;
  /** The file needs the trailing newline dropped in its copy. */
  readonly needsRepair: boolean;
}

export interface KeyFacts {
  /** Absolute path of the node's `identities/`. */
  readonly folder: string;
  readonly installed: readonly InstalledKey[];
  /** Keys in the folder that wait for their data. */
  readonly pending?: readonly PendingKey[];
  readonly identities: readonly Pick<Identity, 'id' | 'name' | 'data'>[];
  readonly retired: readonly RetiredIdentity[];
  /** Smesher IDs of the project's initialisation jobs. */
  readonly beingMade?: ReadonlySet<SmesherId>;
  readonly sources: readonly KeySource[];
  /** Key files that are there, but may not be read: whose they are is not known. */
  readonly unreadable?: readonly string[];
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Smesher IDs with rows in this node's own local.sql: they have smeshed here. `unknown`: it cannot be read. */
  readonly smeshedHere: ReadonlySet<SmesherId> | 'unknown';
  /** Consent to install a copy without the trailing newline of its original. */
  readonly repair: boolean;
  /** Folder for keys that leave the node. */
  readonly retiredFolder: string;
}

export interface KeyDecision {
  readonly steps: readonly FileStep[];
  /** All IDs that the node will register after these steps, sorted: it reads them only at its start. */
  readonly installedAfter: readonly SmesherId[];
  readonly notes: readonly string[];
  /** File name of each key after these steps. */
  readonly keyFiles: ReadonlyMap<SmesherId, string>;
}

const KEY_MODE = 0o600;
const SUPERVISED = 'local.key';

/** Whoever moves that file away and starts the node has every one of its identities twice. */
function refuseMoved({ installed, folder }: KeyFacts): void {
  const notice = installed.find(({ movedTo }) => movedTo !== undefined);
  if (notice?.movedTo === undefined) return;
  const { name, directory } = notice.movedTo;
  const there = `smesh-compose -C ${quoteForShell(directory)}`;
  throw new SmeshError(
    'keys-moved-away',
    ExitCode.refused,
    `The keys of this node serve in project ${name} (${directory}) now: a merge took them there. Started here as well, their identities would be lost for ever`,
    {
      details: [`${folder}/${notice.file} keeps this node from starting. Leave it where it is.`],
      hint: `Nothing was changed. Go on there: ${there} status   Or take it back, until that node has run: ${there} merge --undo`,
    },
  );
}

function refuseFaulty(facts: KeyFacts): void {
  const faulty = facts.installed.filter((key) => key.smesherId === undefined);
  if (faulty.length > 0) {
    throw new SmeshError(
      'installed-key-faulty',
      ExitCode.invalid,
      `The node would refuse to start: ${faulty.length === 1 ? 'a key file' : `${faulty.length} key files`} in ${facts.folder} cannot be used`,
      {
        details: faulty.map((key) => `${key.file}: ${key.fault ?? 'not readable'}`),
        hint: 'Nothing was changed. Repair the file, or move it out of the folder (keep it!), then try again.',
      },
    );
  }
}

/** The node refuses a folder in which one key stands twice (spacemesh.md §2.1). */
function refuseDoubles(facts: KeyFacts): void {
  const files = new Map<SmesherId, string[]>();
  for (const key of facts.installed) {
    if (key.smesherId !== undefined)
      files.set(key.smesherId, [...(files.get(key.smesherId) ?? []), key.file]);
  }
  const doubles = [...files].filter(([, names]) => names.length > 1);
  if (doubles.length === 0) return;
  throw new SmeshError(
    'installed-key-twice',
    ExitCode.refused,
    `The node would refuse to start: the same key stands more than once in ${facts.folder}`,
    {
      details: doubles.map(([id, names]) => `${shortId(id)}: ${names.join(', ')}`),
      hint: 'Nothing was changed. Move all but one of them out of the folder (keep them!), then try again.',
    },
  );
}

/** A free file name for a key; never `local.key`, which would make the node smesh by itself. */
export function fileNameFor(identity: Pick<Identity, 'id' | 'name'>, taken: ReadonlySet<string>): string {
  const plain = `${identity.name}.key`;
  return plain === SUPERVISED || taken.has(plain) ? `${identity.name}-${shortId(identity.id)}.key` : plain;
}

/** What to do with a `local.key`: beside other keys it keeps the node from starting (S9). */
function decideSupervised(
  facts: KeyFacts,
  key: InstalledKey,
  id: SmesherId,
): { step: FileStep; note: string; staysAs?: string } {
  const from = `${facts.folder}/${key.file}`;
  const identity = facts.identities.find((candidate) => candidate.id === id);
  if (identity !== undefined) {
    const name = fileNameFor(identity, new Set(facts.installed.map(({ file }) => file)));
    return {
      step: { kind: 'move-key', from, to: `${facts.folder}/${name}`, smesherId: id },
      note: `${SUPERVISED} is the key of ${identity.name}: renamed to ${name}, because a node with several identities refuses ${SUPERVISED}.`,
      staysAs: name,
    };
  }
  if (facts.smeshedHere === 'unknown' || facts.smeshedHere.has(id)) {
    const why = facts.smeshedHere === 'unknown' ? 'may have smeshed' : 'has smeshed';
    throw new SmeshError(
      'local-key-in-use',
      ExitCode.refused,
      `${from} is the key of ${shortId(id)}, which ${why} with this node, but its PoST data is not in the project. A node with several identities refuses ${SUPERVISED}.`,
      { hint: 'Nothing was changed. Add its PoST directory: smesh-compose add DIRECTORY' },
    );
  }
  return {
    step: {
      kind: 'move-key',
      from,
      to: `${facts.retiredFolder}/${SUPERVISED}-${shortId(id)}.key`,
      smesherId: id,
    },
    note: `${SUPERVISED} (${shortId(id)}) belongs to no PoST data and has never smeshed here: the node made it by itself. Moved to ${facts.retiredFolder}.`,
  };
}

/**
 * Which keys to install, rename and retire so that the node serves exactly the project's identities and starts at all
 * (design §5, spacemesh.md §2.1, scenarios S7 to S9, S18). Originals are only copied.
 */
export function decideKeys(facts: KeyFacts): KeyDecision {
  refuseMoved(facts);
  refuseFaulty(facts);
  refuseDoubles(facts);
  const steps: FileStep[] = [];
  const notes: string[] = [];
  const staying = new Map<SmesherId, InstalledKey>();
  for (const key of facts.installed) {
    const id = key.smesherId;
    if (id === undefined) continue;
    const retired = facts.retired.some((identity) => identity.id === id);
    if (key.file === SUPERVISED) {
      const decided = decideSupervised(facts, key, id);
      steps.push(decided.step);
      notes.push(decided.note);
      if (decided.staysAs !== undefined) staying.set(id, { ...key, file: decided.staysAs });
    } else if (retired && !facts.identities.some((identity) => identity.id === id)) {
      steps.push({
        kind: 'move-key',
        from: `${facts.folder}/${key.file}`,
        to: `${facts.retiredFolder}/${key.file.replace(/\.key$/, '')}-${shortId(id)}.key`,
        smesherId: id,
      });
    } else {
      staying.set(id, key);
      if (!facts.identities.some((identity) => identity.id === id)) {
        notes.push(
          `${key.file} (${shortId(id)}) is in the node's identities but in no PoST directory of this project: the node will register it and miss its proofs.`,
        );
      }
    }
  }
  const pending = decidePending(facts, staying);
  steps.push(...pending.steps);
  notes.push(...pending.notes);
  const taken = new Set(facts.installed.map(({ file }) => file));
  const missing: string[] = [];
  for (const identity of facts.identities) {
    const present = staying.get(identity.id);
    if (present !== undefined) {
      // Copies that a hand left readable to others, or owned by whoever copied them, are put right.
      if (isPrivate(facts, present)) continue;
      steps.push(
        installStep(
          facts,
          identity.id,
          `${facts.folder}/${present.file}`,
          `${facts.folder}/${present.file}`,
          false,
        ),
      );
      continue;
    }
    const waiting = pending.ofIdentity.get(identity.id);
    if (waiting !== undefined) {
      const file = fileNameFor(identity, taken);
      taken.add(file);
      const path = `${facts.folder}/${file}`;
      steps.push({
        kind: 'move-key',
        from: `${facts.folder}/${waiting.file}`,
        to: path,
        smesherId: identity.id,
      });
      if (!isPrivate(facts, waiting)) steps.push(installStep(facts, identity.id, path, path, false));
      staying.set(identity.id, { ...waiting, file });
      continue;
    }
    const source = facts.sources.find(
      (candidate) => candidate.smesherId === identity.id && (!candidate.needsRepair || facts.repair),
    );
    if (source === undefined) {
      missing.push(`${identity.name} (${shortId(identity.id)}): ${missingReason(facts, identity)}`);
      continue;
    }
    if (source.waits === true) throw waitsElsewhere(identity, source.path, facts.folder);
    const file = fileNameFor(identity, taken);
    taken.add(file);
    steps.push(installStep(facts, identity.id, source.path, `${facts.folder}/${file}`, source.needsRepair));
    staying.set(identity.id, { file, mode: KEY_MODE, ...facts.owner, smesherId: identity.id });
  }
  if (missing.length > 0) {
    throw new SmeshError(
      'key-missing',
      ExitCode.invalid,
      `${missing.length === 1 ? 'One identity has' : `${missing.length} identities have`} no key that can be installed; without its key PoST data is of no use`,
      { details: missing, hint: 'Nothing was changed. Name where else to look: --keys DIR' },
    );
  }
  const keyFiles = new Map([...staying].map(([id, { file }]) => [id, file]));
  return { steps, notes, installedAfter: [...staying.keys()].sort(), keyFiles };
}

function isPrivate({ owner }: KeyFacts, key: Pick<InstalledKey, 'mode' | 'uid' | 'gid'>): boolean {
  return (key.mode & 0o777) === KEY_MODE && key.uid === owner.uid && key.gid === owner.gid;
}

function installStep(
  facts: KeyFacts,
  smesherId: SmesherId,
  source: string,
  target: string,
  repair: boolean,
): FileStep {
  return { kind: 'install-key', source, target, smesherId, repair, mode: KEY_MODE, ...facts.owner };
}

function missingReason(facts: KeyFacts, { id, name, data }: Pick<Identity, 'id' | 'name' | 'data'>): string {
  const broken = facts.sources.find((candidate) => candidate.smesherId === id);
  const unusable = facts.pending?.find(({ name: of, fault }) => of === name && fault !== undefined);
  if (broken === undefined && unusable !== undefined)
    return `${facts.folder}/${unusable.file} cannot be used: ${unusable.fault}`;
  const closed = facts.unreadable?.find((path) => path.startsWith(`${data}/`)) ?? facts.unreadable?.[0];
  if (broken === undefined && closed !== undefined)
    return `you may not read ${closed}; run it as its owner, or with sudo`;
  return broken === undefined
    ? `no key of it in ${data} or anywhere else that was looked into`
    : `${broken.path} ends in a line break, which the node refuses; let its copy be made without it: --repair-keys`;
}
