import { readKeyFile } from '../../domain/identity/key-file.ts';
import type { Lease } from '../../domain/identity/lease.ts';
import type { ClosedFolder } from '../../domain/identity/places.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { lookAtMetadata } from '../../domain/post/data-access.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { ClockPort } from '../../ports/clock.ts';
import type { Ports } from '../../ports/index.ts';
import { readLeaseFiles } from '../leases/read-leases.ts';
import { within } from '../observe/question.ts';

/** Who has a node's data folder. */
export type FolderHolder = Omit<ClosedFolder, 'path'>;

export interface NodeKeys {
  readonly keys: readonly SmesherId[];
  /** Of keys that were taken away, and that a node started before then goes on with. */
  readonly left: readonly Lease[];
}

export interface FolderReader {
  /** Whose PoST data lies in a folder; nobody's where there is none. */
  dataOf(folder: string): Promise<readonly SmesherId[]>;
  keysOf(nodeData: string, holder: FolderHolder): Promise<NodeKeys>;
  /** Notes a folder of which only its holder is known. */
  close(folder: string, holder: FolderHolder): void;
  /** Data folders of nodes whose keys this user may not look at; of several that have one, who is live. */
  closed(): readonly ClosedFolder[];
}

/** A dead network share answers never; nobody shall wait for it, and nobody be clean by it. */
const PATIENCE_MS = 10_000;

const NONE: NodeKeys = { keys: [], left: [] };

/** Each folder is looked into once, however many containers mount it. Public halves only leave this function. */
export function createFolderReader(
  { files, crypto }: Pick<Ports, 'files' | 'crypto'>,
  clock: ClockPort,
): FolderReader {
  const closed = new Set<string>();
  const holders = new Map<string, FolderHolder>();

  async function readKeys(nodeData: string): Promise<NodeKeys> {
    const note = (error: unknown) => {
      if (!isGone(error)) closed.add(nodeData);
      return undefined;
    };
    const folder = `${nodeData}/identities`;
    const facts = await files.facts(folder).catch(note);
    const entries = facts?.kind === 'directory' ? await files.list(folder).catch(note) : undefined;
    const names = (entries ?? []).map(({ name }) => name).filter((name) => name.endsWith('.key'));
    const keys = await Promise.all(
      names.map(async (name) => {
        const bytes = await files.readBytes(`${folder}/${name}`).catch(note);
        const reading = readKeyFile(bytes ?? new Uint8Array(), (seed) => crypto.publicKeyOfSeed(seed));
        return reading.kind === 'malformed' ? [] : [reading.smesherId];
      }),
    );
    const leases = await readLeaseFiles(files, folder).catch(() => undefined);
    const left = [...(leases?.values() ?? [])].flatMap((reading) =>
      reading.kind === 'read' && reading.lease.state === 'leaving' ? [reading.lease] : [],
    );
    const present = new Set(keys.flat());
    return { keys: [...present], left: left.filter(({ smesherId }) => !present.has(smesherId)) };
  }

  async function readData(folder: string): Promise<readonly SmesherId[]> {
    const text = await files.readTextIfPresent(`${folder}/${METADATA_FILE}`);
    const look = text === undefined ? undefined : lookAtMetadata(text);
    return look?.kind === 'readable' && look.smesherId !== undefined ? [look.smesherId] : [];
  }

  const keysOf = remember(async (nodeData) => {
    const found = await within(clock, readKeys(nodeData), PATIENCE_MS);
    if (found === undefined) closed.add(nodeData);
    return found ?? NONE;
  }, NONE);
  function note(folder: string, holder: FolderHolder): void {
    if (holders.get(folder)?.live !== true) holders.set(folder, holder);
  }
  return {
    dataOf: remember<readonly SmesherId[]>(
      async (folder) => (await within(clock, readData(folder), PATIENCE_MS)) ?? [],
      [],
    ),
    keysOf(nodeData, holder) {
      note(nodeData, holder);
      return keysOf(nodeData);
    },
    close(folder, holder) {
      note(folder, holder);
      closed.add(folder);
    },
    closed: () =>
      [...holders]
        .filter(([folder]) => closed.has(folder))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, holder]) => ({ path, ...holder })),
  };
}

/** Not there, or of a process that has ended meanwhile. A disk that fails hides what is on it. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ESRCH'].includes((error as { code?: string } | null)?.code ?? '');
}

function remember<T>(look: (folder: string) => Promise<T>, otherwise: T): (folder: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (folder) => {
    const found = known.get(folder) ?? look(folder).catch(() => otherwise);
    known.set(folder, found);
    return found;
  };
}
