/**
 * `docker compose`, which defines: it creates and removes what belongs to a project (design §6). Every method rejects
 * with SmeshError: `docker-cli-missing`, `compose-missing`, `compose-v1`, `compose-too-old` (all exit 4),
 * `compose-failed` with Compose's own message, `cancelled` when the signal was aborted.
 */
export interface ComposePort {
  /** The same engine as DockerPort's. */
  readonly endpoint: string;

  /** Rejects when Compose is missing, v1 or older than 2.24 (`start_interval`). Asked once, then remembered. */
  version(): Promise<ComposeVersion>;
  /** ID of the engine that Compose talks to; to be compared with `EngineFacts.id`. */
  engineId(): Promise<string>;

  /** The project as Compose reads it, with all defaults and overrides. */
  config(project: ComposeProject): Promise<ComposeConfig>;
  /** Service name → config hash, which decides whether a container is recreated (engineering.md §4.3). */
  hashes(project: ComposeProject): Promise<ReadonlyMap<string, string>>;

  /** Creates containers, recreates those whose definition changed; starts none. */
  create(project: ComposeProject, options: CreateOptions): Promise<void>;
  /** Stops and removes the containers of these services; networks, volumes and other services stay. */
  remove(project: ComposeProject, services: readonly string[], options?: ComposeRun): Promise<void>;
  /** Stops and removes all containers and networks of the project; volumes and bind-mounted data stay. */
  down(project: ComposeProject, options?: ComposeRun): Promise<void>;
  pull(project: ComposeProject, services: readonly string[], options?: ComposeRun): Promise<void>;
}

export interface ComposeProject {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** Default: `compose.yaml` in the directory, and the override that Compose would find by itself. */
  readonly files?: readonly string[];
  readonly profiles?: readonly string[];
}

/** The override that Compose itself would take: the first of these beside compose.yaml. */
export const COMPOSE_OVERRIDES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
] as const;

export interface ComposeVersion {
  /** As Compose prints it: `2.26.1-4`. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export interface ComposeRun {
  readonly signal?: AbortSignal;
  onProgress?(progress: ComposeProgress): void;
}

export interface CreateOptions extends ComposeRun {
  /** Empty: all. */
  readonly services: readonly string[];
  /** `always` also recreates what has not changed, `never` keeps what has. Default: what changed. */
  readonly recreate?: 'changed' | 'always' | 'never';
}

export interface ComposeProgress {
  readonly kind: 'container' | 'network' | 'volume' | 'image' | 'other';
  readonly name: string;
  /** Compose's word: `Creating`, `Created`, `Recreate`, `Pulling`, … */
  readonly status: string;
}

/** The parts of `docker compose config --format json` that are relied on; the rest is kept as it came. */
export interface ComposeConfig {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeServiceConfig>>;
}

export interface ComposeServiceConfig {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly [key: string]: unknown;
}
