import { DEFAULT_IMAGES } from '../node/images.ts';
import { defaultPoet, MAINNET, standaloneNetwork, TESTNET } from '../node/networks.ts';
import { memoryBytes } from './memory-amount.ts';
import { projectNameFor } from './name.ts';
import { absolutePath } from './paths.ts';
import type { ProjectFile } from './schema.ts';
import type {
  BackupSettings,
  Identity,
  InitialisationSettings,
  Network,
  NodePorts,
  OwnPoetSettings,
  PoetSettings,
  Project,
  ProverSettings,
  ScheduleSettings,
} from './types.ts';

export const DEFAULT_PORTS: NodePorts = { p2p: 7513, publicApi: 9092, privateApi: 9093 };

/** Of a PoET service of one's own: folder beside smesh.yaml, port on the host. */
export const DEFAULT_OWN_POET = { data: 'poet', port: 8080, publish: '127.0.0.1' } as const;

/** Folder of the node's data, beside smesh.yaml (design §4). */
export const DEFAULT_NODE_DATA = 'node-data';

/**
 * RUST_LOG of every prover from the first day: phases and k2pow progress are only in the log, and a later change would
 * recreate all provers (spacemesh.md §14.1).
 */
export const DEFAULT_LOG = 'info,post::prove=debug';

/** Longest time between two looks of the schedule; events and logs wake it earlier. */
const DEFAULT_LOOK_SECONDS = 15;

/** A release line of Node.js on which the tool is tested. */
const DEFAULT_ORCHESTRATOR_BASE = 'node:20-slim';

const DEFAULT_NONCES = 128;
/** postcli's own default, bytes per data file (spacemesh.md §8.1). */
export const DEFAULT_MAX_FILE_SIZE = 4_294_967_296;

type Written<K extends keyof ProjectFile> = NonNullable<ProjectFile[K]>;
type WrittenProver = Written<'defaults'>;

/** A copy without the keys that are undefined, as `exactOptionalPropertyTypes` wants it. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function networkOf(written: ProjectFile['network']): Network {
  if (written === 'mainnet') return MAINNET;
  if (written === 'testnet') return TESTNET;
  const { genesisTime, poetPrivateKey, externalPoets, layer, layersPerEpoch, ...post } = written.standalone;
  return standaloneNetwork({
    genesisTime,
    poetPrivateKey,
    ...(externalPoets === true ? { externalPoets } : {}),
    post: defined(post),
    ...(layer === undefined ? {} : { layerSeconds: layer }),
    ...(layersPerEpoch === undefined ? {} : { layersPerEpoch }),
  });
}

/**
 * The node's own invariant: a request may take as long as all its tries and growing pauses together (spacemesh.md §1.2).
 */
function poetRequestTimeout(retryDelay: number, retryMax: number): number {
  return (retryDelay * 2 * retryMax * (retryMax + 1)) / 2;
}

function poetOf(network: Network, written: ProjectFile['poet']): PoetSettings {
  const base = defaultPoet(network);
  const { serve: _, ...times } = written ?? {};
  const merged: PoetSettings = { ...base, ...defined(times) };
  const retriesChanged = written?.retryDelay !== undefined || written?.retryMax !== undefined;
  return retriesChanged && written?.requestTimeout === undefined
    ? { ...merged, requestTimeout: poetRequestTimeout(merged.retryDelay, merged.retryMax) }
    : merged;
}

function ownPoetOf(written: NonNullable<Written<'poet'>['serve']>, directory: string): OwnPoetSettings {
  const { image, port, publish, data, flags, ...rest } = written;
  return {
    image: image ?? DEFAULT_IMAGES.poet,
    port: port ?? DEFAULT_OWN_POET.port,
    publish: publish ?? DEFAULT_OWN_POET.publish,
    data: absolutePath(directory, data ?? DEFAULT_OWN_POET.data),
    flags: flags ?? [],
    ...defined(rest),
  };
}

/**
 * Own settings before project defaults before the tool's. A set of pinned cores replaces a number of threads that stands
 * one level higher, and the other way round.
 */
