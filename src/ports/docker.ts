// Replaced by the owner of the Docker adapter.
export interface DockerPort {
  readonly endpoint: string;
}
