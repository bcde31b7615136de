import * as z from 'zod';
import { CONTAINER_STATES, type ObservedContainer } from '../../domain/compose/observed.ts';

const texts = z.array(z.string()).nullish();

/** Of a container that runs in some way. */
const ALIVE: readonly string[] = ['running', 'paused', 'restarting'];

/**
 * The word counts, but one that its flags contradict is no word: a container that is taken for down is not asked what
 * it would lose.
 */
const stateSchema = z
  .object({
    Status: z.enum(CONTAINER_STATES),
    Running: z.boolean().nullish(),
    Paused: z.boolean().nullish(),
    OOMKilled: z.boolean().nullish(),
    Pid: z.number().nullish(),
    ExitCode: z.number(),
    Error: z.string().nullish(),
    StartedAt: z.string().nullish(),
    FinishedAt: z.string().nullish(),
    Health: z
      .object({
        Status: z.string(),
        Log: z.array(z.object({ ExitCode: z.number(), Output: z.string().nullish() })).nullish(),
      })
      .nullish(),
  })
  .refine(({ Status, Running }) => Running !== true || ALIVE.includes(Status), 'is not running, and runs')
  .refine(({ Status, Paused }) => Paused !== true || Status === 'paused', 'is not paused, and is paused');

/** The parts of an `inspect` answer that are relied on. Fields move between engine versions: most may be missing. */
const inspectSchema = z.object({
  // Not `min(1)`, which throws at an object whose `length` is no number.
  Id: z.string().refine((id) => id !== '', 'is empty'),
  Name: z.string(),
  Created: z.string(),
  Image: z.string(),
  RestartCount: z.number().nullish(),
  State: stateSchema,
  Config: z.object({
    Image: z.string(),
    User: z.string().nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Entrypoint: texts,
    Cmd: texts,
  }),
  HostConfig: z.object({
    ReadonlyRootfs: z.boolean().nullish(),
    Privileged: z.boolean().nullish(),
    CapAdd: texts,
    CapDrop: texts,
    SecurityOpt: texts,
    GroupAdd: texts,
    Init: z.boolean().nullish(),
    Memory: z.number().nullish(),
    CpuQuota: z.number().nullish(),
    CpuPeriod: z.number().nullish(),
    NanoCpus: z.number().nullish(),
    CpusetCpus: z.string().nullish(),
    OomScoreAdj: z.number().nullish(),
    RestartPolicy: z.object({ Name: z.string() }).nullish(),
    NetworkMode: z.string().nullish(),
    LogConfig: z.object({ Type: z.string() }).nullish(),
    Devices: z.array(z.object({ PathOnHost: z.string() })).nullish(),
    DeviceRequests: z
      .array(
        z.object({
          Driver: z.string().nullish(),
          Count: z.number().nullish(),
          DeviceIDs: texts,
          Capabilities: z.array(z.array(z.string())).nullish(),
        }),
      )
      .nullish(),
  }),
  Mounts: z
    .array(
      z.object({
        Type: z.string(),
        Name: z.string().nullish(),
        Source: z.string().nullish(),
        Destination: z.string(),
        RW: z.boolean().nullish(),
      }),
    )
    .nullish(),
  NetworkSettings: z
    .object({
      Ports: z
        .record(
          z.string(),
          z.array(z.object({ HostIp: z.string().nullish(), HostPort: z.string() })).nullish(),
        )
        .nullish(),
      Networks: z
        .record(z.string(), z.object({ NetworkID: z.string().nullish(), IPAddress: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
});

type Inspected = z.infer<typeof inspectSchema>;

/** Labels that Compose puts on what it makes (engineering.md §4.2). */
const COMPOSE = 'com.docker.compose';

/** Reads an answer of `GET /containers/{id}/json`; throws ZodError when it is not one. */
export function parseInspect(answer: unknown): ObservedContainer {
  const found = inspectSchema.parse(answer);
  const { State: state, Config: config } = found;
  const labels = config.Labels ?? {};
  const startedAt = timeOf(state.StartedAt);
  const finishedAt = timeOf(state.FinishedAt);
  const ended = (state.Status === 'exited' || state.Status === 'dead') && finishedAt !== undefined;
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    ...defined('project', labels[`${COMPOSE}.project`]),
    ...defined('service', labels[`${COMPOSE}.service`]),
    ...defined('configHash', labels[`${COMPOSE}.config-hash`]),
    oneOff: labels[`${COMPOSE}.oneoff`] === 'True',
    labels,
    image: config.Image,
    imageId: found.Image,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    user: config.User ?? '',
    state: state.Status,
    health: healthOf(state.Health?.Status),
    healthLog: (state.Health?.Log ?? []).map((probe) => ({
      exitCode: probe.ExitCode,
      output: probe.Output ?? '',
    })),
    ...(ended || state.Status === 'restarting' ? { exitCode: state.ExitCode } : {}),
    ...defined('startError', state.Error || undefined),
    oomKilled: state.OOMKilled ?? false,
    restartCount: found.RestartCount ?? 0,
    createdAt: timeOf(found.Created) ?? 0,
    ...defined('startedAt', startedAt),
    ...defined('finishedAt', finishedAt),
    ...defined('pid', state.Pid || undefined),
    mounts: (found.Mounts ?? []).map(mountOf),
    ports: portsOf(found),
    addresses: Object.entries(found.NetworkSettings?.Networks ?? {}).map(([network, settings]) => ({
      network,
      networkId: settings.NetworkID ?? '',
      ...defined('ip', settings.IPAddress || undefined),
    })),
    host: hostOf(found),
  };
}

const environmentSchema = z.object({ Config: z.object({ Env: texts }) });

/** `NAME=value` of an answer of `GET /containers/{id}/json`; throws ZodError when it is not one. */
export function parseEnvironment(answer: unknown): Readonly<Record<string, string>> {
  const { Env: entries } = environmentSchema.parse(answer).Config;
  return Object.fromEntries(
    (entries ?? []).flatMap((entry) => {
      const at = entry.indexOf('=');
      return at < 1 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]];
    }),
  );
}

function hostOf({ HostConfig: host }: Inspected): ObservedContainer['host'] {
  return {
    readOnlyRootFs: host.ReadonlyRootfs ?? false,
    privileged: host.Privileged ?? false,
    capAdd: host.CapAdd ?? [],
    capDrop: host.CapDrop ?? [],
    securityOptions: host.SecurityOpt ?? [],
    groups: host.GroupAdd ?? [],
    init: host.Init ?? false,
    memoryBytes: host.Memory ?? 0,
    cpuQuota: host.CpuQuota ?? 0,
    cpuPeriod: host.CpuPeriod ?? 0,
    nanoCpus: host.NanoCpus ?? 0,
    cpusetCpus: host.CpusetCpus ?? '',
    oomScoreAdj: host.OomScoreAdj ?? 0,
    restartPolicy: host.RestartPolicy?.Name || 'no',
    networkMode: host.NetworkMode ?? '',
    logDriver: host.LogConfig?.Type ?? '',
    devices: (host.Devices ?? []).map((device) => device.PathOnHost),
    deviceRequests: (host.DeviceRequests ?? []).map((request) => ({
      driver: request.Driver ?? '',
      count: request.Count ?? 0,
      deviceIds: request.DeviceIDs ?? [],
      capabilities: request.Capabilities ?? [],
    })),
  };
}

function mountOf(mount: NonNullable<Inspected['Mounts']>[number]): ObservedContainer['mounts'][number] {
  const kinds = ['bind', 'volume', 'tmpfs'] as const;
  const kind = kinds.find((known) => known === mount.Type) ?? 'other';
  return {
    kind,
    // A volume lies somewhere, too; without that place (other drivers) its name is all there is.
    source: mount.Source || (mount.Name ?? ''),
    target: mount.Destination,
    writable: mount.RW ?? true,
  };
}

function portsOf(found: Inspected): ObservedContainer['ports'] {
  return Object.entries(found.NetworkSettings?.Ports ?? {}).flatMap(([key, bindings]) => {
    const [, port, name] = /^(\d+)\/(tcp|udp|sctp)$/.exec(key) ?? [];
    const protocol = (['tcp', 'udp', 'sctp'] as const).find((known) => known === name);
    if (port === undefined || protocol === undefined) return [];
    return (bindings ?? [])
      .filter(({ HostPort }) => /^\d+$/.test(HostPort) && Number(HostPort) > 0 && Number(HostPort) < 65_536)
      .map(({ HostIp, HostPort }) => ({
        containerPort: Number(port),
        protocol,
        hostAddress: HostIp ?? '',
        hostPort: Number(HostPort),
      }));
  });
}

function healthOf(status: string | undefined): ObservedContainer['health'] {
  return (['starting', 'healthy', 'unhealthy'] as const).find((known) => known === status) ?? 'none';
}

/** The engine writes the year 1 for "never". */
function timeOf(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return time > 0 ? time : undefined;
}

function defined<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
