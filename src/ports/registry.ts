/** What an image registry answered. */
export type RegistryAnswer =
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  /** The registry says that it has no such repository, or none that everybody may see. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** Nobody can say: no network, no answer in time, an answer that makes no sense. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Image registries, asked without an account (OCI distribution API v2). Downloads are the engine's business. */
export interface RegistryPort {
  /**
   * All tags of a repository. Never rejects but for the signal.
   *
   * @param registry as in an image's name: `docker.io`, `127.0.0.1:5000`
   */
  tags(
    registry: string,
    repository: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<RegistryAnswer>;
}
