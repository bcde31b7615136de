import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { serviceDefinition } from '../../src/adapters/node-api/services.ts';

/** `ServiceResponse` as proto-loader decodes it. */
export interface ServiceResponse {
  readonly metadata?: { readonly meta: Metadata };
  readonly genProof?: {
    readonly status: string;
    readonly proof: { readonly nonce: number; readonly indices: Buffer; readonly pow: string } | null;
    readonly metadata: { readonly challenge: Buffer; readonly meta: Metadata } | null;
  };
}

interface Metadata {
  readonly nodeId: Buffer;
  readonly commitmentAtxId: Buffer;
  readonly nonce?: string;
  readonly numUnits: number;
  readonly labelsPerUnit: string;
}

type Call = ServerDuplexStream<ServiceResponse, object>;

/** One registered post-service; requests are answered one to one, in order. */
export class Registration {
  readonly meta: Metadata;
  readonly #ask: (request: object) => Promise<ServiceResponse>;

  constructor(meta: Metadata, ask: (request: object) => Promise<ServiceResponse>) {
    this.meta = meta;
    this.#ask = ask;
  }

  async poll(challenge: Buffer): Promise<NonNullable<ServiceResponse['genProof']>> {
    const { genProof } = await this.#ask({ genProof: { challenge } });
    if (!genProof) throw new Error('no answer to gen_proof');
    return genProof;
  }
}

/** The node's side of `PostService.Register`, with the library's codec: it takes metadata and waits for a test to ask. */
export class FakeNode {
  readonly port: number;
  readonly registrations: Registration[] = [];
  refused = 0;
  readonly #server: Server;
  readonly #present = new Set<string>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async listen(port: number, credentials = ServerCredentials.createInsecure()): Promise<FakeNode> {
    const server = new Server();
    const node = new FakeNode(server, port);
    server.addService(serviceDefinition('spacemesh.v1.PostService'), {
      Register: (call: Call) => node.#serve(call),
    });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => (error ? reject(error) : resolve()));
    });
    return node;
  }

  /** Breaks all connections, like a node that is killed. */
  kill(): void {
    this.#server.forceShutdown();
  }

  #serve(call: Call): void {
    const waiting: { resolve: (response: ServiceResponse) => void; reject: (error: Error) => void }[] = [];
    call.on('data', (response: ServiceResponse) => waiting.shift()?.resolve(response));
    call.on('error', () => {});
    call.on('end', () => call.end());
    call.on('close', () => {
      for (const one of waiting.splice(0)) one.reject(new Error('connection lost'));
    });
    const ask = (request: object) =>
      new Promise<ServiceResponse>((resolve, reject) => {
        waiting.push({ resolve, reject });
        call.write(request);
      });
    void ask({ metadata: {} }).then(
      ({ metadata }) => metadata && this.#register(call, new Registration(metadata.meta, ask)),
      () => {},
    );
  }

  #register(call: Call, registration: Registration): void {
    const id = registration.meta.nodeId.toString('hex');
    if (this.#present.has(id)) {
      this.refused += 1;
      call.emit('error', { code: status.UNKNOWN, details: 'post service already registered' });
      return;
    }
    this.#present.add(id);
    call.on('close', () => this.#present.delete(id));
    this.registrations.push(registration);
  }
}