function proverSettings(network: Network, own: WrittenProver, shared: WrittenProver): ProverSettings {
  const owner = own.threads !== undefined || own.pinnedCores !== undefined ? own : shared;
  const randomx = own.randomx ?? shared.randomx ?? (network.name === 'standalone' ? 'light' : 'fast');
  const remoteK2pow = own.remoteK2pow ?? shared.remoteK2pow;
  return {
    image: own.image ?? shared.image ?? DEFAULT_IMAGES.prover,
    nonces: own.nonces ?? shared.nonces ?? DEFAULT_NONCES,
    ...(owner.pinnedCores === undefined
      ? { threads: owner.threads ?? 0 }
      : { pinnedCores: owner.pinnedCores }),
    randomx,
    memory: own.memory ?? shared.memory ?? (randomx === 'fast' && remoteK2pow === undefined ? '3g' : '768m'),
    log: own.log ?? shared.log ?? DEFAULT_LOG,
    ...(remoteK2pow === undefined ? {} : { remoteK2pow: defined(remoteK2pow) }),
  };
}

function initialisationOf(written: Written<'init'>, directory: string): InitialisationSettings {
  return {
    image: written.image ?? DEFAULT_IMAGES.initialisation,
    gpu: written.gpu,
    devices: written.devices ?? [],
    jobs: written.jobs.map((job) => ({
      ...defined(job),
      data: absolutePath(directory, job.data),
      ...(job.into === undefined ? {} : { into: absolutePath(directory, job.into) }),
      maxFileSize: job.maxFileSize ?? DEFAULT_MAX_FILE_SIZE,
    })),
  };
}

function scheduleOf(written: Written<'schedule'>): ScheduleSettings {
  const { k2pow, remoteK2pow, memory, threads, ahead, every, rates, orchestrator, image } = written;
  return {
    ...defined({
      k2powSlots: k2pow,
      remoteK2powSlots: remoteK2pow,
      memoryBytes: memory === undefined ? undefined : memoryBytes(memory),
      threads,
    }),
    ahead: ahead ?? true,
    everySeconds: every ?? DEFAULT_LOOK_SECONDS,
    rates: {
      ...defined({ hashesPerSecond: rates?.k2pow }),
      diskBytesPerSecond: rates?.disks ?? {},
    },
    orchestrator: orchestrator ?? false,
    image: image ?? DEFAULT_ORCHESTRATOR_BASE,
  };
}

function backupOf(written: Written<'backup'>, directory: string): BackupSettings {
  return {
    ...defined({ to: written.to?.map((folder) => absolutePath(directory, folder)), keep: written.keep }),
    recipients: written.recipients ?? [],
  };
}

/** Of a project that says nothing of it. */
export const DEFAULT_SCHEDULE: ScheduleSettings = scheduleOf({});

/** Fills in every default and makes paths absolute. `directory` is the absolute folder of smesh.yaml. */
export function withDefaults(file: ProjectFile, directory: string): Project {
  const network = networkOf(file.network);
  const shared = file.defaults ?? {};
  const identities = file.identities.map(
    (written): Identity => ({
      id: written.id,
      name: written.name,
      data: absolutePath(directory, written.data),
      ...(written.disk === undefined ? {} : { disk: written.disk }),
      ...(written.user === undefined ? {} : { user: written.user }),
      ...proverSettings(network, written, shared),
    }),
  );
  const { image, data, ports, config, ...node } = file.node ?? {};
  return {
    version: 1,
    name: file.name ?? projectNameFor(directory),
    network,
    coinbase: file.coinbase,
    node: {
      image: image ?? DEFAULT_IMAGES.node,
      data: absolutePath(directory, data ?? DEFAULT_NODE_DATA),
      ports: { ...DEFAULT_PORTS, ...defined(ports ?? {}) },
      config: config ?? {},
      ...defined(node),
    },
    poet: poetOf(network, file.poet),
    ...(file.poet?.serve === undefined ? {} : { ownPoet: ownPoetOf(file.poet.serve, directory) }),
    defaults: proverSettings(network, {}, shared),
    identities,
    schedule: scheduleOf(file.schedule ?? {}),
    retired: file.retired ?? [],
    ...(file.backup === undefined ? {} : { backup: backupOf(file.backup, directory) }),
    ...(file.init === undefined ? {} : { initialisation: initialisationOf(file.init, directory) }),
  };
}
