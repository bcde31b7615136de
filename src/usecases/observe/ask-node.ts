import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { NODE_PORTS } from '../../domain/node/config.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Ports } from '../../ports/index.ts';
import type { NodeEndpoint, NodeSnapshot } from '../../ports/node-api.ts';

/** As the container publishes its ports; smesh.yaml may have been edited since it was made. */
export function nodeEndpoint(project: Project, node: ObservedContainer | undefined): NodeEndpoint {
  const published = (inside: number, written: number) => {
    const port = node?.ports.find(({ containerPort }) => containerPort === inside)?.hostPort;
    return `127.0.0.1:${port ?? written}`;
  };
  const { publicApi, privateApi } = project.node.ports;
  return {
    publicApi: published(NODE_PORTS.publicApi, publicApi),
    privateApi: published(NODE_PORTS.privateApi, privateApi),
  };
}

/** All that the project's node can be asked at once. Never rejects: what could not be learnt says why. */
export async function askNode(
  ports: Pick<Ports, 'nodeApi'>,
  project: Project,
  node: ObservedContainer | undefined,
  timeoutMs: number,
): Promise<NodeSnapshot> {
  const nodeApi = await ports.nodeApi();
  return nodeApi.snapshot(nodeEndpoint(project, node), {
    timeoutMs,
    activationsOf: project.identities.map(({ id }) => id),
  });
}
