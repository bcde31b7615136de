import type { ServiceStatus } from '../domain/proving/service-status.ts';

/** Where a post-service is to be asked. */
export interface PostTarget {
  readonly containerId: string;
  /** The container's address from inspect; absent while it has none. */
  readonly ip?: string;
  /** Default 50051. */
  readonly port?: number;
}

/** The operator API of post-services (spacemesh.md §3.2). */
export interface PostApiPort {
  /**
   * Asks one service. Never rejects for what the service does or does not do: that is in the answer. Where the host
   * cannot safely reach container addresses (rootless, Docker Desktop, engine on another machine) it asks from inside
   * the container.
   */
  status(target: PostTarget, timeoutMs: number): Promise<ServiceStatus>;
}
