/** What the engine says about a container, read from `inspect`; nothing in here is a wish. */
export interface ObservedContainer {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** From Compose's labels; absent on containers that Compose did not make (engineering.md §4.2). */
  readonly project?: string;
  readonly service?: string;
  /** Made by `docker compose run`. */
  readonly oneOff: boolean;
  readonly configHash?: string;
  readonly labels: Readonly<Record<string, string>>;

  /** As it was asked for: `spacemeshos/post-service:v0.8.5`. */
  readonly image: string;
  /** `sha256:…` */
  readonly imageId: string;
  readonly command: readonly string[];
  /** As it was asked for, `''` when the image decides. */
  readonly user: string;

  readonly state: ContainerState;
  readonly health: ContainerHealth;
  /** What the last probes said, oldest first; empty without a healthcheck. */
  readonly healthLog: readonly { readonly exitCode: number; readonly output: string }[];
  /** Only of a container that has run and does not run now. */
  readonly exitCode?: number;
  /** Why the engine could not start it. */
  readonly startError?: string;
  readonly oomKilled: boolean;
  readonly restartCount: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** Process id on the engine's host, while it runs. */
  readonly pid?: number;

  readonly mounts: readonly ObservedMount[];
  readonly ports: readonly ObservedPort[];
  readonly addresses: readonly ObservedAddress[];
  readonly host: ObservedHostConfig;
}

export const CONTAINER_STATES = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
] as const;

export type ContainerState = (typeof CONTAINER_STATES)[number];

export type ContainerHealth = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface ObservedMount {
  readonly kind: 'bind' | 'volume' | 'tmpfs' | 'other';
  /** Path on the engine's host, of volumes too; a volume that has none there comes with its name. */
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

export interface ObservedPort {
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostAddress: string;
  readonly hostPort: number;
}

export interface ObservedAddress {
  readonly network: string;
  readonly networkId: string;
  /** Absent while the container does not run. */
  readonly ip?: string;
}

/** How the container is confined. CPU quotas change at run time (spacemesh.md §14.6). */
export interface ObservedHostConfig {
  readonly readOnlyRootFs: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly securityOptions: readonly string[];
  readonly groups: readonly string[];
  readonly init: boolean;
  /** 0: no limit. */
  readonly memoryBytes: number;
  /** Microseconds per period; 0 or -1: no quota. */
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  readonly nanoCpus: number;
  readonly cpusetCpus: string;
  readonly oomScoreAdj: number;
  readonly restartPolicy: string;
  readonly networkMode: string;
  readonly logDriver: string;
  readonly devices: readonly string[];
  readonly deviceRequests: readonly ObservedDeviceRequest[];
}

export interface ObservedDeviceRequest {
  readonly driver: string;
  /** -1: all. */
  readonly count: number;
  readonly deviceIds: readonly string[];
  readonly capabilities: readonly (readonly string[])[];
}
