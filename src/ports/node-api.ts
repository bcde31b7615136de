// Replaced by the owner of the Docker adapter.
export interface NodeApiPort {
  readonly endpoint: string;
}
