import { NODE_PORTS } from '../../domain/node/config.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Context } from '../context.ts';
import { type EngineObservation, type PublishedPort, publishedPorts } from './observe-engine.ts';

/** Ports of the host that the project needs: free, or held by its own containers (S19). */
export async function checkPorts(
  context: Context,
  observation: EngineObservation,
): Promise<readonly Finding[]> {
  const ports = publishedPorts(observation.config);
  const taken = await Promise.all(ports.map((port) => checkPort(context, observation, port)));
  return [...checkExposure(observation, ports), ...taken.flat()];
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}

/** 9093 stops smeshing for whoever asks, on 9094 anybody can pose as a post-service (spacemesh.md §9.1). */
function checkExposure(observation: EngineObservation, ports: readonly PublishedPort[]): readonly Finding[] {
  const nodes = new Set(observation.desired.filter(({ role }) => role === 'node').map(({ name }) => name));
  return ports
    .filter(({ service, target, address }) => {
      const unguarded = target === NODE_PORTS.privateApi || target === NODE_PORTS.post;
      return nodes.has(service) && unguarded && !isLoopback(address);
    })
    .map(({ address, published, target }) => ({
      code: 'private-port-exposed',
      severity: 'error',
      kind: 'refused',
      message: `The node's port ${target} asks nobody who they are, and would be published on ${address}:${published}`,
      next: `Publish it on 127.0.0.1 only, in compose.override.yaml: "127.0.0.1:${published}:${target}"`,
    }));
}

async function checkPort(
  context: Context,
  observation: EngineObservation,
  port: PublishedPort,
): Promise<readonly Finding[]> {
  const holds = (container: { readonly ports: EngineObservation['own'][number]['ports'] }) =>
    container.ports.some(
      (held) =>
        held.hostPort === port.published &&
        held.protocol === port.protocol &&
        (held.hostAddress === port.address || isAny(held.hostAddress) || isAny(port.address)),
    );
  const isUp = (container: { readonly state: string }) =>
    container.state === 'running' || container.state === 'paused';
  if (observation.own.some((container) => isUp(container) && holds(container))) return [];
  const other = observation.foreign.find((container) => isUp(container) && holds(container));
  if (other !== undefined) return [portTaken(port, `container ${other.name}`)];
  // Only TCP listeners can be told apart, and only those of this host.
  if (!observation.engineIsHere || port.protocol !== 'tcp') return [];
  const owner = await context.ports.system.portOwner(port.published, port.address);
  return owner === undefined ? [] : [portTaken(port, owner.description)];
}

function isAny(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::';
}

const PORT_KEYS: ReadonlyMap<number, string> = new Map([
  [NODE_PORTS.publicApi, 'node.ports.publicApi'],
  [NODE_PORTS.privateApi, 'node.ports.privateApi'],
]);

function portTaken(port: PublishedPort, owner: string): Finding {
  const key = PORT_KEYS.get(port.target) ?? 'node.ports.p2p';
  return {
    code: 'port-taken',
    severity: 'error',
    kind: 'environment',
    message: `Port ${port.published} on ${port.address}, which ${port.service} needs, is taken by ${owner}`,
    next: `End that, or choose another port: ${key} in smesh.yaml`,
  };
}
