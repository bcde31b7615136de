import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { type DoctorFinding, finding } from '../../domain/doctor/finding.ts';
import { NODE_PORTS } from '../../domain/node/config.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { checkPorts as checkWantedPorts } from '../up/check-ports.ts';
import type { EngineObservation } from '../up/observe-engine.ts';
import type { SharedLooks } from './look.ts';

/** Ports that the project needs, and those that its containers have opened to others. */
export async function checkPorts(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const { project } = looks.project;
  const observation = await looks.observation();
  const containers = (await looks.containers()) ?? [];
  const own = containers.filter((one) => one.project === project.name && !one.oneOff);
  const wanted =
    observation === undefined
      ? await checkWithoutCompose(context, project, own)
      : (await checkWantedPorts(context, observation)).map((found) => translate(found, observation));
  const found = [...wanted, ...judgeOpen(own)];
  if (found.length > 0) return found;
  const { p2p, publicApi, privateApi } = project.node.ports;
  return [
    finding('ports-ok', {
      message: 'The ports of the project are free or its own',
      evidence: `${p2p} for peers, ${publicApi} and ${privateApi} on 127.0.0.1`,
      measured: { p2p, publicApi, privateApi },
    }),
  ];
}

function translate({ code, message, evidence, next }: Finding, { engineIsHere }: EngineObservation) {
  const port = Number(/\b(\d{2,5})\b/.exec(message)?.[1]);
  return finding(code === 'private-port-exposed' ? 'port-private-exposed' : 'port-taken', {
    subject: `port ${port}`,
    message,
    evidence:
      evidence ??
      (engineIsHere
        ? 'from /proc/net/tcp and the containers of the engine'
        : 'from the containers of the engine'),
    measured: { port },
    remedy: next,
  });
}

/** smesh.yaml alone: compose.yaml is not there yet, or Compose cannot be asked. */
async function checkWithoutCompose(
  context: Context,
  project: Project,
  own: readonly ObservedContainer[],
): Promise<readonly DoctorFinding[]> {
  const { p2p, publicApi, privateApi } = project.node.ports;
  const wanted = [
    { port: p2p, address: '0.0.0.0', key: 'p2p' },
    { port: publicApi, address: '127.0.0.1', key: 'publicApi' },
    { port: privateApi, address: '127.0.0.1', key: 'privateApi' },
  ];
  const found = await Promise.all(
    wanted.map(async ({ port, address, key }): Promise<readonly DoctorFinding[]> => {
      if (own.some(({ ports }) => ports.some(({ hostPort }) => hostPort === port))) return [];
      const owner = await context.ports.system.portOwner(port, address);
      // It holds ports for containers, perhaps for ours: the engine could not be asked.
      if (owner === undefined || /docker-proxy|rootlesskit/.test(owner.description)) return [];
      return [
        finding('port-taken', {
          subject: `port ${port}`,
          message: `Port ${port} on ${address}, which the node needs, is taken by ${owner.description}`,
          evidence: 'from /proc/net/tcp',
          measured: { port },
          remedy: `End that, or choose another port: node.ports.${key} in smesh.yaml`,
        }),
      ];
    }),
  );
  return found.flat();
}

/** What is open now, whatever the files say since (spacemesh.md §9.1 hazards 6 and 7). */
function judgeOpen(own: readonly ObservedContainer[]): readonly DoctorFinding[] {
  const node = own.find(({ service }) => service === 'node');
  const open = (node?.ports ?? []).filter(
    ({ containerPort, hostAddress }) =>
      (containerPort === NODE_PORTS.privateApi || containerPort === NODE_PORTS.post) &&
      !/^127\.|^::1$/.test(hostAddress),
  );
  // One for IPv4 and one for IPv6 are the same door.
  const ports = new Map(open.map((port) => [port.hostPort, port]));
  return [...ports.values()].map(({ containerPort, hostAddress, hostPort }) =>
    finding('port-private-exposed', {
      subject: `port ${hostPort}`,
      message: `The running node's port ${containerPort} asks nobody who they are, and is open to others: whoever reaches it can stop the smeshing or pose as a post-service`,
      evidence: `published on ${hostAddress || '0.0.0.0'}:${hostPort}`,
      measured: { port: hostPort, containerPort },
      remedy: 'Take it out of compose.override.yaml, or publish it on 127.0.0.1 only; then: smesh-compose up',
    }),
  );
}
