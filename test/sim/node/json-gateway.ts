/** The HTTP/JSON gateway over the public services: every route is a POST (spacemesh.md §5.7). */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { spacemeshDescriptor } from '../../../src/generated/spacemesh.ts';
import { splitHostPort } from './go-text.ts';
import { log } from './logger.ts';
import { GrpcFault, type Service } from './service-types.ts';

/** Routes with short names of their own; all others are `/<service>/<method>`. */
const shortRoutes: Readonly<Record<string, string>> = {
  'spacemesh.v1.NodeService': '/v1/node/',
  'spacemesh.v1.MeshService': '/v1/mesh/',
  'spacemesh.v1.SmesherService': '/v1/smesher/',
};
const shortNodeMethods: readonly string[] = ['Echo', 'Version', 'Build', 'Status'];

const httpStatusOf: Readonly<Partial<Record<status, number>>> = {
  [status.INVALID_ARGUMENT]: 400,
  [status.FAILED_PRECONDITION]: 400,
  [status.NOT_FOUND]: 404,
  [status.UNIMPLEMENTED]: 501,
};

interface Route {
  readonly service: Service;
  readonly method: protobuf.Method;
}

/** @throws Error when the address is malformed or taken */
export async function serveJson(address: string, services: readonly Service[]): Promise<Server> {
  const { host, port } = splitHostPort(address);
  const root = protobuf.Root.fromJSON(spacemeshDescriptor as protobuf.INamespace);
  root.resolveAll();
  const routes = routesOf(root, services);
  const server = createServer((request, response) => {
    answer(routes, request, response).catch((error: unknown) => reply(response, toFault(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => reject(new Error(`listen tcp ${address}: bind: address already in use`)));
    server.listen(port, host === '' ? '0.0.0.0' : host, resolve);
  });
  log('INFO', 'node.grpc', 'starting grpc gateway server', { address });
  return server;
}

function routesOf(root: protobuf.Root, services: readonly Service[]): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const service of services) {
    for (const method of root.lookupService(service.name).methodsArray) {
      method.resolve();
      const route = { service, method };
      const short = shortRoutes[service.name];
      const annotated = service.name !== 'spacemesh.v1.NodeService' || shortNodeMethods.includes(method.name);
      if (short !== undefined && annotated) routes.set(`${short}${method.name.toLowerCase()}`, route);
      else routes.set(`/${service.name}/${method.name}`, route);
    }
  }
  return routes;
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = routes.get(request.url ?? '');
  if (route === undefined) throw new GrpcFault(status.NOT_FOUND, 'Not Found');
  if (request.method !== 'POST') throw new GrpcFault(status.UNIMPLEMENTED, 'Method Not Allowed');
  const { service, method } = route;
  const handler = service.methods[method.name];
  if (handler === undefined)
    throw new GrpcFault(status.UNIMPLEMENTED, `method ${method.name} not implemented`);
  if (!('unary' in handler)) {
    throw new GrpcFault(
      status.UNIMPLEMENTED,
      'streaming calls are not yet supported in the in-process transport',
    );
  }
  const input = parseBody(await readBody(request), method.resolvedRequestType as protobuf.Type);
  const output = handler.unary(input) as Record<string, unknown>;
  const type = method.resolvedResponseType as protobuf.Type;
  reply(response, { code: 200, body: toJson(type, output) });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function parseBody(text: string, type: protobuf.Type): Record<string, unknown> {
  try {
    const message = type.fromObject(text.trim() === '' ? {} : JSON.parse(text));
    return type.toObject(message, { longs: String, enums: String, bytes: Buffer as never });
  } catch (error) {
    throw new GrpcFault(status.INVALID_ARGUMENT, (error as Error).message);
  }
}

/** JSON as the gateway writes it: 64-bit numbers as text, bytes as base64, unset fields written out. */
function toJson(type: protobuf.Type, message: Record<string, unknown>): unknown {
  const object = type.toObject(type.fromObject(message), {
    longs: String,
    enums: String,
    bytes: String,
    defaults: true,
  });
  return wellKnown(type, object);
}

/** Times and durations become text, wherever they are. */
function wellKnown(type: protobuf.Type, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const fields = value as Record<string, unknown>;
  const seconds = Number(fields['seconds']);
  const nanos = Number(fields['nanos'] ?? 0);
  if (type.fullName === '.google.protobuf.Timestamp')
    return new Date(seconds * 1000 + nanos / 1e6).toISOString();
  if (type.fullName === '.google.protobuf.Duration') return `${seconds + nanos / 1e9}s`;
  const converted = Object.entries(fields).map(([name, field]): [string, unknown] => {
    const fieldType = type.fields[name]?.resolvedType;
    if (!(fieldType instanceof protobuf.Type)) return [name, field];
    return [
      name,
      Array.isArray(field) ? field.map((item) => wellKnown(fieldType, item)) : wellKnown(fieldType, field),
    ];
  });
  return Object.fromEntries(converted);
}

function toFault(error: unknown): { code: number; body: unknown } {
  const fault = error instanceof GrpcFault ? error : new GrpcFault(status.INTERNAL, (error as Error).message);
  const body = { code: fault.code, message: fault.message, details: [] };
  return { code: httpStatusOf[fault.code] ?? 500, body };
}

function reply(
  response: ServerResponse,
  { code, body }: { readonly code: number; readonly body: unknown },
): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
