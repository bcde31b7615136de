import { type DoctorFinding, finding } from './finding.ts';
import { gibibytes } from './words.ts';

/** What this host is and how it is doing, as far as its kernel tells. */
export interface HostFacts {
  /** `linux`, `darwin`, … */
  readonly platform: string;
  /** As `uname -m` has it: `x86_64`. */
  readonly architecture: string;
  readonly kernel: string;
  /** Of Node.js. */
  readonly runtime: string;
  readonly cgroupVersion?: 1 | 2;
  readonly totalMemoryBytes: number;
  readonly availableMemoryBytes: number;
  readonly swapTotalBytes?: number;
  readonly swapFreeBytes?: number;
  /** Whether the processor has AES instructions. */
  readonly aes?: boolean;
  readonly openFiles?: number;
  readonly mostOpenFiles?: number;
  readonly inotifyInstances?: number;
  readonly inotifyWatches?: number;
}

const AMD64 = new Set(['x86_64', 'amd64', 'x64']);

/** The official images exist for one architecture only (spacemesh.md §3.6, §4). */
function judgeArchitecture(architecture: string): readonly DoctorFinding[] {
  if (AMD64.has(architecture)) return [];
  return [
    finding('host-architecture', {
      message:
        'The official images of node and post-service are for amd64 only: here they run emulated and slowly, if at all',
      evidence: architecture,
      measured: { architecture },
      remedy:
        'Use a host with an amd64 processor, or images of your own: node.image and defaults.image in smesh.yaml',
    }),
  ];
}

/** Decides what is worth saying about a host. */
export function judgeHost(facts: HostFacts, cpus: number): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [...judgeArchitecture(facts.architecture)];
  if (facts.platform !== 'linux') {
    found.push(
      finding('host-system', {
        message: 'This is not Linux: disks, ports and limits of the host are looked at only in part',
        evidence: facts.platform,
        measured: { platform: facts.platform },
        remedy: 'Run it on the Linux machine that has the disks',
      }),
    );
  }
  if (facts.aes === false) {
    found.push(
      finding('host-no-aes', {
        message:
          'The processor (or the virtual machine) has no AES instructions: a proof reads many times slower',
        evidence: 'no aes among the flags in /proc/cpuinfo',
        measured: { aes: false },
        remedy: 'In a virtual machine give the guest the processor type of the host',
      }),
    );
  }
  const { openFiles, mostOpenFiles } = facts;
  if (openFiles !== undefined && mostOpenFiles !== undefined && openFiles > mostOpenFiles * 0.9) {
    found.push(
      finding('host-files-limit', {
        message:
          'Nearly all files that this host may have open are open: node and post-services will fail to open theirs',
        evidence: `${openFiles} of ${mostOpenFiles}`,
        measured: { openFiles, mostOpenFiles },
        remedy: `sudo sysctl -w fs.file-max=${mostOpenFiles * 2}`,
      }),
    );
  }
  const { swapTotalBytes: swap, swapFreeBytes: free } = facts;
  if (swap !== undefined && free !== undefined && swap > 0 && free < swap / 2) {
    found.push(
      finding('host-swapping', {
        message:
          'More than half of the swap is used: memory is short, and what a proof keeps there would be swapped too',
        evidence: `${gibibytes(swap - free)} of ${gibibytes(swap)} swap used, ${gibibytes(facts.availableMemoryBytes)} of memory available`,
        measured: {
          swapTotalBytes: swap,
          swapFreeBytes: free,
          availableMemoryBytes: facts.availableMemoryBytes,
        },
        remedy: 'See who uses it (top, then M), and let fewer prove at a time',
      }),
    );
  }
  return found.length > 0 ? found : [allWell(facts, cpus)];
}

function allWell(facts: HostFacts, cpus: number): DoctorFinding {
  const { architecture, kernel, cgroupVersion, totalMemoryBytes, availableMemoryBytes } = facts;
  const swap = facts.swapTotalBytes ?? 0;
  const parts = [
    architecture,
    `Linux ${kernel}`,
    ...(cgroupVersion === undefined ? [] : [`cgroup v${cgroupVersion}`]),
    `${cpus} CPUs`,
    `${gibibytes(totalMemoryBytes)} memory, ${gibibytes(availableMemoryBytes)} available`,
    swap === 0 ? 'no swap' : `${gibibytes(swap)} swap`,
    ...(facts.openFiles === undefined ? [] : [`${facts.openFiles} files open`]),
  ];
  return finding('host-ok', {
    message: 'Nothing in the way on this host',
    evidence: parts.join(', '),
    measured: {
      architecture,
      kernel,
      cgroupVersion: cgroupVersion ?? null,
      cpus,
      totalMemoryBytes,
      availableMemoryBytes,
      swapTotalBytes: swap,
      openFiles: facts.openFiles ?? null,
      mostOpenFiles: facts.mostOpenFiles ?? null,
      inotifyInstances: facts.inotifyInstances ?? null,
      inotifyWatches: facts.inotifyWatches ?? null,
    },
  });
}
