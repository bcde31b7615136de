import { isMapping } from '../is-mapping.ts';
import type { ComposeService } from './types.ts';

/** A set of devices that the engine's own driver for them hands in (`deploy.resources.reservations.devices`). */
export interface DeviceRequest {
  readonly driver: string;
  /** -1: all. */
  readonly count?: number;
  readonly ids?: readonly string[];
  readonly capabilities: readonly string[];
}

/** What an initialisation job's container gets of the host beside its data (spacemesh.md §8.4). */
export interface Passthrough {
  /** Device nodes, or folders of them, under the same path inside. */
  readonly devices: readonly string[];
  readonly deviceRequests: readonly DeviceRequest[];
  /** Numeric gids that its user has beside its own. */
  readonly groups: readonly number[];
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  readonly environment: Readonly<Record<string, string>>;
}

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

function requestOf(value: unknown): readonly DeviceRequest[] {
  if (!isMapping(value)) return [];
  const { driver, count, device_ids: ids, capabilities } = value;
  return [
    {
      driver: String(driver ?? ''),
      ...(Array.isArray(ids) ? { ids: ids.map(String) } : { count: typeof count === 'number' ? count : -1 }),
      capabilities: texts(capabilities),
    },
  ];
}

function inside(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isMapping(at) ? at[key] : undefined), value);
}

/**
 * The passthrough of a job, read from the very service that is emitted for it: what a throw-away container sees with it
 * is what the job will see. Its data, which is mounted writable, is no part of it.
 */
export function passthroughOf(service: ComposeService): Passthrough {
  const requests = inside(service, 'deploy', 'resources', 'reservations', 'devices');
  const volumes: readonly unknown[] = Array.isArray(service['volumes']) ? service['volumes'] : [];
  const environment = service['environment'];
  return {
    devices: texts(service['devices']),
    deviceRequests: Array.isArray(requests) ? requests.flatMap(requestOf) : [],
    groups: texts(service['group_add']).map(Number),
    mounts: volumes.flatMap((volume) =>
      isMapping(volume) && volume['read_only'] === true
        ? [{ source: String(volume['source']), target: String(volume['target']) }]
        : [],
    ),
    environment: isMapping(environment)
      ? Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]))
      : {},
  };
}
