import type { SmesherId } from '../identity/smesher-id.ts';

/** The model behind `smesh.yaml` (design §4), after defaults have been filled in and rules have passed. */
export interface Project {
  readonly version: 1;
  /** Compose project name, `[a-z0-9][a-z0-9_-]*`; default: the directory's name made legal. */
  readonly name: string;
  readonly network: Network;
  /** bech32 address with the network's prefix (spacemesh.md §1.2). */
  readonly coinbase: string;
  readonly node: NodeSettings;
  readonly poet: PoetSettings;
  /** A PoET service of the project's own. */
  readonly ownPoet?: OwnPoetSettings;
  readonly defaults: ProverDefaults;
  readonly identities: readonly Identity[];
  readonly initialisation?: InitialisationSettings;
  readonly schedule: ScheduleSettings;
  /** Absent: backups go to `.smesh/backups`, and the automatic ones have no keys in them. */
  readonly backup?: BackupSettings;
  /** Removed identities: their names are given to nobody else, and back to them when they return. */
  readonly retired: readonly RetiredIdentity[];
}

export interface RetiredIdentity {
  readonly id: SmesherId;
  readonly name: string;
}

export interface BackupSettings {
  /** Absolute folders; absent: `.smesh/backups`. */
  readonly to?: readonly string[];
  /** `age1…` */
  readonly recipients: readonly string[];
  /** Kept in each folder, by hand and automatic ones apart; absent: all. */
  readonly keep?: number;
}

export type NetworkName = 'mainnet' | 'testnet' | 'standalone';

/** What distinguishes networks for node, provers and postcli (spacemesh.md §1.3). */
export interface Network {
  readonly name: NetworkName;
  /** Address prefix: `sm`, `stest`, `standalone`. */
  readonly hrp: string;
  /** RFC 3339, whole seconds. */
  readonly genesisTime: string;
  readonly genesisExtraData: string;
  readonly layerSeconds: number;
  readonly layersPerEpoch: number;
  readonly post: NetworkPost;
  /** Private networks only: the throw-away key of the in-process PoET (design §8: it is no identity). */
  readonly poetPrivateKey?: string;
  /** Private networks only: PoETs are servers of their own, and the node is one of several (spacemesh.md §10). */
  readonly externalPoets?: true;
}

export interface NetworkPost {
  readonly labelsPerUnit: number;
  readonly minUnits: number;
  readonly maxUnits: number;
  readonly k1: number;
  readonly k2: number;
  readonly k3: number;
  /** 64 hex digits. */
  readonly powDifficulty: string;
  readonly scrypt: { readonly n: number; readonly r: number; readonly p: number };
}

export interface NodeSettings {
  readonly image: string;
  /** Absolute path of go-spacemesh's data folder on the host. */
  readonly data: string;
  readonly ports: NodePorts;
  /** Overrides of the node's own configuration, merged last; what would break 1:N is refused (design §5). */
  readonly config: Readonly<Record<string, unknown>>;
  /** `uid:gid` the node runs as; default: the owner of the data folder. */
  readonly user?: string;
  readonly memory?: string;
  /** Subnet of the project's network in CIDR form, for engines whose address pools are too small (S16). */
  readonly subnet?: string;
}

export interface NodePorts {
  /** Published on all addresses. */
  readonly p2p: number;
  /** Published on 127.0.0.1 only. */
  readonly publicApi: number;
  readonly privateApi: number;
}

export interface PoetSettings {
  readonly servers: readonly PoetServer[];
  /** Seconds. */
  readonly phaseShift: number;
  readonly cycleGap: number;
  readonly gracePeriod: number;
  readonly positioningAtxTimeout: number;
  readonly retryDelay: number;
  readonly retryMax: number;
  readonly requestTimeout: number;
}

export interface PoetServer {
  readonly address: string;
  /** base64 of 32 bytes; without it the node crashes at the round's end (spacemesh.md §7.2). */
  readonly pubkey: string;
}

