import type { SmesherId } from '../identity/smesher-id.ts';
import type { PostState, PublishedAtx } from '../node/answers.ts';
import type { NodeEvent } from '../node/events.ts';
import type { GapProgress } from './node-change.ts';

/** What is known of all identities; a part that could not be learnt is absent. */
export interface GapSources {
  /** Publish epoch of the gap, and number of the round that starts when it closes. */
  readonly epoch: number;
  /** IDs that the running node smeshes with. */
  readonly loaded?: readonly SmesherId[];
  /** ATXs of this epoch and the one before. */
  readonly atxs?: readonly PublishedAtx[];
  readonly states?: readonly PostState[];
  /** Since the node's start, the last hundred at most. */
  readonly events?: readonly NodeEvent[];
  /** Rows of local.sql (spacemesh.md §6.2). */
  readonly rows?: ReadonlyMap<SmesherId, LocalRows>;
}

export interface LocalRows {
  /** Its initial proof has been made. */
  readonly post: boolean;
  readonly challengeEpoch?: number;
  readonly registeredRounds: readonly string[];
}

/** What one identity has done in the gap, from sources that each know a part (spacemesh.md §5.1, §5.4, §5.6, §6.2). */
export function gapProgress(id: SmesherId, name: string, sources: GapSources): GapProgress {
  const { epoch, loaded, atxs, states, events, rows } = sources;
  // Whom the node has not loaded cannot miss anything by its restart.
  if (loaded !== undefined && !loaded.includes(id)) {
    return { name, takesPart: false, publishes: false, published: false, registered: false };
  }
  const own = atxs?.filter(({ smesher }) => smesher === id);
  const row = rows?.get(id);
  const publishes =
    (own?.length ?? 0) > 0 || (row?.challengeEpoch !== undefined && row.challengeEpoch <= epoch);
  // Somebody new has nothing to publish, but registers for the first time before this gap closes.
  const registers =
    row?.post === true ||
    row?.challengeEpoch !== undefined ||
    states?.some(({ smesher, state }) => smesher === id && state === 'proving') === true ||
    events?.some((event) => 'smesher' in event && event.smesher === id) === true;
  const known = atxs !== undefined && rows !== undefined;
  const told = events?.some(
    (event) => event.kind === 'registered-in-poet' && event.smesher === id && event.roundId === `${epoch}`,
  );
  const stored = row?.registeredRounds.includes(`${epoch}`);
  return {
    name,
    takesPart: publishes || registers || (known ? false : 'unknown'),
    publishes: publishes || (known ? false : 'unknown'),
    published: own === undefined ? 'unknown' : own.some(({ publishEpoch }) => publishEpoch >= epoch),
    registered: told === true || stored === true || (rows === undefined ? 'unknown' : false),
  };
}
