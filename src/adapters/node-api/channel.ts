import { Client, type ClientReadableStream, credentials } from '@grpc/grpc-js';
import type { Parsed } from '../../domain/node/reader.ts';
import type { Answer } from '../../ports/node-api.ts';
import { failed, faultOf } from './faults.ts';
import { serviceDefinition } from './services.ts';

const OPTIONS = {
  // The node's own limit; grpc-js would stop at 4 MiB.
  'grpc.max_receive_message_length': 10 * 1024 * 1024,
  // http_proxy is for the internet, the node is next door: grpc-js would ask the proxy for 127.0.0.1.
  'grpc.enable_http_proxy': 0,
  // Closing the channel then closes its connection at once and the process can end.
  'grpc.use_local_subchannel_pool': 1,
  // The node cuts clients that ping more often than once a minute or without a call (spacemesh.md §5).
  'grpc.keepalive_time_ms': 5 * 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 0,
} as const;

/** One connection to one listener of the node. To be closed by whoever opened it. */
export class NodeChannel {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), OPTIONS);
  }

  /** Asks once; never rejects. `name` is `spacemesh.v1.NodeService/Status`. */
  ask<T>(
    name: string,
    request: object,
    parse: (answer: unknown) => Parsed<T>,
    timeoutMs: number,
  ): Promise<Answer<T>> {
    const method = methodOf(name);
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize as (bytes: Buffer) => unknown,
        request,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          if (error) return resolve(failed(faultOf(error)));
          const parsed = parse(answer);
          const reason = parsed.ok ? '' : `${name.split('.').at(-1)}: ${parsed.reason}`;
          resolve(parsed.ok ? parsed : failed({ kind: 'malformed', message: reason }));
        },
      );
    });
  }

  /** Opens a stream of answers; `deadlineMs` ends it, however well it goes. */
  stream(name: string, request: object, deadlineMs?: number): ClientReadableStream<unknown> {
    const method = methodOf(name);
    return this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (bytes: Buffer) => unknown,
      request,
      deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
    );
  }

  close(): void {
    this.#client.close();
  }
}

function methodOf(name: string) {
  const [service = '', method = ''] = name.split('/');
  const found = serviceDefinition(service)[method];
  if (found === undefined) throw new Error(`no method ${name} in the definitions`);
  return found;
}
