import { type DoctorFinding, finding } from './finding.ts';
import { GIB, gibibytes } from './words.ts';

/** What is judged of an engine that answers. */
export interface EngineLook {
  readonly endpoint: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly operatingSystem: string;
  readonly architecture: string;
  readonly cgroupVersion: 1 | 2;
  readonly rootless: boolean;
  readonly desktop: boolean;
  readonly dataRoot: string;
  readonly storageDriver?: string;
  readonly liveRestore?: boolean;
  /** False: nobody can be held. */
  readonly cpuQuotas: boolean;
  /** On the file system of its data root; absent where that is on another machine. */
  readonly freeBytes?: number;
}

const LOW = 10 * GIB;
const NEXT_TO_NOTHING = 2 * GIB;

/** Snap keeps Docker in a folder of its own. */
const SNAP_ROOT = /^\/var\/snap\/docker\//;

/** Decides what is worth saying about an engine that can be used. */
export function judgeEngine(engine: EngineLook): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [];
  if (SNAP_ROOT.test(engine.dataRoot)) {
    found.push(
      finding('engine-snap', {
        message:
          'Docker comes from snap: it is confined to home folders and does not see other disks, and snap restarts it for updates when it likes, which ends all proofs',
        evidence: `data root ${engine.dataRoot}`,
        remedy: 'Remove the snap and install Docker Engine from https://docs.docker.com/engine/install/',
      }),
    );
  }
  if (engine.desktop) {
    found.push(
      finding('engine-desktop', {
        message:
          'Docker Desktop: containers live in a virtual machine, which sees only the disks and the memory that it was given',
        evidence: engine.operatingSystem,
        remedy: 'Share the disks and raise the memory in its settings, or use Docker Engine on Linux',
      }),
    );
  } else if (!engine.endpoint.startsWith('unix:')) {
    found.push(
      finding('engine-remote', {
        message:
          'The engine is on another machine: disks, ports and memory there are not looked at from here',
        evidence: engine.endpoint,
        remedy: 'Run smesh-compose doctor on that machine',
      }),
    );
  }
  if (engine.rootless) {
    found.push(
      finding('engine-rootless', {
        message:
          'The engine runs without root: its containers cannot be reached from here directly, so post-services are asked from inside their containers',
        evidence: 'rootless is among its security options',
      }),
    );
  }
  if (engine.liveRestore === false) {
    found.push(
      finding('engine-no-live-restore', {
        message:
          'When Docker itself is updated or restarted, it stops all containers, and every proof in progress is lost',
        evidence: 'live-restore is off',
        measured: { liveRestore: false },
        remedy: 'Put "live-restore": true into /etc/docker/daemon.json, then: sudo systemctl reload docker',
      }),
    );
  }
  if (!engine.cpuQuotas) {
    found.push(
      finding('engine-no-cpu-quota', {
        message:
          'The engine has no CPU quotas, so the schedule cannot hold anybody: no k2pow is done ahead, and everybody waits for a free disk',
        evidence: `cgroup v${engine.cgroupVersion}${engine.rootless ? ', rootless' : ''}: no cpu cfs quota`,
        measured: { cpuQuotas: false },
        remedy: engine.rootless
          ? 'Delegate the cpu controller to your user: https://docs.docker.com/engine/security/rootless/'
          : 'Run a kernel with CONFIG_CFS_BANDWIDTH (that of every usual distribution)',
      }),
    );
  }
  const { freeBytes } = engine;
  if (freeBytes !== undefined && freeBytes < LOW) {
    found.push(
      finding('engine-disk-low', {
        severity: freeBytes < NEXT_TO_NOTHING ? 'error' : 'warning',
        subject: engine.dataRoot,
        message:
          'Little space is left where the engine keeps images and logs: containers stop when they cannot log',
        evidence: `${gibibytes(freeBytes)} free in ${engine.dataRoot}`,
        measured: { freeBytes },
        remedy:
          'docker system df   shows what takes it; docker image prune   removes images that nothing uses',
      }),
    );
  }
  if (found.some(({ severity }) => severity === 'warning' || severity === 'error')) return found;
  return [
    ...found,
    finding('engine-ok', {
      message: 'The engine answers and is new enough',
      evidence: [
        `Docker ${engine.version} (API ${engine.apiVersion})`,
        engine.operatingSystem,
        `cgroup v${engine.cgroupVersion}`,
        ...(engine.storageDriver === undefined ? [] : [engine.storageDriver]),
        ...(freeBytes === undefined ? [] : [`${gibibytes(freeBytes)} free in ${engine.dataRoot}`]),
      ].join(', '),
      measured: {
        version: engine.version,
        apiVersion: engine.apiVersion,
        architecture: engine.architecture,
        cgroupVersion: engine.cgroupVersion,
        storageDriver: engine.storageDriver ?? null,
        liveRestore: engine.liveRestore ?? null,
        cpuQuotas: engine.cpuQuotas,
        freeBytes: freeBytes ?? null,
      },
    }),
  ];
}
