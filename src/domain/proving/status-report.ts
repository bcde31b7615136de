import type { ObservedContainer } from '../compose/observed.ts';
import type { SmesherId } from '../identity/smesher-id.ts';
import type { EpochTimeline } from '../poet/epochs.ts';
import type { Waiting } from '../schedule/decision.ts';
import type { ScheduleReport } from '../schedule/schedule-report.ts';
import type { IdentityProgress } from './identity-progress.ts';
import type { IdentityState } from './identity-state.ts';
import type { ProofLog } from './proof-log.ts';
import type { NodeCertainty } from './stop-risk.ts';

/** Everything that `status` says, decided; text and JSON are made from it. */
export interface StatusReport {
  readonly at: number;
  /** False: Docker could not be asked, and no container is known. */
  readonly engineAnswers: boolean;
  readonly project: string;
  readonly directory: string;
  readonly network: string;
  readonly node: NodeReport;
  readonly timeline: EpochTimeline;
  readonly identities: readonly IdentityReport[];
  readonly counts: StatusCounts;
  readonly schedule?: ScheduleReport;
  /** Problems first. */
  readonly findings: readonly StatusFinding[];
}

export interface NodeReport {
  readonly container?: ObservedContainer;
  readonly certainty: NodeCertainty;
  /** Why nothing was learnt from a node whose container runs. */
  readonly fault?: string;
  readonly version?: string;
  readonly synced?: boolean;
  readonly peers?: number;
  /** By the node; by the clock: in the timeline. */
  readonly layer?: number;
  readonly epoch?: number;
  readonly freeBytes?: number;
}

/** Whether an identity makes it into the next PoET round, as things stand. */
export type Registration = 'have' | 'will' | 'miss' | 'unknown';

export interface IdentityReport {
  readonly smesher: SmesherId;
  readonly name: string;
  readonly data: string;
  readonly dataSeen: DataSeen;
  readonly disk?: string;
  readonly units?: number;
  readonly dataBytes?: number;
  readonly container?: ObservedContainer;
  readonly state: IdentityState;
  readonly progress: IdentityProgress;
  readonly registration: Registration;
  readonly log?: ProofLog;
  /** Wanted and not at work on it: what for it waits, as the schedule decides. */
  readonly waiting?: Waiting;
  /** The schedule would start it at this moment. */
  readonly startsNow?: true;
  /** When its proof is to be expected, by averages: also of those who wait, in their turn. */
  readonly expectedAt?: number;
}

export interface StatusCounts {
  readonly identities: number;
  readonly published: { readonly yes: number; readonly no: number; readonly unknown: number };
  readonly registration: Readonly<Record<Registration, number>>;
}

/** Whether the metadata file is where smesh.yaml says, seen from this host. */
export type DataSeen = 'present' | 'absent' | 'unreadable' | 'unknown';

/** Something that a person should know or do. Identities with the same trouble share one finding. */
export interface StatusFinding {
  /** Stable, in `--json`. */
  readonly code: string;
  /** A problem makes the exit code 6; a notice is only shown. */
  readonly severity: 'problem' | 'notice';
  readonly smeshers: readonly SmesherId[];
  /** Services it is about, as smesh.yaml names them. */
  readonly services: readonly string[];
  /** What is the case and what it means; continues the services' names where there are any. */
  readonly message: string;
  /** What to do or type. */
  readonly next?: string;
}
