import type { ObservedMount, ObservedPort } from '../compose/observed.ts';
import { memoryBytes } from '../project/memory-amount.ts';
import { absolutePath } from '../project/paths.ts';
import type { FoundContainer, FoundProgram, Rest } from './found.ts';
import { isWantedCommand } from './from-container.ts';
import { builtHere } from './image.ts';
import { shellCommands, unrollShell } from './words.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface ComposeServiceFacts {
  readonly name: string;
  /** Name of the Compose project. */
  readonly project: string;
  /** A service of `docker compose config --format json`, or of the file itself: both spellings are read. */
  readonly definition: Fields;
  readonly file: string;
  /** Relative paths count from here. */
  readonly directory: string;
  /** Its container, where the engine has one, and what can be seen in it only. */
  readonly container?: FoundContainer & {
    readonly words: readonly string[];
    readonly mounts: readonly ObservedMount[];
    readonly addresses: readonly string[];
    readonly image: string;
  };
  readonly imageDigest?: string;
}

/** What becomes fields of FoundProgram; everything else goes into `rest`. */
const READ = new Set([
  ...['image', 'command', 'entrypoint', 'environment', 'user', 'mem_limit', 'volumes', 'ports'],
  ...['container_name', 'hostname'],
]);

/** A service of a hand-written Compose file. Compose's own `$$` is one dollar again. */
export function programOfService(facts: ComposeServiceFacts): FoundProgram {
  const { name, directory, container } = facts;
  const definition = undollared(facts.definition) as Fields;
  const environment = environmentOf(definition['environment']);
  const given = [...wordsOf(definition['entrypoint']), ...wordsOf(definition['command'])];
  // Where the file names no program the image does, and its container says which.
  const words = given.length > 0 && definition['entrypoint'] != null ? given : (container?.words ?? given);
  const memory = memoryOf(definition);
  const user = definition['user'];
  // Without one it would be taken for a process of the host.
  const image = definition['image'] ?? container?.image ?? builtHere(name);
  return {
    name,
    where: `service ${name} of ${facts.file}`,
    project: facts.project,
    ...(container === undefined ? {} : { container: onlyFacts(container) }),
    words: unrollShell(words.length > 0 ? words : given, environment, isWantedCommand),
    ...(typeof image === 'string' ? { image } : {}),
    ...(facts.imageDigest === undefined ? {} : { imageDigest: facts.imageDigest }),
    environment,
    ...(user === undefined || user === null || user === '' ? {} : { user: String(user) }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    mounts: mountsOf(definition['volumes'], directory, container?.mounts ?? []),
    ports: portsOf(definition['ports']),
    hostNetwork: definition['network_mode'] === 'host',
    names: [
      ...new Set([
        name,
        ...[definition['container_name'], definition['hostname']].filter((one) => typeof one === 'string'),
        ...(container === undefined ? [] : [container.name, ...container.addresses]),
      ]),
    ],
    rest: restOf(definition),
  };
}

function onlyFacts({ id, name, project, service, runs }: FoundContainer): FoundContainer {
  return {
    id,
    name,
    runs,
    ...(project === undefined ? {} : { project }),
    ...(service === undefined ? {} : { service }),
  };
}

function undollared(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', '$');
  if (Array.isArray(value)) return value.map(undollared);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, undollared(entry)]));
}

/** A text is split as a shell would, which is what Compose does. */
function wordsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' ? (shellCommands(value)[0] ?? []) : [];
}

function environmentOf(value: unknown): Readonly<Record<string, string>> {
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((entry) => {
        const [name = '', ...rest] = String(entry).split('=');
        return [name, rest.join('=')] as const;
      })
    : Object.entries((value ?? {}) as Fields);
  return Object.fromEntries(entries.map(([name, text]) => [name, String(text ?? '')]));
}

function memoryOf(definition: Fields): number | undefined {
  const deploy = definition['deploy'] as
    | { readonly resources?: { readonly limits?: { readonly memory?: unknown } } }
    | undefined;
  const value = definition['mem_limit'] ?? deploy?.resources?.limits?.memory;
  if (value === undefined || value === null || value === '') return undefined;
  const text = String(value);
  const bytes = /^\d+$/.test(text) ? Number(text) : memoryBytes(text);
  return Number.isFinite(bytes) && bytes > 0 ? bytes : undefined;
}

/** `source:target[:mode]` and the long form. Of a named volume its container knows the place on the host. */
function mountsOf(
  value: unknown,
  directory: string,
  observed: readonly ObservedMount[],
): readonly ObservedMount[] {
  const volumes: readonly unknown[] = Array.isArray(value) ? value : [];
  return volumes.flatMap((volume): readonly ObservedMount[] => {
    const long = typeof volume === 'object' && volume !== null ? (volume as Fields) : shortVolume(volume);
    const target = String(long['target'] ?? '').replace(/(?<=.)\/+$/, '');
    if (target === '') return [];
    const seen = observed.find((mount) => mount.target === target);
    const source = String(long['source'] ?? '');
    const isPath = long['type'] === 'bind' || /^[./~]/.test(source);
    const writable = long['read_only'] !== true;
    if (isPath) return [{ kind: 'bind', source: absolutePath(directory, source), target, writable }];
    if (long['type'] === 'tmpfs') return [{ kind: 'tmpfs', source: '', target, writable }];
    return [seen ?? { kind: 'volume', source, target, writable }];
  });
}

function shortVolume(volume: unknown): Fields {
  const parts = String(volume).split(':');
  const [source, target, mode = ''] = parts.length === 1 ? ['', parts[0]] : parts;
  return { source, target, read_only: mode.split(',').includes('ro') };
}

/** `[[address:]published:]target[/protocol]` and the long form. Ranges are left to the leftovers of nobody: rare. */
function portsOf(value: unknown): readonly ObservedPort[] {
  const ports: readonly unknown[] = Array.isArray(value) ? value : [];
  return ports.flatMap((port): readonly ObservedPort[] => {
    const long = typeof port === 'object' && port !== null ? (port as Fields) : shortPort(port);
    const { target, published, protocol, host_ip: address } = long;
    if (!/^\d+$/.test(String(target)) || !/^\d+$/.test(String(published ?? ''))) return [];
    return [
      {
        containerPort: Number(target),
        protocol: protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp',
        hostAddress: typeof address === 'string' && address !== '' ? address : '0.0.0.0',
        hostPort: Number(published),
      },
    ];
  });
}

function shortPort(port: unknown): Fields {
  const [address, protocol] = String(port).split('/');
  const [, host, published, target] =
    /^(?:(\[[^\]]*\]|[^:]*):)?(?:(\d+):)?(\d+)$/.exec(address ?? '') ??
    /^(?:(.*):)?(\d*):(\d+)$/.exec(address ?? '') ??
    [];
  // `7513:7513`: what looks like an address is the published port.
  if (published === undefined && /^\d+$/.test(host ?? '')) return { target, published: host, protocol };
  return { target, published, protocol, host_ip: host };
}

function restOf(definition: Fields): readonly Rest[] {
  return Object.entries(definition)
    .filter(([key, value]) => !READ.has(key) && !isNothing(value))
    .map(([key, value]) => ({ key, value }));
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
