import { parse } from 'yaml';
import { isMapping } from '../is-mapping.ts';
import { DEFAULT_MAX_FILE_SIZE } from '../project/defaults.ts';
import { absolutePath } from '../project/paths.ts';
import type { InitialisationJob, InitialisationSettings, Network } from '../project/types.ts';
import { bindMount, JOB_HARDENING } from './hardening.ts';
import { writeLabels } from './labels.ts';
import { type Passthrough, passthroughOf } from './passthrough.ts';
import type { ComposeService } from './types.ts';

/** postcli's number for the processor itself (spacemesh.md §8.1). */
export const CPU_PROVIDER = 4_294_967_295;

const POST_FOLDER = '/post';

export interface JobFacts {
  readonly directory: string;
  readonly user: string;
  /** Text of `compose/init/<gpu>.yaml`. */
  readonly fragment: string;
  /** Numeric gids of the host's video and render groups. */
  readonly groups: readonly number[];
  /** Position among the jobs: devices are dealt out in turn. */
  readonly index: number;
}

type Mapping = { readonly [key: string]: unknown };

/** Fragment over service: mappings key by key, lists one after the other, anything else replaced. */
function mergeService(base: Mapping, fragment: Mapping): Mapping {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(fragment)) {
    const present = merged[key];
    if (isMapping(present) && isMapping(value)) merged[key] = mergeService(present, value);
    else if (Array.isArray(present) && Array.isArray(value)) merged[key] = [...present, ...value];
    else merged[key] = value;
  }
  return merged;
}

/** Arguments of postcli (spacemesh.md §8.1). `-yes`: nobody is there to answer. */
export function initialisationCommand(
  job: InitialisationJob,
  settings: InitialisationSettings,
  network: Network,
): readonly string[] {
  const { post } = network;
  const provider = job.provider ?? (settings.gpu === 'cpu' ? CPU_PROVIDER : 0);
  return [
    ...['-provider', `${provider}`, '-id', job.id, '-commitmentAtxId', job.commitmentAtx],
    ...['-datadir', POST_FOLDER, '-numUnits', `${job.units}`],
    ...(job.maxFileSize === DEFAULT_MAX_FILE_SIZE ? [] : ['-maxFileSize', `${job.maxFileSize}`]),
    ...(network.name === 'mainnet'
      ? []
      : ['-labelsPerUnit', `${post.labelsPerUnit}`, '-scryptN', `${post.scrypt.n}`]),
    ...(job.fromFile === undefined ? [] : ['-fromFile', `${job.fromFile}`]),
    ...(job.toFile === undefined ? [] : ['-toFile', `${job.toFile}`]),
    '-yes',
  ];
}

/**
 * The devices a job sees: with a provider of its own all that are named, else the one whose turn it is, so that it is
 * always provider 0 inside and jobs side by side do not share a card.
 */
function devicesOf(
  job: InitialisationJob,
  settings: InitialisationSettings,
  index: number,
): readonly string[] {
  const { devices } = settings;
  if (job.device !== undefined) return [job.device];
  if (job.provider !== undefined || devices.length === 0) return devices;
  return [devices[index % devices.length] ?? ''];
}

/** Narrows a vendor's fragment down to the chosen devices. */
function forDevices(
  fragment: Mapping,
  settings: InitialisationSettings,
  devices: readonly string[],
): Mapping {
  if (devices.length === 0) return fragment;
  switch (settings.gpu) {
    case 'cpu':
      return fragment;
    case 'nvidia': {
      const reservation = {
        driver: 'nvidia',
        device_ids: [...devices],
        capabilities: ['gpu', 'compute', 'utility'],
      };
      return { ...fragment, deploy: { resources: { reservations: { devices: [reservation] } } } };
    }
    case 'amd':
    case 'intel': {
      const shared = Array.isArray(fragment['devices'])
        ? fragment['devices'].filter((path) => path !== '/dev/dri')
        : [];
      return { ...fragment, devices: [...shared, ...devices] };
    }
  }
}

/** Fragments name files of the project relative to it; Compose would hash the place where it is called. */
function withAbsolutePaths(fragment: Mapping, directory: string): Mapping {
  const { volumes, build } = fragment;
  return {
    ...fragment,
    ...(Array.isArray(volumes)
      ? {
          volumes: volumes.map((volume: unknown) =>
            isMapping(volume) && typeof volume['source'] === 'string'
              ? { ...volume, source: absolutePath(directory, volume['source']) }
              : volume,
          ),
        }
      : {}),
    ...(isMapping(build) && typeof build['context'] === 'string'
      ? { build: { ...build, context: absolutePath(directory, build['context']) } }
      : {}),
  };
}

/** The image that a fragment builds on top of postcli's own carries the same tag, under a name of the tool's. */
function imageOf(fragment: Mapping, settings: InitialisationSettings): string {
  if (!isMapping(fragment['build'])) return settings.image;
  const tag = /:([\w][\w.-]*)$/.exec(settings.image)?.[1] ?? 'local';
  return `smesh-compose/postcli-${settings.gpu}:${tag}`;
}

/** Of the host and the package, what a vendor's fragment is filled in with. */
export type CardFacts = Pick<JobFacts, 'directory' | 'fragment' | 'groups'>;

/** A service with what a job on these devices gets: the one place that says so, for jobs and for looks alike. */
function withCards(
  base: Mapping,
  settings: InitialisationSettings,
  { directory, fragment: text, groups }: CardFacts,
  devices: readonly string[],
): ComposeService {
  const parsed: unknown = parse(text);
  const fragment = withAbsolutePaths(isMapping(parsed) ? parsed : {}, directory);
  const needsGroups = Array.isArray(fragment['devices']);
  return {
    ...mergeService(base, forDevices(fragment, settings, devices)),
    ...(needsGroups && groups.length > 0 ? { group_add: groups.map(String) } : {}),
    image: imageOf(fragment, settings),
  };
}

/** Drivers keep compiled kernels below the home folder, which is read-only. */
const JOB_ENVIRONMENT = { HOME: '/tmp' };

export interface JobPassthrough {
  readonly image: string;
  /** The image is made on this machine: `docker compose --profile init build`. */
  readonly isBuilt: boolean;
  readonly passthrough: Passthrough;
}

/**
 * What a throw-away container needs to see what jobs with these settings see, on all their devices together.
 *
 * @param settings without `devices`: every card of the vendor
 */
export function jobPassthrough(settings: InitialisationSettings, facts: CardFacts): JobPassthrough {
  const service = withCards({ environment: JOB_ENVIRONMENT }, settings, facts, settings.devices);
  return {
    image: service.image,
    isBuilt: service['build'] !== undefined,
    passthrough: passthroughOf(service),
  };
}

/** One initialisation job: postcli on the GPU, profile `init`, never started by a plain `up` (design §5). */
export function initialisationService(
  job: InitialisationJob,
  settings: InitialisationSettings,
  network: Network,
  facts: JobFacts,
): ComposeService {
  const base = {
    image: settings.image,
    user: facts.user,
    command: initialisationCommand(job, settings, network),
    environment: JOB_ENVIRONMENT,
    volumes: [bindMount(job.data, POST_FOLDER, 'rw')],
    labels: writeLabels({ role: 'initialisation', smesherId: job.id }),
    ...JOB_HARDENING,
  };
  return withCards(base, settings, facts, devicesOf(job, settings, facts.index));
}
