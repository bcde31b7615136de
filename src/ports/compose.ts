// Replaced by the owner of the Docker adapter.
export interface ComposePort {
  readonly endpoint: string;
}
