export interface RestoreRequest {
  /** Absolute. */
  readonly file: string;
  readonly passphraseFile?: string;
  readonly ageKey?: string;
  /** local.sql is put back although identities can have published since. */
  readonly withOldLocalSql: boolean;
  readonly dryRun: boolean;
}
