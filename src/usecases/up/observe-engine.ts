import { HELPER_ROLE, LABEL, readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { DesiredService, ServiceRole } from '../../domain/plan/decide-up.ts';
import type { ComposeConfig, ComposeProject } from '../../ports/compose.ts';
import type { EngineFacts, ImageFacts } from '../../ports/docker.ts';
import type { Context } from '../context.ts';

/** What Compose wants and what the engine has, seen at one moment. */
export interface EngineObservation {
  readonly engine: EngineFacts;
  /** Paths of this host are paths of the engine's host, and its processes share our /proc. */
  readonly engineIsHere: boolean;
  readonly composeVersion: string;
  readonly composeProject: ComposeProject;
  readonly config: ComposeConfig;
  readonly desired: readonly DesiredService[];
  /** Of this project; one-off containers left out. */
  readonly own: readonly ObservedContainer[];
  /** Everything else on the engine, and one-off containers of this project; no helper of this tool's. */
  readonly foreign: readonly ObservedContainer[];
  /** Services that this tool once made for provers and that compose.yaml no longer has. */
  readonly removed: readonly string[];
}

/**
 * Looks at engine and Compose at once. Rejects with one clear error when either cannot be used, or when the two talk to
 * different engines (S20).
 */
export async function observeEngine(
  context: Context,
  composeProject: ComposeProject,
): Promise<EngineObservation> {
  const [docker, compose] = await Promise.all([context.ports.docker(), context.ports.compose()]);
  const asked = await Promise.allSettled([
    docker.engine(),
    compose.version(),
    compose.engineId(),
    docker.containers(),
    compose.config(composeProject),
    compose.hashes(composeProject),
  ]);
  // In this order: an engine that is down also makes everything after it fail.
  for (const answer of asked) if (answer.status === 'rejected') throw answer.reason;
  const [engine, version, engineId, containers, config, hashes] = asked.map((answer) =>
    answer.status === 'fulfilled' ? answer.value : undefined,
  ) as [
    EngineFacts,
    { text: string },
    string,
    readonly ObservedContainer[],
    ComposeConfig,
    ReadonlyMap<string, string>,
  ];
  if (engine.id !== engineId) throw differentEngines(docker.endpoint, engine.id, engineId);
  const images = await inspectImages(context, config);
  const desired = readDesired(config, hashes, images);
  const own = containers.filter((one) => one.project === composeProject.name && !one.oneOff);
  return {
    engine,
    engineIsHere: docker.endpoint.startsWith('unix:') && !engine.desktop,
    composeVersion: version.text,
    composeProject,
    config,
    desired,
    own,
    foreign: containers.filter((one) => !own.includes(one) && one.labels[LABEL.role] !== HELPER_ROLE),
    removed: findRemoved(own, desired),
  };
}

function differentEngines(endpoint: string, ours: string, theirs: string): SmeshError {
  return new SmeshError(
    'different-engines',
    ExitCode.environment,
    `docker compose talks to another engine than ${endpoint}: containers would be made on one and looked for on the other. Nothing was changed.`,
    {
      details: [`engine at ${endpoint}: ${ours}`, `engine of docker compose: ${theirs}`],
      hint: 'Name one engine for both: export DOCKER_HOST=unix:///var/run/docker.sock',
    },
  );
}

async function inspectImages(
  context: Context,
  config: ComposeConfig,
): Promise<ReadonlyMap<string, ImageFacts | undefined>> {
  const docker = await context.ports.docker();
  const names = [...new Set(Object.values(config.services).flatMap((service) => service.image ?? []))];
  return new Map(await Promise.all(names.map(async (name) => [name, await docker.image(name)] as const)));
}

function readDesired(
  config: ComposeConfig,
  hashes: ReadonlyMap<string, string>,
  images: ReadonlyMap<string, ImageFacts | undefined>,
): readonly DesiredService[] {
  return Object.entries(config.services).flatMap(([name, service]) => {
    const configHash = hashes.get(name);
    // Services of profiles that are not active have no hash: `docker compose up` would not touch them either.
    if (configHash === undefined) return [];
    const labels = readLabelMap(service['labels']);
    const image = service.image ?? '';
    const imageId = images.get(image)?.id;
    return [
      {
        name,
        role: roleOf(labels),
        configHash,
        image,
        ...(imageId === undefined ? {} : { imageId }),
        labels,
        // Compose has links, volumes_from and shared namespaces in here as well.
        dependsOn: Object.keys(service['depends_on'] ?? {}),
      },
    ];
  });
}

function roleOf(labels: Readonly<Record<string, string>>): ServiceRole {
  const role = readLabels(labels)?.role;
  return role === 'node' || role === 'prover' ? role : 'other';
}

function readLabelMap(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

function findRemoved(
  own: readonly ObservedContainer[],
  desired: readonly DesiredService[],
): readonly string[] {
  const known = new Set(desired.map((service) => service.name));
  const names = own.flatMap(({ service, labels }) =>
    service !== undefined && !known.has(service) && labels[LABEL.role] === 'prover' ? [service] : [],
  );
  return [...new Set(names)].sort();
}

/** A service as `docker compose config --format json` has it: only what the checks look at. */
export interface PublishedPort {
  readonly service: string;
  readonly target: number;
  readonly published: number;
  readonly protocol: string;
  /** `0.0.0.0` when none is named. */
  readonly address: string;
}

/** Ports that Compose would publish. A range, which we never write, is left to Compose. */
export function publishedPorts(config: ComposeConfig): readonly PublishedPort[] {
  return Object.entries(config.services).flatMap(([service, definition]) => {
    const ports: readonly unknown[] = Array.isArray(definition['ports']) ? definition['ports'] : [];
    return ports.flatMap((port) => {
      const { target, published, protocol, host_ip: address } = port as Record<string, unknown>;
      if (!/^\d+$/.test(String(published ?? ''))) return [];
      return [
        {
          service,
          target: Number(target),
          published: Number(published),
          protocol: String(protocol ?? 'tcp'),
          address: typeof address === 'string' && address !== '' ? address : '0.0.0.0',
        },
      ];
    });
  });
}
