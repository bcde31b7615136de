import { hostname } from 'node:os';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import type { DockerPort } from '../../ports/docker.ts';
import type { PostApiPort, PostTarget } from '../../ports/post-api.ts';
import { askByHttp } from './http-status.ts';
import { askInside } from './inside-status.ts';

const DEFAULT_PORT = 50051;

/** PostApiPort: straight to the container's address where that is safe, else from inside the container. */
export function createPostApi(docker: DockerPort, ownHostname: string = hostname()): PostApiPort {
  let direct: Promise<boolean> | undefined;
  return {
    async status(target: PostTarget, timeoutMs: number): Promise<ServiceStatus> {
      const port = target.port ?? DEFAULT_PORT;
      direct ??= addressesAreOurs(docker, ownHostname);
      let reachable: boolean;
      try {
        reachable = await direct;
      } catch (error) {
        // The engine may be back for the next question.
        direct = undefined;
        return { kind: 'unreachable', reason: (error as Error).message };
      }
      if (reachable && target.ip !== undefined) {
        const status = await askByHttp(target.ip, port, timeoutMs);
        if (status.kind !== 'unreachable') return status;
      }
      return askInside(docker, target.containerId, port, timeoutMs);
    },
  };
}

/**
 * Whether container addresses mean on this machine what they mean to the engine. Where they do not (rootless, Docker
 * Desktop, another machine, the tool itself in a container) the same address may belong to somebody else's container,
 * whose `Idle` would be taken for ours.
 */
async function addressesAreOurs(docker: DockerPort, ownHostname: string): Promise<boolean> {
  if (!docker.endpoint.startsWith('unix://')) return false;
  const engine = await docker.engine();
  return !engine.rootless && !engine.desktop && engine.name === ownHostname;
}
