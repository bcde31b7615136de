import type { ObservedContainer } from '../compose/observed.ts';
import type { FoundContainer, FoundProgram, Rest } from './found.ts';
import { isNodeCommand, isProverCommand } from './role.ts';
import { unrollShell } from './words.ts';

export function containerFacts(container: ObservedContainer): FoundContainer {
  return {
    id: container.id,
    name: container.name,
    ...(container.project === undefined ? {} : { project: container.project }),
    ...(container.service === undefined ? {} : { service: container.service }),
    runs: ['running', 'restarting', 'paused'].includes(container.state),
  };
}

export const isWantedCommand = (words: readonly string[]) => isProverCommand(words) || isNodeCommand(words);

/** A container as it runs: made by `docker run`, by Compose or by a panel. */
export function programOfContainer(
  container: ObservedContainer,
  environment: Readonly<Record<string, string>>,
  imageDigest?: string,
): FoundProgram {
  const name = container.service ?? container.name;
  const addresses = container.addresses.flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  return {
    name,
    where: `container ${container.name}`,
    container: containerFacts(container),
    words: unrollShell(container.command, environment, isWantedCommand),
    image: container.image,
    ...(imageDigest === undefined ? {} : { imageDigest }),
    environment: withoutImages(environment),
    ...(container.user === '' ? {} : { user: container.user }),
    ...(container.host.memoryBytes > 0 ? { memoryBytes: container.host.memoryBytes } : {}),
    mounts: container.mounts,
    ports: container.ports,
    hostNetwork: container.host.networkMode === 'host',
    names: [...new Set([name, container.name, ...addresses])],
    rest: restOf(container),
  };
}

/** What every image sets, and nobody chose. */
function withoutImages(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !['PATH', 'HOME', 'HOSTNAME'].includes(name)),
  );
}

/** What the engine says of its confinement that is not the engine's default. */
function restOf({ host }: ObservedContainer): readonly Rest[] {
  const found: readonly (readonly [string, unknown, boolean])[] = [
    ['restart', host.restartPolicy, host.restartPolicy !== 'unless-stopped'],
    ['network_mode', host.networkMode, /^(host|none|container:)/.test(host.networkMode)],
    ['privileged', true, host.privileged],
    ['cap_add', host.capAdd, host.capAdd.length > 0],
    ['devices', host.devices, host.devices.length > 0],
    ['gpus', host.deviceRequests, host.deviceRequests.length > 0],
    ['cpus', host.nanoCpus / 1e9, host.nanoCpus > 0],
    ['cpuset', host.cpusetCpus, host.cpusetCpus !== ''],
  ];
  return found.filter(([, , differs]) => differs).map(([key, value]) => ({ key, value }));
}
