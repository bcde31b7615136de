/** The post-services that have registered: the node asks, they answer, one to one (spacemesh.md §5.2). */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { note } from '../common/ledger.ts';
import { log } from './logger.ts';
import { sleep } from './network-clock.ts';

export interface PostMetadata {
  readonly nodeId: Buffer;
  readonly commitmentAtxId: Buffer;
  /** The VRF nonce; absent in data that has none yet. */
  readonly nonce?: string;
  readonly numUnits: number;
  readonly labelsPerUnit: string;
}

export interface PostProof {
  readonly nonce: number;
  readonly indices: Buffer;
  readonly pow: bigint;
}

interface ServiceResponse {
  readonly metadata?: { readonly meta?: PostMetadata };
  readonly genProof?: {
    readonly status: string;
    readonly proof?: { readonly nonce?: number; readonly indices?: Buffer; readonly pow?: string };
    readonly metadata?: { readonly challenge: Buffer; readonly meta?: PostMetadata };
  };
}

export type RegisterCall = ServerDuplexStream<ServiceResponse, Record<string, unknown>>;

/** How often a running proof is asked for. */
const queryInterval = 2000;

/** The service went away; the proof may still be coming, from the same process or another. */
export class PostServiceClosed extends Error {}

export class PostConnection {
  readonly meta: PostMetadata;
  readonly #call: RegisterCall;
  #waiting: { resolve: (response: ServiceResponse) => void; reject: (error: Error) => void } | undefined;
  #closed = false;

  constructor(call: RegisterCall, meta: PostMetadata) {
    this.#call = call;
    this.meta = meta;
  }

  answer(response: ServiceResponse): void {
    this.#waiting?.resolve(response);
    this.#waiting = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#waiting?.reject(new PostServiceClosed('post client closed'));
    this.#waiting = undefined;
  }

  /** A service that hangs (a paused container) must not outlast the deadline, so the signal ends the wait. */
  #ask(request: Record<string, unknown>, signal: AbortSignal): Promise<ServiceResponse> {
    if (this.#closed) return Promise.reject(new PostServiceClosed('post client closed'));
    return new Promise((resolve, reject) => {
      const aborted = () => reject(signal.reason);
      signal.addEventListener('abort', aborted, { once: true });
      const settle = () => signal.removeEventListener('abort', aborted);
      this.#waiting = {
        resolve: (response) => {
          settle();
          resolve(response);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#call.write(request);
    });
  }

  /** Asks until the proof is there. @throws PostServiceClosed; Error when the service says that it failed */
  async prove(challenge: Buffer, signal: AbortSignal): Promise<{ proof: PostProof; meta: PostMetadata }> {
    for (;;) {
      signal.throwIfAborted();
      const { genProof } = await this.#ask({ genProof: { challenge } }, signal);
      if (genProof === undefined) throw new Error('unexpected response from post service');
      if (genProof.status !== 'GEN_PROOF_STATUS_OK') throw new Error('error generating proof');
      const { proof, metadata } = genProof;
      if (proof !== undefined && metadata?.meta !== undefined) {
        if (!metadata.challenge.equals(challenge)) throw new Error('unexpected challenge in proof');
        const { nonce = 0, indices = Buffer.alloc(0), pow = '0' } = proof;
        return { proof: { nonce, indices, pow: BigInt(pow) }, meta: metadata.meta };
      }
      await sleep(queryInterval, signal);
    }
  }
}

export class PostConnections {
  readonly #byId = new Map<string, PostConnection>();
  readonly #isHalfOpen: (id: string) => boolean;

  constructor(isHalfOpen: (id: string) => boolean) {
    this.#isHalfOpen = isHalfOpen;
  }

  /** The connected service of an identity, as far as the node knows. */
  of(id: Buffer): PostConnection | undefined {
    const key = id.toString('hex');
    return this.#isHalfOpen(key) ? undefined : this.#byId.get(key);
  }

  /** Serves one `Register` stream from its first word to its end. `refuse` ends the call with an error. */
  serve(call: RegisterCall, refuse: (message: string) => void): void {
    let connection: PostConnection | undefined;
    let key = '';
    const drop = () => {
      if (connection === undefined) return;
      if (this.#byId.get(key) === connection) this.#byId.delete(key);
      connection.close();
      connection = undefined;
      log('INFO', 'node.postService', 'post service disconnected', { node_id: key });
      note('disconnected', { id: key });
    };
    call.on('data', (response: ServiceResponse) => {
      if (connection !== undefined) return connection.answer(response);
      const meta = response.metadata?.meta;
      if (meta === undefined) return refuse('expected metadata, got empty response');
      key = meta.nodeId.toString('hex');
      if (this.#byId.has(key)) {
        note('refused', { id: key });
        return refuse('post service already registered');
      }
      connection = new PostConnection(call, meta);
      this.#byId.set(key, connection);
      log('INFO', 'node.postService', 'post service registered', { node_id: key });
      note('connected', { id: key });
    });
    call.on('cancelled', drop);
    call.on('error', drop);
    call.on('end', () => {
      drop();
      call.end();
    });
    call.write({ metadata: {} });
  }
}
