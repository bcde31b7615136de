import { type DoctorFinding, finding } from './finding.ts';
import type { SmartReading } from './smart.ts';
import { GIB, gibibytes, several } from './words.ts';

/** Where a path lies, from the kernel's tables alone: no file system is touched. */
export interface PlaceFacts {
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly source: string;
  /** This mount is read-only, by its own options or the file system's. */
  readonly readOnly: boolean;
  /** What /etc/fstab wants; absent where it does not name this mount point. */
  readonly wantedReadOnly?: boolean;
  /** Whole disks below, `sda`, `nvme0n1`; empty for shares and memory. */
  readonly disks: readonly string[];
  /** Errors that the kernel has counted in this file system since it was made or last checked. */
  readonly errorCount?: number;
}

/** What was seen of one identity's PoST directory. */
export interface DataFacts {
  readonly service: string;
  readonly path: string;
  readonly seen: 'present' | 'missing' | 'empty' | 'no-metadata' | 'forbidden' | 'broken' | 'late';
  /** With `broken`: what the system says, `EIO`. */
  readonly fault?: string;
  readonly place?: PlaceFacts;
}

export interface DiskHealth {
  readonly disk: string;
  readonly services: readonly string[];
  readonly reading: SmartReading;
}

export interface NodeDataFacts {
  readonly path: string;
  readonly freeBytes?: number;
  readonly stateBytes?: number;
  readonly place?: PlaceFacts;
}

/** A database that cannot grow stops the node in the middle of an epoch. */
const LEAST_FREE = 5 * GIB;

type Spec = {
  readonly code: 'disk-missing' | 'disk-empty' | 'disk-no-metadata' | 'disk-unreadable';
  readonly severity?: 'info';
  readonly message: string;
  readonly remedy: string;
};

const BY_SIGHT: Readonly<Record<Exclude<DataFacts['seen'], 'present'>, Spec>> = {
  missing: {
    code: 'disk-missing',
    message: 'The data is not where smesh.yaml says: no proof can be made. Is the disk mounted?',
    remedy: 'Mount it, then: smesh-compose up',
  },
  empty: {
    code: 'disk-empty',
    message: 'The directory is empty, as the mount point of a disk that is away: no proof can be made',
    remedy: 'Mount the disk, then: smesh-compose up',
  },
  'no-metadata': {
    code: 'disk-no-metadata',
    message: 'The directory holds no PoST data (postdata_metadata.json is not there): no proof can be made',
    remedy: 'Is it the right directory? smesh-compose scan   shows where data is',
  },
  forbidden: {
    code: 'disk-unreadable',
    severity: 'info',
    message: 'This user may not look at the data; whether the post-service may is not known from here',
    remedy: 'sudo smesh-compose doctor',
  },
  broken: {
    code: 'disk-unreadable',
    message: 'The disk answers with an error when the data is looked at: a proof would fail',
    remedy: 'sudo dmesg | tail -50   tells what the kernel saw; look after the disk',
  },
  late: {
    code: 'disk-unreadable',
    message: 'The disk does not answer: a proof would hang',
    remedy: 'Is it asleep, dying, or a share whose server is gone? sudo dmesg | tail -50',
  },
};

