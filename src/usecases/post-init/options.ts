import type { GpuVendor } from '../../domain/project/types.ts';
import type { InitOptions } from '../init/options.ts';

/** What `post init` can be told by flags; what is missing is asked, or has a default. Paths are absolute. */
export interface PostInitOptions {
  /** Directories or disks; with `resume` also those of jobs. */
  readonly places: readonly string[];
  readonly units?: number;
  /** Bytes per identity, instead of units. */
  readonly sizeBytes?: number;
  readonly count?: number;
  readonly gpu?: GpuVendor;
  readonly providers: readonly number[];
  readonly devices: readonly string[];
  readonly split: boolean;
  /** Consent to the processor, which takes months where a card takes hours. */
  readonly cpu: boolean;
  readonly maxFileSize?: number;
  /** `golden`, `latest` or 64 hex digits. */
  readonly commitment?: string;
  /** `uid:gid` */
  readonly user?: string;
  readonly resume: boolean;
  readonly detach: boolean;
  readonly noStart: boolean;
  readonly dryRun: boolean;
  /** Generated files that a person changed are overwritten, after a backup. */
  readonly force: boolean;
  readonly passphraseFile?: string;
  /** `age1…`: who can open the backup of the keys. */
  readonly recipients: readonly string[];
  /** Where to look for the keys of data that is resumed, besides the usual places. */
  readonly keys: readonly string[];
  /** Settings of a project that is made on the way. */
  readonly settings: InitOptions;
}
