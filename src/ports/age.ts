import type { Passphrase } from '../domain/backup/passphrase.ts';

/** Who shall be able to open what is encrypted. */
export type AgeLock =
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] }
  | { readonly kind: 'passphrase'; readonly passphrase: Passphrase };

/** What is tried to open it. */
export type AgeKey =
  | { readonly kind: 'passphrase'; readonly passphrase: Passphrase }
  /** The content of a file that `age-keygen` made; lines beginning with # are comments. */
  | { readonly kind: 'key-file'; readonly content: Passphrase };

/** Why something encrypted does not open. Its message is a clause and quotes nothing of it. */
export class AgeFault extends Error {
  readonly reason: 'wrong-key' | 'bad-key' | 'damaged';

  constructor(reason: AgeFault['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Encryption in the age format (age-encryption.org/v1), piece by piece: neither side has the whole in memory, and nothing
 * is written anywhere. What comes out of `decrypt` is genuine as far as it goes; only its regular end says that nothing
 * is missing. Both pass on the errors of their source; `decrypt` rejects with AgeFault.
 */
export interface AgePort {
  encrypt(source: AsyncIterable<Uint8Array>, lock: AgeLock): AsyncIterable<Uint8Array>;
  decrypt(source: AsyncIterable<Uint8Array>, key: AgeKey): AsyncIterable<Uint8Array>;
}