/** A PoET service in the project, Compose profile `poet` (spacemesh.md §7.4). */
export interface OwnPoetSettings {
  readonly image: string;
  /** On the host. */
  readonly port: number;
  /** Address of the host on which the port is published. */
  readonly publish: string;
  /** Absolute path of its data folder on the host. */
  readonly data: string;
  /** `uid:gid`; default: as the node. */
  readonly user?: string;
  readonly memory?: string;
  readonly flags: readonly string[];
}

/** What a prover is run with; every field can be set per identity and has a project default. */
export interface ProverSettings {
  readonly image: string;
  /** Multiple of 16, at most 4096 (spacemesh.md §3.1). */
  readonly nonces: number;
  /** 0 = all cores. Absent when cores are pinned. */
  readonly threads?: number;
  readonly pinnedCores?: readonly number[];
  readonly randomx: 'fast' | 'light';
  /** Compose memory limit such as `3g`. */
  readonly memory: string;
  /** RUST_LOG; never less than info (design §5). */
  readonly log: string;
  readonly remoteK2pow?: RemoteK2pow;
}

export interface RemoteK2pow {
  readonly url: string;
  readonly parallelism?: number;
  readonly backoffSeconds?: number;
}

export type ProverDefaults = ProverSettings;

/** One identity: its directory and how it is proved. Effective settings, defaults already applied. */
export interface Identity extends ProverSettings {
  readonly id: SmesherId;
  /** Service name in Compose, `post-0001`; never used again for another identity. */
  readonly name: string;
  /** Absolute path of the PoST directory on the host. */
  readonly data: string;
  /** Overrides disk detection: identities with the same word share one reader. */
  readonly disk?: string;
  /** `uid:gid` the prover runs as; default: owner of `postdata_metadata.json`. */
  readonly user?: string;
}

/** What `smesh-compose run` goes by; what is absent follows from the machine and from what was measured. */
export interface ScheduleSettings {
  /** Provers of this host that do k2pow at the same time. */
  readonly k2powSlots?: number;
  /** Provers that use the same k2pow-service at the same time. */
  readonly remoteK2powSlots?: number;
  /** For all proofs together. */
  readonly memoryBytes?: number;
  /** Of all provers that work at the same time. */
  readonly threads?: number;
  /** k2pow of the next identity while its disk is busy. */
  readonly ahead: boolean;
  /** Seconds between two looks at most. */
  readonly everySeconds: number;
  readonly rates: {
    /** RandomX hashes per second of the whole host. */
    readonly hashesPerSecond?: number;
    /** Bytes per second of one reader, by disk. */
    readonly diskBytesPerSecond: Readonly<Record<string, number>>;
  };
  /** compose.yaml has a service that runs the schedule. */
  readonly orchestrator: boolean;
  /** What the orchestrator's image is built from. */
  readonly image: string;
}

export type GpuVendor = 'nvidia' | 'amd' | 'intel' | 'cpu';

/** PoST initialisation jobs, Compose profile `init` (design §5). */
export interface InitialisationSettings {
  readonly image: string;
  readonly gpu: GpuVendor;
  /** NVIDIA: device index or UUID. AMD and Intel: the render node, `/dev/dri/renderD128`. */
  readonly devices: readonly string[];
  readonly jobs: readonly InitialisationJob[];
}

export interface InitialisationJob {
  readonly id: SmesherId;
  readonly name: string;
  readonly data: string;
  readonly units: number;
  /** Absent: chosen by the GPU (0) or 4294967295 for the CPU. */
  readonly provider?: number;
  readonly commitmentAtx: string;
  readonly maxFileSize: number;
  readonly fromFile?: number;
  readonly toFile?: number;
  /** The one device of `devices` that it has for itself; absent: they are dealt out in turn. */
  readonly device?: string;
  /** Where the parts of one identity are joined when all are complete; absent: `data` holds the whole set. */
  readonly into?: string;
  /** Name of the identity to be. */
  readonly identity?: string;
  /** `uid:gid` the job runs as; default: the owner of the directory. */
  readonly user?: string;
}

/** A fault in a file, with where it stands. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based; absent when the fault has no place. */
  readonly line?: number;
  readonly column?: number;
  /** `identities[3].nonces` */
  readonly path?: string;
  readonly message: string;
}
