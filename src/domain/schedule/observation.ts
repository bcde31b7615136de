import type { SmesherId } from '../identity/smesher-id.ts';
import type { EpochTimeline } from '../poet/epochs.ts';
import type { IdentityProgress } from '../proving/identity-progress.ts';
import type { ContainerFacts, ReadingSample } from '../proving/identity-state.ts';
import type { ProofLog } from '../proving/proof-log.ts';
import type { ServiceStatus } from '../proving/service-status.ts';
import type { DataSeen } from '../proving/status-report.ts';
import type { NodeCertainty } from '../proving/stop-risk.ts';

/*
 * What the schedule decides from: only what node, engine, services, logs and disks can be asked (design §7). The
 * simulator hands out the same, so what holds in it holds outside.
 */

/** One look at a project. */
export interface ScheduleObservation {
  /** Milliseconds since 1970, when the look ended. */
  readonly at: number;
  readonly layerMs: number;
  readonly timeline: EpochTimeline;
  readonly node: NodeCertainty;
  /** In the order of smesh.yaml, which decides where nothing else does. */
  readonly provers: readonly ProverFacts[];
}

/** What was seen of one identity; what could not be learnt is left out. */
export interface ProverFacts {
  readonly id: SmesherId;
  readonly name: string;
  /** Who has the same word shares one reader. Never empty: an unknown disk is one of its own, named after its directory. */
  readonly disk: string;
  readonly settings: ProvingSettings;
  readonly units?: number;
  readonly dataBytes?: number;
  readonly data: DataSeen;
  readonly container: ContainerFacts;
  /** Of the container, for the act. */
  readonly containerId?: string;
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  readonly service?: ServiceStatus;
  readonly log?: ProofLog;
  readonly progress?: IdentityProgress;
  /** For how long node and service have answered the same at every look, milliseconds. */
  readonly unchangedMs?: number;
  readonly firstSample?: ReadingSample;
  readonly courtesy: Courtesy;
}

/** What costs a proof its time and memory, as smesh.yaml sets it. */
export interface ProvingSettings {
  /** Multiple of 16. */
  readonly nonces: number;
  /** Cores that it uses at most; 0: all. */
  readonly threads: number;
  readonly randomx: 'fast' | 'light';
  /** Address of the k2pow-service: then it needs no RandomX memory and no slot here. */
  readonly remoteK2pow?: string;
  /** Its log tells nonce groups (`post::prove=debug`), so it can be held before it reads. */
  readonly tellsGroups: boolean;
}

/** What the loop remembers of an identity; losing it harms nobody (design §7). */
export interface Courtesy {
  /** Its container was ended by somebody else than the schedule and has not been started since. */
  readonly stoppedByPerson: boolean;
  /** Restarts by the schedule since the node wants this proof, by reason. */
  readonly restarts: Readonly<
    Partial<Record<RestartReason, { readonly times: number; readonly at: number }>>
  >;
  /** Proofs of this demand that the service or the node found invalid. */
  readonly invalidProofs: number;
}

/** What a restart mends (operators.md d.6). */
export type RestartReason = 'stuck' | 'not-connected';

export const NO_COURTESY: Courtesy = { stoppedByPerson: false, restarts: {}, invalidProofs: 0 };
