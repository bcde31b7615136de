/** One gRPC listener with the services that the config gives it. */
import { readFileSync } from 'node:fs';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { spacemeshDescriptor } from '../../../src/generated/spacemesh.ts';
import { goErrno } from './config.ts';
import { splitHostPort } from './go-text.ts';
import { log } from './logger.ts';
import type { RegisterCall } from './post-connections.ts';
import { GrpcFault, type Method, type Request, type Service } from './service-types.ts';

const definitions = fromJSON(spacemeshDescriptor as Parameters<typeof fromJSON>[0], {
  longs: String,
  enums: String,
  oneofs: true,
});

export interface TlsFiles {
  readonly caCert: string;
  readonly cert: string;
  readonly key: string;
}

/** Serves until {@link GrpcListener.close}. */
export interface GrpcListener {
  close(): Promise<void>;
}

/** @throws Error as the node words it when the address is malformed or taken */
export async function listen(
  address: string,
  services: readonly Service[],
  tls: TlsFiles | undefined,
): Promise<GrpcListener> {
  const { host, port } = splitHostPort(address);
  const server = new Server({ 'grpc.max_receive_message_length': 10 << 20 });
  for (const service of services) {
    const definition = definitions[service.name] as ServiceDefinition | undefined;
    if (definition === undefined) throw new Error(`no definition of ${service.name}`);
    server.addService(definition, implementationOf(service, definition));
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`${host === '' ? '0.0.0.0' : host}:${port}`, credentialsOf(tls), (error) => {
      if (error === null) resolve();
      else reject(new Error(`listen tcp ${address}: bind: address already in use`));
    });
  });
  log('INFO', 'node.grpc', 'starting grpc server', {
    address,
    services: services.map((service) => service.name),
  });
  return {
    close: () =>
      new Promise((resolve) => {
        // Streams of clients that stay connected would hold the process up: one second, as in the real node.
        setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, 1000).unref();
        server.tryShutdown(() => resolve());
      }),
  };
}

function credentialsOf(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const read = (path: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new Error(`load tls file: open ${path}: ${goErrno(error)}`);
    }
  };
  const pair = { private_key: read(tls.key), cert_chain: read(tls.cert) };
  return ServerCredentials.createSsl(read(tls.caCert), [pair], true);
}

function implementationOf(service: Service, definition: ServiceDefinition): UntypedServiceImplementation {
  const handlers = Object.keys(definition).map((name): [string, UntypedHandleCall] => {
    const method = service.methods[name];
    return [name, method === undefined ? unimplemented(name) : handlerOf(method)];
  });
  return Object.fromEntries(handlers);
}

function unimplemented(name: string): UntypedHandleCall {
  const fault = { code: status.UNIMPLEMENTED, details: `method ${name} not implemented` };
  return ((_call: unknown, respond: sendUnaryData<unknown>) => respond(fault)) as UntypedHandleCall;
}

function handlerOf(method: Method): UntypedHandleCall {
  if ('unary' in method) {
    return ((call: ServerUnaryCall<Request, unknown>, respond: sendUnaryData<unknown>) => {
      try {
        respond(null, method.unary(call.request));
      } catch (error) {
        respond(toStatus(error));
      }
    }) as UntypedHandleCall;
  }
  if ('stream' in method) {
    return ((call: ServerWritableStream<Request, unknown>) => {
      method.stream(call.request, {
        send: (message) => call.write(message),
        end: () => call.end(),
        onClose: (listener) => call.on('cancelled', listener),
      });
    }) as UntypedHandleCall;
  }
  return ((call: RegisterCall) => {
    method.duplex(call, (code, details) => call.emit('error', { code, details }));
  }) as UntypedHandleCall;
}

function toStatus(error: unknown): { code: status; details: string } {
  if (error instanceof GrpcFault) return { code: error.code, details: error.message };
  return { code: status.INTERNAL, details: (error as Error).message };
}
