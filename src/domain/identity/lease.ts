import * as z from 'zod';
import { parseSmesherId, type SmesherId } from './smesher-id.ts';

/**
 * Tells machines apart without saying which they are: `id` and `cards` are digests (of the machine ID, of the addresses
 * of its network cards), `name` is for people.
 */
export interface HostMark {
  readonly id: string;
  readonly name: string;
  /** Of real network cards only, sorted; empty where there are none to be told by. */
  readonly cards: readonly string[];
}

/** The folder itself, whatever path leads to it: stays the same when it is renamed, and a copy has another. */
export interface FolderMark {
  readonly device: number;
  readonly inode: number;
}

/** Who may start a node with a key: the place for which it was installed. */
export interface LeasePlace {
  readonly host: HostMark;
  readonly project: { readonly name: string; readonly directory: string };
  /** The node's data folder, absolute. */
  readonly nodeData: string;
}

/**
 * - `held`: the key stands there, and a node may be started with it.
 * - `leaving`: the key was taken away, but the node there has not been seen without it since.
 * - `released`: the node there runs without it, or not at all.
 */
export type LeaseState = 'held' | 'leaving' | 'released';

/** What stands beside an installed key in a `.lease` file, which the node passes over (spacemesh.md §2.1, §14.2). */
export interface Lease extends LeasePlace {
  readonly smesherId: SmesherId;
  readonly state: LeaseState;
  /** Of `identities/`; written where the file is written. */
  readonly folder?: FolderMark;
  /** ISO times. */
  readonly createdAt: string;
  /** When a start of the node was last begun here. */
  readonly renewedAt: string;
  /** When the key was taken away. */
  readonly leftAt?: string;
  /** From whom it was taken over by `keys adopt`. */
  readonly adopted?: {
    readonly at: string;
    readonly host: string;
    readonly directory: string;
    readonly nodeData: string;
  };
  /** Version of the tool that wrote it. */
  readonly tool: string;
}

export const LEASE_ENDING = '.lease';

/** `post-0001.key` → `post-0001.lease`; works on paths, too. */
export function leaseFileOf(keyFile: string): string {
  return `${keyFile.replace(/\.key$/, '')}${LEASE_ENDING}`;
}

const smesherId = z.string().transform((text, context): SmesherId => {
  const id = parseSmesherId(text);
  if (id === undefined) context.addIssue({ code: 'custom', message: 'not a smesher ID' });
  return id as SmesherId;
});
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'not a time');
const path = z.string().startsWith('/');
// `min(1)` throws at a mapping whose `length` is no number; a lease must never end a command.
const host = z.object({
  id: z.string().refine((id) => id !== ''),
  name: z.string(),
  cards: z.array(z.string()),
});

const schema = z.object({
  schemaVersion: z.literal(1),
  smesherId,
  state: z.enum(['held', 'leaving', 'released']),
  host,
  project: z.object({ name: z.string(), directory: path }),
  nodeData: path,
  folder: z.object({ device: z.number(), inode: z.number() }).optional(),
  createdAt: time,
  renewedAt: time,
  leftAt: time.optional(),
  adopted: z.object({ at: time, host: z.string(), directory: z.string(), nodeData: z.string() }).optional(),
  tool: z.string(),
});

export type LeaseReading =
  | { readonly kind: 'read'; readonly lease: Lease }
  /** Nobody can say who holds the key: counts as held elsewhere, never as free (design §8). */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Reads a lease file; one of a newer version or with a torn end is `unknown`. Never throws. */
export function readLease(text: string): LeaseReading {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { kind: 'unknown', reason: text.trim() === '' ? 'it is empty' : 'it is damaged' };
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) {
    const { schemaVersion: _, ...lease } = parsed.data;
    return { kind: 'read', lease: lease as Lease };
  }
  const version = (content as { schemaVersion?: unknown } | null)?.schemaVersion;
  return {
    kind: 'unknown',
    reason:
      typeof version === 'number' && version > 1
        ? `a newer smesh-compose wrote it (version ${version})`
        : 'it is no lease that this version can read',
  };
}

export function writeLease(lease: Lease): string {
  return `${JSON.stringify({ schemaVersion: 1, ...lease }, null, 2)}\n`;
}

