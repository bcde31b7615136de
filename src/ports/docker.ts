import type { ObservedContainer } from '../domain/compose/observed.ts';
import type { Passthrough } from '../domain/compose/passthrough.ts';

/**
 * The Docker engine: observes all containers, drives those that exist (design §6). Containers, networks and volumes of
 * a project are made and removed by Compose alone.
 *
 * Every method rejects with SmeshError: `engine-down`, `engine-permission`, `engine-silent` (no answer in time),
 * `engine-too-old`, `engine-refused` (the engine's own words), `container-gone`, `quota-refused`.
 */
export interface DockerPort {
  /** As `DOCKER_HOST` has it: `unix:///var/run/docker.sock`. */
  readonly endpoint: string;

  /** Rejects with `engine-too-old` (exit 4) below Engine API 1.44, which `start_interval` needs (design §5). */
  engine(): Promise<EngineFacts>;
  /** Running and stopped ones, each inspected. One that vanishes meanwhile is left out. */
  containers(filter?: ContainerFilter): Promise<readonly ObservedContainer[]>;
  /** By id or name; `undefined` when there is none. */
  inspect(container: string): Promise<ObservedContainer | undefined>;
  /**
   * Environment that a container was made with, its image's included; empty when it is gone. Not in ObservedContainer: it may
   * hold secrets, and facts of containers go into reports.
   */
  environment(container: string): Promise<Readonly<Record<string, string>>>;
  image(reference: string): Promise<ImageFacts | undefined>;

  start(container: string): Promise<'started' | 'already-running'>;
  /** SIGTERM, then SIGKILL after the container's own `stop_grace_period`; resolves when it has ended. */
  stop(container: string): Promise<'stopped' | 'already-stopped'>;
  restart(container: string): Promise<void>;
  /**
   * How much CPU a container gets from now on, over its restarts, too, until it is said anew. `none` lifts a quota. Its
   * health and Compose's view of it stay as they are (spacemesh.md §14.6). Resolves when the engine says that it holds;
   * rejects with `quota-refused` where it cannot.
   */
  setCpuQuota(container: string, quota: CpuQuota | 'none'): Promise<void>;

  /** Runs a command in a running container; its output is cut at `maxOutputBytes` (default 64 KiB). */
  exec(container: string, command: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /**
   * Runs a throw-away container to its end and removes it, however it ends. It carries no Compose labels
   * (engineering.md §4.2), has no network, no capabilities and a read-only root file system.
   */
  runHelper(helper: HelperContainer): Promise<HelperResult>;

  /** What happens to containers, until the signal is aborted. Survives restarts of the engine: see EngineEvent. */
  events(filter: ContainerFilter, signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** Lines of a container's log, oldest first. With `follow` it ends when the container stops or the signal is aborted. */
  logs(container: string, options: LogOptions): AsyncIterable<LogLine>;
}

export interface CpuQuota {
  /** Microseconds of CPU per period. */
  readonly quotaUs: number;
  readonly periodUs: number;
}

export interface EngineFacts {
  readonly id: string;
  /** Host name of the machine that the engine runs on. */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly operatingSystem: string;
  readonly architecture: string;
  readonly cgroupVersion: 1 | 2;
  readonly rootless: boolean;
  readonly desktop: boolean;
  /** `apparmor`, `seccomp`, `rootless`, `userns`, … */
  readonly securityOptions: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly runtimes: readonly string[];
  readonly dataRoot: string;
  /** `overlay2`, `zfs`, … */
  readonly storageDriver?: string;
  /** Containers go on while the engine itself is restarted. */
  readonly liveRestore?: boolean;
  /** False where the kernel has no CPU quotas (`No cpu cfs quota support`): nobody can be held. */
  readonly cpuQuotas: boolean;
}

export interface ContainerFilter {
  /** Compose project; without it: all containers of the engine. */
  readonly project?: string;
  readonly service?: string;
  /** `key` or `key=value`, all must hold. */
  readonly labels?: readonly string[];
}

export interface ImageFacts {
  readonly id: string;
  readonly tags: readonly string[];
  /** `name@sha256:…`: known to a registry, not merely tagged here. */
  readonly digests: readonly string[];
  readonly createdAt: number;
  readonly architecture: string;
  readonly sizeBytes: number;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly user?: string;
  readonly maxOutputBytes?: number;
}

export interface ExecResult {
  /** Absent when the time was up; the command may go on inside. */
  readonly exitCode?: number;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

export interface HelperContainer {
  readonly image: string;
  /** Program and arguments; with `keepEntrypoint` the arguments of the image's own program. It gets a /tmp, and so does one with `passthrough`. */
  readonly command: readonly string[];
  readonly keepEntrypoint?: boolean;
  /** `uid:gid` */
  readonly user?: string;
  readonly mounts: readonly HelperMount[];
  readonly timeoutMs: number;
  readonly maxOutputBytes?: number;
  /** Processes and threads inside; default 64. */
  readonly mostProcesses?: number;
  /** Aborted: the container is ended at once and removed, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What it says as it comes, in pieces of any length; both streams. */
  onOutput?(text: string, stream: 'stdout' | 'stderr'): void;
  /** Graphics cards, as an initialisation job gets them. */
  readonly passthrough?: Passthrough;
  /** Default: 256 MiB. */
  readonly memoryBytes?: number;
}

export interface HelperMount {
  readonly source: string;
  readonly target: string;
  readonly writable?: boolean;
}

export type HelperResult =
  | ({ readonly kind: 'ended'; readonly exitCode: number } & Omit<ExecResult, 'exitCode' | 'timedOut'>)
  | { readonly kind: 'timed-out'; readonly stdout: string; readonly stderr: string }
  /** A mount source is missing, the image is not here, the command is not in the image. In the engine's words. */
  | { readonly kind: 'not-started'; readonly reason: string };

export type EngineEvent =
  /** First of all, and again after every break: look at the containers anew, something may have been missed. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | {
      readonly kind: 'container';
      /** Milliseconds since 1970. */
      readonly at: number;
      /** `create`, `start`, `die`, `stop`, `kill`, `oom`, `pause`, `unpause`, `destroy`, `health_status`, … */
      readonly action: string;
      /** With `health_status`. */
      readonly health?: string;
      /** With `die`. */
      readonly exitCode?: number;
      readonly containerId: string;
      readonly name: string;
      readonly project?: string;
      readonly service?: string;
    };

export interface LogOptions {
  readonly follow?: boolean;
  /** Only so many of the newest lines. */
  readonly tail?: number;
  /** Milliseconds since 1970: only lines from then on. */
  readonly since?: number;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When the engine received it, milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}
