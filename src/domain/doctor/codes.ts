/** What `doctor` looks at. One check each; in the order of its report. */
export const DOCTOR_AREAS = [
  'host',
  'engine',
  'compose',
  'project',
  'clock',
  'disks',
  'memory',
  'ports',
  'poet',
  'images',
  'keys',
  'files',
  'updaters',
] as const;

export type DoctorArea = (typeof DOCTOR_AREAS)[number];

/** Nothing worse than a warning leaves the exit code at 0. */
export const DOCTOR_SEVERITIES = ['ok', 'info', 'warning', 'error'] as const;

export type DoctorSeverity = (typeof DOCTOR_SEVERITIES)[number];

interface CodeSpec {
  readonly area: DoctorArea;
  /** Unless the finding itself says otherwise. */
  readonly severity: DoctorSeverity;
  /** What it means, for the guide's table. */
  readonly meaning: string;
}

/**
 * Every code that `doctor` can answer. Codes are part of the public interface: scripts branch on them, none is renamed
 * or given another meaning. The table in docs/guide/doctor.md is made from this one, and a test compares the two.
 */
export const DOCTOR_CODES = {
  'check-unknown': {
    area: 'host',
    severity: 'warning',
    meaning: 'A check did not answer in its time (a disk or a server hangs), or could not be made',
  },

  'host-ok': { area: 'host', severity: 'ok', meaning: 'Nothing in the way on this host' },
  'host-system': {
    area: 'host',
    severity: 'warning',
    meaning: 'Not Linux: only parts of this are looked at',
  },
  'host-architecture': {
    area: 'host',
    severity: 'warning',
    meaning: 'The official images are for amd64 only; here they run emulated and slowly, if at all',
  },
  'host-no-aes': {
    area: 'host',
    severity: 'warning',
    meaning: 'The processor has no AES instructions: proofs read many times slower',
  },
  'host-files-limit': {
    area: 'host',
    severity: 'warning',
    meaning: 'Nearly all files that this host may have open are open',
  },
  'host-swapping': {
    area: 'host',
    severity: 'warning',
    meaning: 'More than half of the swap is used: what a proof keeps in memory would be swapped too',
  },

  'engine-ok': { area: 'engine', severity: 'ok', meaning: 'The engine answers and is new enough' },
  'engine-unusable': {
    area: 'engine',
    severity: 'error',
    meaning:
      'No engine, no permission to use it, too old, or another one than that of docker compose (exit 4)',
  },
  'engine-snap': {
    area: 'engine',
    severity: 'warning',
    meaning: 'Docker from snap is confined: it does not see most disks, and snap updates it by itself',
  },
  'engine-desktop': {
    area: 'engine',
    severity: 'info',
    meaning: 'Docker Desktop: containers live in a virtual machine, which must be given disks and memory',
  },
  'engine-rootless': {
    area: 'engine',
    severity: 'info',
    meaning: 'A rootless engine: post-services are asked from inside their containers',
  },
  'engine-remote': {
    area: 'engine',
    severity: 'info',
    meaning: 'The engine is on another machine: disks and ports there are not looked at',
  },
  'engine-no-live-restore': {
    area: 'engine',
    severity: 'info',
    meaning: 'An update of Docker stops all containers, and proofs in progress are lost',
  },
  'engine-no-cpu-quota': {
    area: 'engine',
    severity: 'info',
    meaning: 'The engine has no CPU quotas: nobody can be held, so no k2pow is done ahead of its turn',
  },
  'engine-disk-low': {
    area: 'engine',
    severity: 'warning',
    meaning: 'Less than 10 GiB (warning) or 2 GiB (error) free where the engine keeps images and logs',
  },

  'compose-ok': { area: 'compose', severity: 'ok', meaning: 'Docker Compose answers and is new enough' },
  'compose-unusable': {
    area: 'compose',
    severity: 'error',
    meaning:
      'The docker command or its compose is missing, only the old docker-compose is there, or it is too old (exit 4)',
  },

  'project-ok': { area: 'project', severity: 'ok', meaning: 'smesh.yaml can be read and holds together' },
  'project-none': {
    area: 'project',
    severity: 'info',
    meaning: 'There is no smesh.yaml in this folder: only host, engine and clock are looked at',
  },
  'project-invalid': {
    area: 'project',
    severity: 'error',
    meaning: 'smesh.yaml has faults: whatever follows from it cannot be looked at',
  },
  'project-doubtful': {
    area: 'project',
    severity: 'warning',
    meaning: 'smesh.yaml holds something to look at',
  },
  'project-interrupted': {
    area: 'project',
    severity: 'warning',
    meaning: 'A command was killed and is not finished; the next one finishes it',
  },

  'clock-ok': { area: 'clock', severity: 'ok', meaning: 'Other clocks agree with that of this host' },
  'clock-unknown': {
    area: 'clock',
    severity: 'info',
    meaning: 'No other clock could be reached, so nothing is known; that alone is no fault',
  },
  'clock-off': {
    area: 'clock',
    severity: 'error',
    meaning: 'More than 10 s wrong: the node ends itself after ten rounds of comparing clocks with its peers',
  },
  'clock-drifting': {
    area: 'clock',
    severity: 'warning',
    meaning: 'More than 2 s wrong: not yet harmful, but nobody seems to correct it',
  },
  'clock-not-kept': {
    area: 'clock',
    severity: 'warning',
    meaning: 'Nothing on this host corrects the clock',
  },
  'clock-sources-disagree': {
    area: 'clock',
    severity: 'info',
    meaning: 'One source tells another time than the rest; it is left out',
  },
  'clock-peers-complain': {
    area: 'clock',
    severity: 'error',
    meaning: 'The node logs that the clocks of its peers differ; an old complaint is only an info',
  },

  'disks-ok': { area: 'disks', severity: 'ok', meaning: 'All data is where smesh.yaml says, on sound disks' },
  'disk-missing': {
    area: 'disks',
    severity: 'error',
    meaning: 'The directory of an identity is not there: is its disk mounted?',
  },
  'disk-empty': {
    area: 'disks',
    severity: 'error',
    meaning: 'The directory of an identity is empty: probably the mount point of a disk that is away',
  },
  'disk-no-metadata': {
    area: 'disks',
    severity: 'error',
    meaning: 'The directory of an identity holds other things, but no PoST data',
  },
  'disk-unreadable': {
    area: 'disks',
    severity: 'error',
    meaning: 'The disk reports an error when it is read (error); or this user may not read the data (info)',
  },
  'disk-turned-read-only': {
    area: 'disks',
    severity: 'warning',
    meaning: 'The kernel made a file system read-only that /etc/fstab wants writable: it has seen errors',
  },
  'disk-file-system-errors': {
    area: 'disks',
    severity: 'warning',
    meaning: 'The kernel has counted errors in a file system',
  },
  'disk-smart-failing': {
    area: 'disks',
    severity: 'error',
    meaning: 'The disk itself says that it is failing',
  },
  'disk-smart-sectors': {
    area: 'disks',
    severity: 'warning',
    meaning: 'The disk has bad sectors: proofs fail when they are read',
  },
  'disk-smart-unknown': {
    area: 'disks',
    severity: 'info',
    meaning: 'The health of the disks could not be read: smartctl is missing, or needs root',
  },
  'disk-node-full': {
    area: 'disks',
    severity: 'error',
    meaning: "Less than 5 GiB free for the node's databases: it stops when they cannot grow",
  },
  'disk-migration-space': {
    area: 'disks',
    severity: 'warning',
    meaning: 'Less free than state.sql is large: an update of the node that migrates it would fail',
  },

  'memory-ok': { area: 'memory', severity: 'ok', meaning: 'All proofs at once fit into memory' },
  'memory-short': {
    area: 'memory',
    severity: 'warning',
    meaning: 'Not all proofs at once fit into memory; so many do',
  },
  'memory-too-small': { area: 'memory', severity: 'error', meaning: 'Not even one proof fits into memory' },

  'ports-ok': { area: 'ports', severity: 'ok', meaning: 'The ports of the project are free or its own' },
  'port-taken': {
    area: 'ports',
    severity: 'error',
    meaning: 'A port of the project is held by somebody else',
  },
  'port-private-exposed': {
    area: 'ports',
    severity: 'error',
    meaning:
      "The node's private API or post listener can be reached from outside, and asks nobody who they are",
  },

  'poet-ok': { area: 'poet', severity: 'ok', meaning: 'All PoET servers answer and fit the configuration' },
  'poet-in-process': {
    area: 'poet',
    severity: 'info',
    meaning: 'The PoET of a private network runs inside the node; there is nothing to ask',
  },
  'poet-unreachable': {
    area: 'poet',
    severity: 'warning',
    meaning: 'A PoET does not answer: every start of the node waits 9 to 18 minutes for it',
  },
  'poet-none-reachable': {
    area: 'poet',
    severity: 'error',
    meaning: 'No PoET answers: nothing can be registered, and the node takes very long to start',
  },
  'poet-malformed': { area: 'poet', severity: 'warning', meaning: 'What answers there is no PoET' },
  'poet-phase-shift': {
    area: 'poet',
    severity: 'error',
    meaning: 'A PoET has another phase shift than the configuration: the node refuses to start',
  },
  'poet-cycle-gap': {
    area: 'poet',
    severity: 'error',
    meaning: 'A PoET has another cycle gap than the configuration: deadlines are computed wrongly',
  },
  'poet-key': {
    area: 'poet',
    severity: 'warning',
    meaning: 'A PoET has another public key than the configuration says',
  },
  'poet-single': {
    area: 'poet',
    severity: 'warning',
    meaning: 'Fewer than two PoET servers: when the one is down, an epoch is lost',
  },
  'poet-duplicate': {
    area: 'poet',
    severity: 'warning',
    meaning: 'One PoET stands in the list twice, spelled differently: the node takes them for two',
  },
  'poet-config-differs': {
    area: 'poet',
    severity: 'warning',
    meaning: 'node/config.json names other PoET servers or times than smesh.yaml',
  },
  'poet-clock': {
    area: 'poet',
    severity: 'warning',
    meaning: 'poet check: the clocks of a PoET and of this host are more than 5 s apart',
  },
  'poet-round-early': {
    area: 'poet',
    severity: 'error',
    meaning: 'poet check: a PoET has the proof of a round that has not ended: it is of another network',
  },
  'poet-round-missing': {
    area: 'poet',
    severity: 'warning',
    meaning: 'poet check: a PoET has no proof of a round that has ended',
  },
  'poet-less-work': {
    area: 'poet',
    severity: 'info',
    meaning: 'poet check: the proof of a PoET has fewer leaves than that of another one',
  },
  'poet-times-unread': {
    area: 'poet',
    severity: 'info',
    meaning:
      'poet check: genesis and epoch length of a PoET cannot be read; its rounds tell something of them',
  },
  'poet-registered-elsewhere': {
    area: 'poet',
    severity: 'warning',
    meaning: 'poet check: identities are registered with a PoET that is not in the list',
  },

  'images-ok': {
    area: 'images',
    severity: 'ok',
    meaning: 'The images fit together and are not known to be broken',
  },
  'image-broken': {
    area: 'images',
    severity: 'error',
    meaning: 'An image is known to be broken, or has no fixed release',
  },
  'image-doubtful': { area: 'images', severity: 'warning', meaning: 'An image is known for faults' },
  'image-combination': {
    area: 'images',
    severity: 'warning',
    meaning: 'Releases that do not fit together, or of which nobody knows whether they do',
  },
  'image-differs': {
    area: 'images',
    severity: 'warning',
    meaning: 'A container runs another image than the project says; the next up replaces it',
  },
  'image-moved': {
    area: 'images',
    severity: 'warning',
    meaning: 'The tag now names another image than the one that runs',
  },

  'keys-ok': {
    area: 'keys',
    severity: 'ok',
    meaning: 'Every identity has its key, readable by the node alone',
  },
  'key-missing': { area: 'keys', severity: 'error', meaning: 'The node has no key for an identity' },
  'key-fault': {
    area: 'keys',
    severity: 'error',
    meaning: 'The node refuses a key file, and with it to start',
  },
  'key-mode': { area: 'keys', severity: 'warning', meaning: 'A private key can be read by other users' },
  'key-owner': {
    area: 'keys',
    severity: 'error',
    meaning: 'The node runs as a user that may not read a key',
  },
  'key-duplicate': {
    area: 'keys',
    severity: 'error',
    meaning: 'One key twice in the folder: the node refuses to start',
  },
  'key-stray': {
    area: 'keys',
    severity: 'warning',
    meaning: "The node's folder holds a key of no identity of this project: the node registers it too",
  },
  'key-local': {
    area: 'keys',
    severity: 'error',
    meaning: 'A local.key beside other keys: the node refuses to start',
  },
  'key-pending-missing': {
    area: 'keys',
    severity: 'error',
    meaning: 'There is no key for PoST data that is being made',
  },
  'key-pending-fault': {
    area: 'keys',
    severity: 'error',
    meaning: 'A key that waits for its data cannot be used',
  },
  'key-pending-idle': {
    area: 'keys',
    severity: 'warning',
    meaning: 'A key waits for data that nobody makes',
  },
  'key-pending-twice': {
    area: 'keys',
    severity: 'info',
    meaning: 'A key waits although the node reads the same one already',
  },
  'keys-unreadable': {
    area: 'keys',
    severity: 'info',
    meaning: "This user may not look into the node's folder of keys",
  },

  'files-ok': { area: 'files', severity: 'ok', meaning: 'The generated files say what smesh.yaml says' },
  'files-outdated': {
    area: 'files',
    severity: 'warning',
    meaning: 'Generated files do not say what smesh.yaml says',
  },
  'files-edited': { area: 'files', severity: 'warning', meaning: 'Generated files were changed by hand' },
  'files-refused': {
    area: 'files',
    severity: 'error',
    meaning: 'generate would refuse to work as things are',
  },
  'override-malformed': { area: 'files', severity: 'error', meaning: 'The override file cannot be read' },
  'override-restart-always': {
    area: 'files',
    severity: 'warning',
    meaning:
      'The override starts all post-services after a reboot, also those that were stopped to save memory',
  },
  'override-depends-on': {
    area: 'files',
    severity: 'warning',
    meaning:
      'The override ties post-services to the node: Compose then recreates them with it, and proofs are lost',
  },
  'override-image': {
    area: 'files',
    severity: 'warning',
    meaning: 'The override names an image that moves with every release',
  },

  'updaters-ok': { area: 'updaters', severity: 'ok', meaning: 'Nobody else updates these containers' },
  'updater-active': {
    area: 'updaters',
    severity: 'warning',
    meaning:
      'A program that updates containers by itself runs here, and containers of this project do not opt out',
  },
  'updater-opted-out': {
    area: 'updaters',
    severity: 'info',
    meaning:
      'A program that updates containers by itself runs here; the containers of this project opt out by label',
  },
  'restarter-active': {
    area: 'updaters',
    severity: 'warning',
    meaning:
      'A program that restarts unhealthy containers runs here: a post-service that is too busy to answer would lose its proof',
  },
} as const satisfies Readonly<Record<string, CodeSpec>>;

export type DoctorCode = keyof typeof DOCTOR_CODES;

/** The guide's table of codes, Markdown. */
export function renderCodeTable(): string {
  const rows = Object.entries(DOCTOR_CODES)
    .filter(([, { severity }]) => severity !== 'ok')
    .map(([code, { severity, meaning }]) => `| \`${code}\` | ${severity} | ${meaning} |`);
  return ['| code | severity | means |', '| --- | --- | --- |', ...rows].join('\n');
}
