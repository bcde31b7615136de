import type { SmesherId } from '../../identity/smesher-id.ts';
import { type EpochClock, epochAt, epochStart, roundEnd, roundStart } from '../epochs.ts';

/** Rows of one identity in local.sql, as far as a switch asks for them (spacemesh.md §6.2). */
export interface StageRows {
  readonly post: boolean;
  readonly challenge?: { readonly publishEpoch: number; readonly hasPoetProof: boolean };
  readonly registrations: readonly { readonly address: string; readonly roundId: string }[];
  readonly nipost: boolean;
}

export interface StageFacts {
  readonly smesher: SmesherId;
  readonly name: string;
  /** Absent: the database could not be read. */
  readonly rows?: StageRows | 'none';
  /** Publish epochs of its ATXs, of this epoch and the one before; absent: the node did not say. */
  readonly published?: readonly number[];
}

/** How far an identity is between two ATXs. What could not be learnt is `unknown`, and that is never free. */
export type Stage =
  /** Nothing is registered and nothing is due: new PoETs find it as if it had just come. */
  | { readonly kind: 'published'; readonly epoch: number }
  | { readonly kind: 'idle' }
  /** Only the initial proof, which stays whatever happens to the rest. */
  | { readonly kind: 'new' }
  | { readonly kind: 'no-proof' }
  /** Its challenge is made, and no PoET has it yet; the round has not begun. */
  | { readonly kind: 'registering'; readonly epoch: number; readonly starts: number }
  /** For a round that has not begun. */
  | {
      readonly kind: 'registered';
      readonly epoch: number;
      readonly starts: number;
      readonly addresses: readonly string[];
    }
  /** A PoET works on its challenge, and nobody else could give that proof. */
  | {
      readonly kind: 'round-runs';
      readonly epoch: number;
      readonly ends: number;
      readonly addresses: readonly string[];
    }
  /** The round is over: proof and ATX are due. */
  | {
      readonly kind: 'proving';
      readonly epoch: number;
      readonly publishBy: number;
      readonly addresses: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly why: string };

export interface StagedIdentity {
  readonly smesher: SmesherId;
  readonly name: string;
  readonly stage: Stage;
}

/**
 * Where an identity stands by the rhythm that it registered in. The rows decide; after an ATX they are gone (§6.2), so that
 * where there are none the node has to say which ATXs are out, unless it is known to be down: then nobody can be about to.
 */
export function stageOf(facts: StageFacts, clock: EpochClock, now: number, nodeIsDown: boolean): Stage {
  const { rows, published } = facts;
  if (rows === undefined) return { kind: 'unknown', why: 'local.sql could not be read' };
  if (rows !== 'none' && rows.challenge !== undefined) {
    return stageOfChallenge({ rows, challenge: rows.challenge, clock, now, nodeIsDown });
  }
  if (rows !== 'none' && (rows.nipost || rows.registrations.length > 0)) {
    return { kind: 'unknown', why: 'local.sql has rows of it that belong to no challenge' };
  }
  if (published === undefined && !nodeIsDown) {
    return { kind: 'unknown', why: 'the node does not say which ATXs are out' };
  }
  const latest = Math.max(-1, ...(published ?? []));
  if (latest >= epochAt(clock, now)) return { kind: 'published', epoch: latest };
  if (latest >= 0) return { kind: 'idle' };
  if (rows === 'none' || !rows.post) return { kind: 'no-proof' };
  // Who has been at it for long keeps its first proof, too.
  return { kind: published === undefined ? 'idle' : 'new' };
}

function stageOfChallenge(look: {
  readonly rows: StageRows;
  readonly challenge: NonNullable<StageRows['challenge']>;
  readonly clock: EpochClock;
  readonly now: number;
  readonly nodeIsDown: boolean;
}): Stage {
  const { rows, challenge, clock, now, nodeIsDown } = look;
  const { registrations, nipost } = rows;
  const { publishEpoch: epoch, hasPoetProof } = challenge;
  // A layer more than the deadline: the node looks at it by its own clock, and clears the rows itself.
  if (now >= epochStart(clock, epoch + 1) + clock.layer) return { kind: 'idle' };
  const round = epoch - 1;
  const [starts, ends] = [roundStart(clock, round), roundEnd(clock, round)];
  const addresses = registrations.map(({ address }) => address);
  if (now < starts) {
    return addresses.length === 0
      ? { kind: 'registering', epoch, starts }
      : { kind: 'registered', epoch, starts, addresses };
  }
  const inHand = hasPoetProof || nipost;
  // It has missed its round, and the node gives the challenge up by itself (`poet round has already started`).
  if (addresses.length === 0 && !inHand) {
    return nodeIsDown
      ? { kind: 'idle' }
      : { kind: 'unknown', why: 'its round has begun without it, and the node has yet to give it up' };
  }
  if (now < ends && !inHand) return { kind: 'round-runs', epoch, ends, addresses };
  return { kind: 'proving', epoch, publishBy: epochStart(clock, epoch + 1), addresses };
}

/** Whether nothing of it hangs on any PoET. */
export function isFree({ kind }: Stage): boolean {
  return kind === 'published' || kind === 'idle' || kind === 'new' || kind === 'no-proof';
}
