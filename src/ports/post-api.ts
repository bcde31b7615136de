// Replaced by the owner of the Docker adapter.
export interface PostApiPort {
  readonly endpoint: string;
}
