/** What the node's gRPC services are made of. */
import type { status } from '@grpc/grpc-js';
import { bech32 } from 'bech32';
import type { AtxStore } from './atx-store.ts';
import type { NodeConfig } from './config.ts';
import type { EventLog } from './events.ts';
import type { NetworkClock } from './network-clock.ts';
import type { PostConnections, RegisterCall } from './post-connections.ts';
import type { PostStates } from './post-states.ts';

/** An answer with a gRPC status other than OK. */
export class GrpcFault extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: requests are what the wire brings, each method knows its own
export type Request = any;

export interface ServerStream {
  send(message: unknown): void;
  end(): void;
  /** Called once, when the client is gone. */
  onClose(listener: () => void): void;
}

export type Method =
  | { readonly unary: (request: Request) => unknown }
  | { readonly stream: (request: Request, stream: ServerStream) => void }
  | { readonly duplex: (call: RegisterCall, refuse: (code: status, message: string) => void) => void };

export interface Service {
  /** Full name in the definitions. */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}

export interface ServiceContext {
  /** The release that it says it is. */
  readonly version: string;
  readonly config: NodeConfig;
  readonly clock: NetworkClock;
  readonly store: AtxStore;
  readonly events: EventLog;
  readonly states: PostStates;
  readonly connections: PostConnections;
  readonly golden: Buffer;
  readonly remote: boolean;
  readonly isSynced: () => boolean;
  readonly stopSmeshing: (deleteFiles: boolean) => void;
}

/** A coinbase as people write it. */
export function accountText(coinbase: Buffer, hrp: string): string {
  return bech32.encode(hrp, bech32.toWords(coinbase));
}
