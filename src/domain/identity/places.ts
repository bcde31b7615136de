import type { SmesherId } from './smesher-id.ts';

/**
 * One place where an identity stands: a key that a node reads, data that a post-service proves, or a copy of a key that
 * nobody reads where it lies.
 */
export interface Place {
  readonly smesherId: SmesherId;
  /** With the key two nodes publish; with the data alone two services fight for one place (spacemesh.md §9.1). */
  readonly by: 'key' | 'data';
  /** `serves`: a node or post-service has it; `lies`: nobody does, but it could be put to use. */
  readonly use: 'serves' | 'lies';
  /** Who has it, for people: `container old-node of Compose project farm`. */
  readonly who: string;
  /** Who has it, for comparing: places of one holder are no contradiction. */
  readonly holder: string;
  /** A file or folder, where one is known. */
  readonly path?: string;
  /** At work at this moment. */
  readonly runs: boolean;
  /** Runs, or is a node of a Compose project: one `up` there and it does. */
  readonly live: boolean;
  /** Of the project in question. */
  readonly own: boolean;
  /** What takes it away; absent where nothing needs to be. */
  readonly remedy?: string;
}

/** A folder in which a node may have any key, and that may not be read. */
export interface ClosedFolder {
  readonly path: string;
  readonly who: string;
  readonly live: boolean;
  /** What ends whoever has it. */
  readonly stop: string;
}

/** All that was found about identities on this host. */
export interface IdentityIndex {
  readonly places: readonly Place[];
  readonly closed: readonly ClosedFolder[];
  /** Why a part of the host could not be looked at: then nobody is clean. */
  readonly unseen: readonly string[];
}

/**
 * - `twice`: two holders have it live at the same time; two nodes with one key end it for ever.
 * - `unknown`: something that runs could not be looked into. Never counts as clean (design §8).
 * - `second-place`: another holder has it, and is down now.
 * - `clean`: one holder at most.
 */
export type PlacesVerdict = 'twice' | 'unknown' | 'second-place' | 'clean';

/** What all places of one identity, and what could not be seen, amount to. Worst first. */
export function judgePlaces(
  smesherId: SmesherId,
  index: Pick<IdentityIndex, 'places' | 'closed' | 'unseen'>,
): PlacesVerdict {
  const serving = index.places.filter((place) => place.smesherId === smesherId && place.use === 'serves');
  for (const by of ['key', 'data'] as const) {
    if (holders(serving.filter((place) => place.by === by && place.live)).size > 1) return 'twice';
  }
  if (index.unseen.length > 0 || index.closed.some(({ live }) => live)) return 'unknown';
  for (const by of ['key', 'data'] as const) {
    if (holders(serving.filter((place) => place.by === by)).size > 1) return 'second-place';
  }
  return 'clean';
}

function holders(places: readonly Place[]): ReadonlySet<string> {
  return new Set(places.map(({ holder }) => holder));
}
