import type { SmesherId } from '../identity/smesher-id.ts';
import type { MalfeasanceProof, Reward, WeighedAtx } from '../node/answers.ts';
import type { NodeEvent } from '../node/events.ts';
import type { EpochClock } from '../poet/epochs.ts';
import type { Known } from '../proving/identity-progress.ts';
import type { IdentityState } from '../proving/identity-state.ts';
import type { NodeConnection } from '../proving/proof-log.ts';
import type { NodeCertainty } from '../proving/stop-risk.ts';

/** What was asked and could not be learnt; `why` is for people. Never counts as clean. */
export interface NotLearnt {
  readonly kind: 'unknown';
  readonly why: string;
}

/** Either what a source says, or that it says nothing. */
export type Learnt<T> = { readonly kind: 'known'; readonly value: T } | NotLearnt;

/** The file of an identity's key in the node's `identities` folder. */
export type KeySeen =
  | { readonly kind: 'installed'; readonly file: string }
  | { readonly kind: 'absent' }
  /** The node refuses the file. */
  | NotLearnt;

/** Whose data lie where smesh.yaml says that this identity's lie. */
export type DataSeenHere =
  | { readonly kind: 'own'; readonly units: number }
  | { readonly kind: 'of-another'; readonly smesher: SmesherId }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed'; readonly why: string }
  | NotLearnt;

/** A check of a sample of the labels. */
export interface LabelsChecked {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Percent of the labels. */
  readonly fraction: number;
  /** Numbers of data files in which a wrong one was met. */
  readonly wrongIn: readonly number[];
}

/** Rows of one identity in local.sql (spacemesh.md §6.2). */
export interface VerifiedRows {
  readonly post: boolean;
  readonly challenge?: { readonly publishEpoch: number; readonly hasPoetProof: boolean };
  readonly registrations: readonly {
    readonly address: string;
    readonly roundId: string;
    readonly roundEnd: number;
  }[];
}

/** How the post-service stands to the node, from both sides. */
export interface ConnectionSeen {
  /** What the service's log says last. */
  readonly service: NodeConnection;
  /** The node said at this moment that it waits for the service: it is asked for and not there. */
  readonly missedByNodeAt?: number;
}

/** Everything that was learnt about one identity at one moment. */
export interface IdentityEvidence {
  readonly smesher: SmesherId;
  readonly name: string;
  readonly data: string;
  readonly key: KeySeen;
  readonly dataHere: DataSeenHere;
  /** What the last `post verify` of its labels came to; absent: there was none. */
  readonly labels?: LabelsChecked;
  /** Whether the node lists it among those it smeshes with. */
  readonly listed: Known;
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  readonly state: IdentityState;
  /** What its service does, in the words of `status`. */
  readonly doing: string;
  readonly connection: ConnectionSeen;
  /**
   * A schedule runs, keeps it down or held, and starts or releases it in its turn; absent: not so. `expectedAt`: when its
   * proof is to be expected, by averages.
   */
  readonly leftToSchedule?: { readonly expectedAt?: number };
  readonly rows: Learnt<VerifiedRows | 'none'>;
  /** Those of the last epochs, oldest first. */
  readonly atxs: Learnt<readonly WeighedAtx[]>;
  /** Its own, and the PoET proofs that the node downloaded for all. The node forgets all but the last hundred. */
  readonly events: Learnt<readonly NodeEvent[]>;
  /** Of the present epoch. */
  readonly rewards: Learnt<readonly Reward[]>;
  readonly malfeasance: Learnt<MalfeasanceProof | 'none'>;
}

/** What all identities share. */
export interface ProjectEvidence {
  readonly now: number;
  readonly clock: EpochClock;
  /** Of smesh.yaml; empty: not known. */
  readonly poetServers: readonly string[];
  /** Of smesh.yaml. */
  readonly coinbase: string;
  readonly node: NodeEvidence;
  /** A `smesh-compose run` is at work; absent: nobody can tell. */
  readonly scheduleRuns?: boolean;
  /** Keys in the node's folder that belong to no identity of smesh.yaml. */
  readonly strangers: Learnt<readonly { readonly file: string; readonly smesher: SmesherId }[]>;
}

export interface NodeEvidence {
  readonly certainty: NodeCertainty;
  readonly container: 'running' | 'not-running' | 'absent' | 'unknown';
  /** Why an engine that was asked said nothing. */
  readonly engineFault?: string;
  /** Of its container. */
  readonly startedAt?: number;
  readonly synced?: boolean;
  /** Rewards of layers up to this one are known to the node. */
  readonly appliedLayer?: number;
  /** Why it did not answer. */
  readonly fault?: string;
  /** The account it smeshes for; empty: none. */
  readonly coinbase?: string;
}

export function known<T>(value: T): Learnt<T> {
  return { kind: 'known', value };
}

export function notLearnt(why: string): NotLearnt {
  return { kind: 'unknown', why };
}