/** What stands now, on this host, where a lease says that its key is. */
export interface FormerPlace {
  /** `same`: the path leads to the folder in which the lease was found. */
  readonly nodeData: 'gone' | 'same' | 'other' | 'unknown';
  /** `present`: a project, in another folder than ours. */
  readonly project: 'gone' | 'same' | 'present' | 'unknown';
}

/** Where a lease was found and is judged. */
export interface LeaseHere extends LeasePlace {
  /** Absent while there is no `identities/`. */
  readonly folder?: FolderMark;
}

export type LeaseVerdict =
  | { readonly kind: 'absent' }
  | { readonly kind: 'ours' }
  /** May be written anew without asking anybody. */
  | { readonly kind: 'ours-again'; readonly why: 'moved' | 'renamed' | 'returned' | 'released' }
  /** Another place has it as far as anybody can tell; only a deliberate act changes that. */
  | {
      readonly kind: 'theirs';
      readonly why: 'other-host' | 'clone' | 'copy' | 'leaving' | 'given-up';
      readonly holder: Lease;
    }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Whether a node may be started here with a key, by the lease beside it. A machine that was cloned keeps its machine ID
 * and seldom its network cards. On one host a renamed folder is known by its inode; whatever may be a copy is refused,
 * because the original may be started as well (spacemesh.md §9.1.1). What was released is free to everybody but the place
 * that released it: somebody may have taken it since, and only a person knows.
 */
export function judgeLease(
  found: LeaseReading | undefined,
  here: LeaseHere,
  former: FormerPlace,
): LeaseVerdict {
  if (found === undefined) return { kind: 'absent' };
  if (found.kind === 'unknown') return found;
  const { lease } = found;
  const theirs = (why: Extract<LeaseVerdict, { kind: 'theirs' }>['why']) =>
    ({ kind: 'theirs', why, holder: lease }) as const;
  const sameHost = lease.host.id === here.host.id;
  const sameProject =
    lease.project.directory === here.project.directory || ['gone', 'same'].includes(former.project);
  const sameData =
    lease.nodeData === here.nodeData ||
    former.nodeData === 'same' ||
    (former.nodeData === 'gone' && isSameFolder(lease.folder, here.folder));
  if (lease.state === 'released') {
    // Who gave it up has no say any more in who took it: nothing leads back from there to this copy.
    return sameHost && sameProject && sameData ? theirs('given-up') : { kind: 'ours-again', why: 'released' };
  }
  if (!sameHost) return theirs('other-host');
  if (!shareCards(lease.host.cards, here.host.cards)) return theirs('clone');
  if (hasLostCards(lease.host, here.host))
    return {
      kind: 'unknown',
      reason: `this machine has the machine ID of ${lease.host.name}, another name, and no network card to be told by`,
    };
  if (!sameProject || !sameData) return theirs(lease.state === 'leaving' ? 'leaving' : 'copy');
  if (lease.state === 'leaving') return { kind: 'ours-again', why: 'returned' };
  if (!isSamePlace(lease, here)) return { kind: 'ours-again', why: 'moved' };
  return lease.project.name === here.project.name ? { kind: 'ours' } : { kind: 'ours-again', why: 'renamed' };
}

function isSamePlace(lease: LeasePlace, here: LeasePlace): boolean {
  return (
    lease.host.id === here.host.id &&
    lease.project.directory === here.project.directory &&
    lease.nodeData === here.nodeData
  );
}

/**
 * A clone into a machine without cards that can be told (a container, WSL) has a new name besides. One sign alone is
 * usual: a card is taken out, a host is renamed.
 */
function hasLostCards(before: HostMark, now: HostMark): boolean {
  return before.cards.length > 0 && now.cards.length === 0 && before.name !== now.name;
}

/** One that is in both is enough: cards are changed one at a time. Without any nothing can be said. */
function shareCards(before: readonly string[], now: readonly string[]): boolean {
  return before.length === 0 || now.length === 0 || before.some((card) => now.includes(card));
}

function isSameFolder(one: FolderMark | undefined, other: FolderMark | undefined): boolean {
  return one !== undefined && other !== undefined && one.device === other.device && one.inode === other.inode;
}
