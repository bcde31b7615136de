import type { SmesherId } from '../identity/smesher-id.ts';

/** Owner of a folder on the host; containers run as it (spacemesh.md §14.1: root without capabilities reads nobody else's 0600 files). */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A generated file, path relative to the project directory. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
}

/** A template that `generatedFiles` wants rendered first (`templateRequests`). */
export interface TemplateRequest {
  /** Name for `TemplatesPort.render`: `runbook.md`. */
  readonly template: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Facts and texts from outside that generated files depend on. */
export interface GenerationInputs {
  /** Absolute project directory. */
  readonly directory: string;
  /** Stands in headers; a change of it alone makes no file out of date. */
  readonly toolVersion: string;
  /** Owner of the node's data folder (under sudo: of who called it). Not asked when `node.user` is set. */
  readonly nodeOwner?: Owner;
  /**
   * Owner of each identity's `postdata_metadata.json`. One may be left out when its `user` is set, or when
   * `previousUsers` knows it: its disk may be away.
   */
  readonly postOwners: ReadonlyMap<SmesherId, Owner>;
  /**
   * Smesher IDs of all keys that will be in the node's `identities/`: those of the project and others that lie there
   * already. A change of this set, too, must make Compose recreate the node. Default: those of the project.
   */
  readonly installedIds?: readonly SmesherId[];
  /** Owner of each initialisation job's directory, by job name. */
  readonly jobOwners?: ReadonlyMap<string, Owner>;
  /** `user` of each service in the present compose.yaml (`previousUsers(text)`). */
  readonly previousUsers?: ReadonlyMap<string, string>;
  /** Rendered templates, by template name: one for each of `templateRequests(project)`. */
  readonly rendered: ReadonlyMap<string, string>;
  /** Text of `compose/init/<gpu>.yaml`; only for projects with initialisation jobs. */
  readonly gpuFragment?: string;
  /** Whom the project folder belongs to; absent where that is root. The schedule's systemd unit runs as it. */
  readonly projectOwner?: Owner;
  /** Group that may use the engine's socket (orchestrator). */
  readonly engineGroup?: number;
  /** Numeric gids of the host's `video` and `render` groups (AMD, Intel). */
  readonly gpuGroups?: readonly number[];
}

/** What the Compose specification calls a healthcheck. */
export interface Healthcheck {
  readonly test: readonly string[];
  readonly interval: string;
  readonly timeout: string;
  readonly retries: number;
  readonly start_period: string;
  readonly start_interval: string;
}

export interface BindMount {
  readonly type: 'bind';
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind: { readonly create_host_path: false; readonly propagation?: 'rslave' };
}

/** A service as emitted; only the keys in use. Keys from GPU fragments are added to it. */
export interface ComposeService {
  readonly image: string;
  readonly [key: string]: unknown;
}

export interface ComposeDocument {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly 'x-smesh-compose'?: { readonly files: Readonly<Record<string, string>> };
}
