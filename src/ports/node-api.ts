import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type {
  MalfeasanceProof,
  NetworkInfo,
  NodeStatus,
  PostState,
  PublishedAtx,
  Reward,
  WeighedAtx,
} from '../domain/node/answers.ts';
import type { NodeEvent } from '../domain/node/events.ts';

/** Where a node is to be asked, `host:port` (design §4: both on 127.0.0.1). */
export interface NodeEndpoint {
  /** 9092 */
  readonly publicApi: string;
  /** 9093; with PostInfoService on it (spacemesh.md §14.2). */
  readonly privateApi: string;
}

/** A part of what was asked: one that fails does not spoil the others. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: NodeFault };

export interface NodeFault {
  readonly kind: /** Nobody listens there, or the connection broke. */
    | 'unreachable'
    | 'timeout'
    /** The node is of a version or configuration that does not serve this. */
    | 'not-served'
    /** The node answered with an error of its own. */
    | 'refused'
    /** The node answered with something that makes no sense. */
    | 'malformed';
  readonly message: string;
}

export interface SnapshotOptions {
  /** For each call, not for all together; all are asked at once. */
  readonly timeoutMs: number;
  /** Asks for the ATXs that these published in the current epoch and the one before. */
  readonly activationsOf?: readonly SmesherId[];
  /** Leaves out the recent events, which take a moment to collect. */
  readonly withoutEvents?: boolean;
}

export interface NodeSnapshot {
  readonly version: Answer<string>;
  readonly status: Answer<NodeStatus>;
  readonly network: Answer<NetworkInfo>;
  readonly currentLayer: Answer<number>;
  readonly currentEpoch: Answer<number>;
  readonly postStates: Answer<readonly PostState[]>;
  /** Identities that the node smeshes with; not the same as the keys in its folder until it is restarted. */
  readonly smesherIds: Answer<readonly SmesherId[]>;
  readonly coinbase: Answer<string>;
  /** The last 100 at most, oldest first; none of them older than the node's start (spacemesh.md §5.4). */
  readonly events: Answer<readonly NodeEvent[]>;
  readonly activations: Answer<readonly PublishedAtx[]>;
}

export interface ActivationQuery {
  readonly smeshers: readonly SmesherId[];
  readonly fromEpoch: number;
  /** Inclusive. */
  readonly toEpoch: number;
  readonly timeoutMs: number;
}

export interface RewardQuery {
  readonly smeshers: readonly SmesherId[];
  readonly fromLayer: number;
  /** Inclusive, and more than 0, which the node takes for no limit. */
  readonly toLayer: number;
  /** For each page; an identity has many of them only where epochs are short. */
  readonly timeoutMs: number;
}

export interface MalfeasanceQuery {
  readonly smeshers: readonly SmesherId[];
  readonly timeoutMs: number;
}

/** The node's gRPC services (spacemesh.md §5). No method leaves a connection open behind it. */
export interface NodeApiPort {
  /** Never rejects: what could not be learnt says why. */
  snapshot(endpoint: NodeEndpoint, options: SnapshotOptions): Promise<NodeSnapshot>;
  /** ATXs by publish epoch, any number of identities (S16). */
  activations(endpoint: NodeEndpoint, query: ActivationQuery): Promise<Answer<readonly WeighedAtx[]>>;
  /** The ATX that new PoST data should commit to, 64 hex digits (spacemesh.md §5.5). Never rejects. */
  highestAtx(endpoint: NodeEndpoint, timeoutMs: number): Promise<Answer<string>>;
  /** What these were paid in those layers, by identity and layer. Never rejects. */
  rewards(endpoint: NodeEndpoint, query: RewardQuery): Promise<Answer<readonly Reward[]>>;
  /** Those of these identities that the network has cancelled. Never rejects. */
  malfeasance(endpoint: NodeEndpoint, query: MalfeasanceQuery): Promise<Answer<readonly MalfeasanceProof[]>>;
  /**
   * The last events and then each as it happens, until the signal is aborted. Ends with NodeFaultError when the
   * connection breaks; who opens it again gets the ring of old events again.
   */
  events(endpoint: NodeEndpoint, signal: AbortSignal): AsyncIterable<NodeEvent>;
}

/** Why a stream of events ended. */
export class NodeFaultError extends Error {
  readonly fault: NodeFault;

  constructor(fault: NodeFault) {
    super(fault.message);
    this.name = 'NodeFaultError';
    this.fault = fault;
  }
}
