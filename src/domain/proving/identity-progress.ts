import type { SmesherId } from '../identity/smesher-id.ts';
import type { PublishedAtx } from '../node/answers.ts';
import type { NodeEvent } from '../node/events.ts';

/** Unknown is never shown or counted as no. */
export type Known = 'yes' | 'no' | 'unknown';

/** Rows of one identity in the node's local.sql, as far as progress shows in them (spacemesh.md §6.2). */
export interface ProgressRows {
  /** The initial proof has been made. */
  readonly post: boolean;
  readonly challenge?: { readonly publishEpoch: number; readonly hasPoetProof: boolean };
  readonly registrations: readonly { readonly roundId: string }[];
  /** Proof made, ATX not yet out. */
  readonly nipost: boolean;
}

/** What is known about one identity; what could not be asked is left out, which differs from an empty answer. */
export interface ProgressSources {
  readonly smesher: SmesherId;
  /** ATXs by publish epoch, from the public API. */
  readonly activations?: readonly PublishedAtx[];
  /** The node's last 100 events: old ones are missing, so silence proves nothing. */
  readonly events?: readonly NodeEvent[];
  /** Absent: the database could not be read. `'none'`: it was read, and the identity has no rows. */
  readonly rows?: ProgressRows | 'none';
}

/** How far an identity is in the work of one publish epoch (spacemesh.md §7.1). */
export interface IdentityProgress {
  readonly publishEpoch: number;
  readonly initialProof: Known;
  /** It has a challenge for this epoch: it registered for the round before, so a proof is due or was. */
  readonly due: Known;
  /** Its ATX of this epoch is out: it earns in the next one. */
  readonly published: Known;
  /** Registered for the round of the same number, which makes the ATX of the epoch after possible. */
  readonly registered: Known;
  /** The node wants the proof since then; only from events, so only while they are remembered. */
  readonly wantedSince?: number;
  /** The node asked its service for the proof that it still wants; only from events. */
  readonly askedAt?: number;
  /** The last attempt failed, and none has succeeded since. */
  readonly failedAt?: number;
  /** Cancelled for ever (equivocation). */
  readonly malfeasance?: { readonly at: number; readonly what: string };
}

/**
 * Combines what API, events and database say for publish epoch `k`. A yes of any source counts; a no only from a source
 * that would know. After publication the node deletes challenge and registration rows, so their absence alone says
 * nothing about publication (spacemesh.md §6.2).
 */
export function identityProgress(sources: ProgressSources, publishEpoch: number): IdentityProgress {
  const events = (sources.events ?? []).filter(
    (event) => 'smesher' in event && event.smesher === sources.smesher,
  );
  const { rows } = sources;
  const challenge = rows === 'none' ? undefined : rows?.challenge;
  const published = publishedIn(sources, events, publishEpoch);
  return {
    publishEpoch,
    initialProof: initialProof(rows, events, published),
    due: isDue(rows, events, published, publishEpoch),
    published,
    registered: registeredFor(rows, events, publishEpoch),
    ...wantedSince(events),
    ...askedAt(events),
    ...lastFailure(events),
    ...malfeasanceOf(events),
    // A challenge for this epoch is proof that nothing was published in it; newer events win.
    ...(published === 'unknown' && challenge?.publishEpoch === publishEpoch
      ? { published: 'no' as const }
      : {}),
  };
}

function publishedIn(sources: ProgressSources, events: readonly NodeEvent[], epoch: number): Known {
  const isOurs = (atx: PublishedAtx) => atx.smesher === sources.smesher && atx.publishEpoch === epoch;
  if (sources.activations?.some(isOurs)) return 'yes';
  // `current` is the epoch in which the ATX went out.
  if (events.some((event) => event.kind === 'atx-published' && event.current === epoch)) return 'yes';
  return sources.activations === undefined ? 'unknown' : 'no';
}

function registeredFor(rows: ProgressSources['rows'], events: readonly NodeEvent[], round: number): Known {
  const id = String(round);
  if (rows !== undefined && rows !== 'none' && rows.registrations.some(({ roundId }) => roundId === id)) {
    return 'yes';
  }
  const told = events.some(
    (event) =>
      (event.kind === 'registered-in-poet' && event.roundId === id) ||
      // Round r is waited for by the ATX of epoch r + 1. Before 1.7.5 registration itself is not told.
      (event.kind === 'waiting-for-round-end' && event.publish === round + 1) ||
      (event.kind === 'legacy-wait' && event.for === 'round-end' && event.publish === round + 1),
  );
  if (told) return 'yes';
  return rows === undefined ? 'unknown' : 'no';
}

function isDue(
  rows: ProgressSources['rows'],
  events: readonly NodeEvent[],
  published: Known,
  epoch: number,
): Known {
  if (published === 'yes') return 'yes';
  if (rows !== undefined && rows !== 'none' && rows.challenge?.publishEpoch === epoch) return 'yes';
  const round = String(epoch - 1);
  const told = events.some(
    (event) =>
      (event.kind === 'waiting-for-round-end' && event.publish === epoch) ||
      (event.kind === 'registered-in-poet' && event.roundId === round) ||
      (event.kind === 'poet-proof-selected' && event.roundId === round),
  );
  if (told && rows === undefined) return 'yes';
  // With the database in sight, no challenge for this epoch and no ATX in it mean that none is being made.
  return rows !== undefined && published === 'no' ? 'no' : told ? 'yes' : 'unknown';
}

function initialProof(rows: ProgressSources['rows'], events: readonly NodeEvent[], published: Known): Known {
  if (published === 'yes') return 'yes';
  if (rows !== undefined && rows !== 'none' && (rows.post || rows.challenge !== undefined)) return 'yes';
  const told = events.some(
    (event) =>
      (event.kind === 'post-complete' && !event.failed) ||
      event.kind === 'waiting-for-registration-window' ||
      event.kind === 'waiting-for-round-end' ||
      event.kind === 'registered-in-poet' ||
      event.kind === 'atx-published',
  );
  if (told) return 'yes';
  return rows === undefined ? 'unknown' : 'no';
}

/** The beginning of the demand that is still open: a finished proof closes it. */
function wantedSince(events: readonly NodeEvent[]): { readonly wantedSince?: number } {
  let since: number | undefined;
  for (const event of events) {
    if (event.kind === 'poet-proof-selected') since = event.at;
    else if (event.kind === 'post-start') since ??= event.at;
    else if (event.kind === 'atx-published') since = undefined;
    else if (event.kind === 'post-complete' && !event.failed) since = undefined;
  }
  return since === undefined ? {} : { wantedSince: since };
}

/** The first question about the proof that is still open; who failed is asked for another one. */
function askedAt(events: readonly NodeEvent[]): { readonly askedAt?: number } {
  let asked: number | undefined;
  for (const event of events) {
    if (event.kind === 'post-start') asked ??= event.at;
    else if (event.kind === 'post-complete' || event.kind === 'atx-published') asked = undefined;
  }
  return asked === undefined ? {} : { askedAt: asked };
}

function lastFailure(events: readonly NodeEvent[]): { readonly failedAt?: number } {
  const last = events.findLast((event) => event.kind === 'post-complete');
  return last?.failed === true ? { failedAt: last.at } : {};
}

function malfeasanceOf(events: readonly NodeEvent[]): Pick<IdentityProgress, 'malfeasance'> {
  const found = events.findLast((event) => event.kind === 'malfeasance');
  return found === undefined ? {} : { malfeasance: { at: found.at, what: found.what } };
}
