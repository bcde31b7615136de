import type { ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { spacemeshDescriptor } from '../../generated/spacemesh.ts';

/** How messages come out: 64-bit numbers as decimal text, enums by name, bytes as Buffer, unset fields at their default. */
const DECODE = { longs: String, enums: String, defaults: true, oneofs: true } as const;

type Services = ReturnType<typeof fromJSON>;

let services: Services | undefined;

/** Definition of a service such as `spacemesh.v1.NodeService`, for clients and for servers in tests. */
export function serviceDefinition(name: string): ServiceClientConstructor['service'] {
  services ??= fromJSON(spacemeshDescriptor as Parameters<typeof fromJSON>[0], DECODE);
  const found = services[name];
  if (found === undefined || 'format' in found) throw new Error(`no service ${name} in the definitions`);
  return found;
}