/** Decides what is wrong with the places of the data. Identities with the same trouble share one finding. */
export function judgeData(data: readonly DataFacts[]): readonly DoctorFinding[] {
  const groups = new Map<string, DataFacts[]>();
  for (const facts of data) {
    if (facts.seen === 'present') continue;
    const key = `${facts.seen} ${facts.fault ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), facts]);
  }
  return [
    ...[...groups.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined || first.seen === 'present') return [];
      const { code, message, remedy, severity } = BY_SIGHT[first.seen];
      return [
        finding(code, {
          ...(severity === undefined ? {} : { severity }),
          subject: several(group.map(({ service }) => service)),
          message,
          evidence: `${several(group.map(({ path }) => path))}${first.fault === undefined ? '' : ` (${first.fault})`}`,
          measured: { identities: group.length, services: group.map(({ service }) => service).join(' ') },
          remedy,
        }),
      ];
    }),
    ...judgePlaces(data),
  ];
}

function judgePlaces(data: readonly { readonly place?: PlaceFacts }[]): readonly DoctorFinding[] {
  const places = new Map(
    data.flatMap(({ place }) => (place === undefined ? [] : [[place.mountPoint, place]])),
  );
  return [...places.values()].flatMap((place) => {
    const found: DoctorFinding[] = [];
    if (place.readOnly && place.wantedReadOnly === false) {
      found.push(
        finding('disk-turned-read-only', {
          subject: place.mountPoint,
          message:
            'This file system is mounted read-only, and /etc/fstab wants it writable: the kernel does so when it has seen errors',
          evidence: `${place.source} (${place.fileSystem}) on ${place.mountPoint}`,
          remedy: `sudo dmesg | grep -i -e ${place.disks[0] ?? 'error'} -e remount   then check the file system while it is unmounted`,
        }),
      );
    }
    if ((place.errorCount ?? 0) > 0) {
      found.push(
        finding('disk-file-system-errors', {
          subject: place.mountPoint,
          message:
            'The kernel has counted errors in this file system: what is read from it may be wrong, and proofs with it',
          evidence: `${place.errorCount} errors in ${place.source} (${place.fileSystem})`,
          measured: { errors: place.errorCount ?? 0 },
          remedy:
            place.fileSystem === 'btrfs'
              ? `sudo btrfs device stats ${place.mountPoint}`
              : `Stop what uses it, unmount it, then: sudo fsck -f ${place.source}`,
        }),
      );
    }
    return found;
  });
}

/** Decides what the disks say of themselves. */
export function judgeHealth(disks: readonly DiskHealth[]): readonly DoctorFinding[] {
  const silent = disks.filter(({ reading }) => reading.kind === 'unknown');
  const found = disks.flatMap(({ disk, services, reading }): DoctorFinding[] => {
    const about = `${disk} (${several(services)})`;
    const remedy = `sudo smartctl -a /dev/${disk}   Copy what cannot be made again (keys first) and plan its replacement`;
    if (reading.kind === 'failing') {
      return [
        finding('disk-smart-failing', {
          subject: disk,
          message: `Disk ${about} says that it is failing`,
          evidence: reading.what,
          remedy,
        }),
      ];
    }
    if (reading.kind === 'worn') {
      return [
        finding('disk-smart-sectors', {
          subject: disk,
          message: `Disk ${about} has sectors that it cannot read or had to replace: a proof fails at the first that it needs`,
          evidence: Object.entries(reading.counts)
            .map(([name, count]) => `${name} ${count}`)
            .join(', '),
          measured: reading.counts,
          remedy,
        }),
      ];
    }
    return [];
  });
  if (silent.length === 0) return found;
  const [first] = silent;
  const reason = first?.reading.kind === 'unknown' ? first.reading.reason : '';
  return [
    ...found,
    finding('disk-smart-unknown', {
      subject: several(silent.map(({ disk }) => disk)),
      message: 'What these disks say of their health could not be read',
      evidence: reason,
      measured: { disks: silent.length },
      remedy: 'With smartmontools installed: sudo smesh-compose doctor',
    }),
  ];
}

/** Decides whether the node's databases have room, also for the migration of an update (spacemesh.md §9.2, 1.7.0). */
export function judgeNodeData(node: NodeDataFacts): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [...judgePlaces([node])];
  const { freeBytes, stateBytes, path } = node;
  if (freeBytes === undefined) return found;
  if (freeBytes < LEAST_FREE) {
    found.push(
      finding('disk-node-full', {
        subject: path,
        message:
          "Too little space for the node's databases: when they cannot grow it stops in the middle of an epoch",
        evidence: `${gibibytes(freeBytes)} free, 5 GiB are the least`,
        measured: { freeBytes },
        remedy:
          'Make room on that disk, or move the folder and name it as node.data in smesh.yaml, with the node stopped',
      }),
    );
  }
  if (stateBytes !== undefined && freeBytes < stateBytes) {
    found.push(
      finding('disk-migration-space', {
        subject: path,
        message:
          'An update of the node that migrates state.sql writes it anew beside the old one, and would run out of space',
        evidence: `state.sql ${gibibytes(stateBytes)}, free ${gibibytes(freeBytes)}`,
        measured: { stateBytes, freeBytes },
        remedy: `Make ${gibibytes(stateBytes - freeBytes)} more room before the next update of the node`,
      }),
    );
  }
  return found;
}
