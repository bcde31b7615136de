import type { AgePort } from './age.ts';
import type { ArchivePort } from './archive.ts';
import type { ClockSourcesPort } from './clock-sources.ts';
import type { ComposePort } from './compose.ts';
import type { CryptoPort } from './crypto.ts';
import type { DatabaseEditorPort } from './database-editor.ts';
import type { DatabaseShapePort } from './database-shape.ts';
import type { DatabaseVersionPort } from './database-version.ts';
import type { DiskSpeedPort } from './disk-speed.ts';
import type { DockerPort } from './docker.ts';
import type { FilesPort } from './files.ts';
import type { GpuPort } from './gpu.ts';
import type { HostPort } from './host.ts';
import type { LocalDatabasePort } from './local-database.ts';
import type { NodeApiPort } from './node-api.ts';
import type { PoetApiPort } from './poet-api.ts';
import type { PostApiPort } from './post-api.ts';
import type { PromptPort } from './prompt.ts';
import type { RegistryPort } from './registry.ts';
import type { ScannerPort } from './scanner.ts';
import type { SystemPort } from './system.ts';
import type { TemplatesPort } from './templates.ts';

/**
 * All that reaches outside. Ports with heavy libraries behind them are functions, so that a command loads only what it
 * uses (`--version` and `scan` never load dockerode or gRPC).
 */
export interface Ports {
  readonly files: FilesPort;
  readonly crypto: CryptoPort;
  readonly prompt: PromptPort;
  readonly system: SystemPort;
  scanner(): Promise<ScannerPort>;
  templates(): Promise<TemplatesPort>;
  docker(): Promise<DockerPort>;
  compose(): Promise<ComposePort>;
  nodeApi(): Promise<NodeApiPort>;
  postApi(): Promise<PostApiPort>;
  localDatabase(): Promise<LocalDatabasePort>;
  databaseVersion(): Promise<DatabaseVersionPort>;
  databaseEditor(): Promise<DatabaseEditorPort>;
  /** What backups are encrypted with. */
  age(): Promise<AgePort>;
  registry(): Promise<RegistryPort>;
  /** What `doctor` asks and packs. */
  host(): Promise<HostPort>;
  poetApi(): Promise<PoetApiPort>;
  clockSources(): Promise<ClockSourcesPort>;
  databaseShape(): Promise<DatabaseShapePort>;
  archive(): Promise<ArchivePort>;
  /** What `bench disk` reads with. */
  diskSpeed(): Promise<DiskSpeedPort>;
  /** The host's graphics cards. */
  gpu(): Promise<GpuPort>;
}
