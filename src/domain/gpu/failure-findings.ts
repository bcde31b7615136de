import { GET_TOOLKIT } from './engine-findings.ts';
import { finding, type VendorLook } from './judged.ts';
import type { GpuFinding } from './report.ts';

interface Known {
  readonly words: RegExp;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What engine, container toolkit and postcli say where a job's container does not come to its work. */
const KNOWN: readonly Known[] = [
  {
    words: /could not select device driver|no known GPU vendor|failed to discover GPU vendor/i,
    code: 'toolkit-missing',
    message: 'The engine cannot hand out NVIDIA cards: it knows no container toolkit',
    hint: GET_TOOLKIT,
  },
  {
    words: /driver\/library version mismatch/i,
    code: 'toolkit-mismatch',
    message:
      "NVIDIA's driver was updated and the old one is still loaded: the engine gets no card until a reboot",
    hint: 'Let running jobs end, then: sudo reboot',
  },
  {
    words: /libnvidia-ml\.so|driver not loaded|nvml error: driver/i,
    code: 'toolkit-no-driver',
    message: 'The container toolkit finds no NVIDIA driver where the engine runs',
    hint: 'nvidia-smi   must list the cards there first',
  },
  {
    words: /unknown device|invalid device|no device found/i,
    code: 'device-unknown',
    message: 'The container toolkit does not know a card that init.devices names',
    hint: 'nvidia-smi -L   lists their numbers and UUIDs; then correct init.devices in smesh.yaml',
  },
  {
    words: /unresolvable CDI device/i,
    code: 'cdi-missing',
    message: 'The engine has no description of the NVIDIA cards (CDI), or an old one',
    hint: 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml   then: sudo systemctl restart docker',
  },
  {
    words: /(?:nvidia|hook).*read-only file system/is,
    code: 'toolkit-read-only',
    message:
      "The container toolkit writes into the container's root file system, which is read-only in a job",
    hint: 'With runc, which Docker brings, it can (docker info, Default Runtime). Else in compose.override.yaml, for each job: read_only: false',
  },
  {
    words: /nvidia-container-(?:cli|runtime)|nvidia-ctk/i,
    code: 'toolkit-failed',
    message: "NVIDIA's container toolkit fails",
    hint: 'sudo nvidia-container-cli -k -d /dev/stderr info   says more',
  },
  {
    words: /\/dev\/kfd.*no such file|no such file.*\/dev\/kfd/is,
    code: 'kfd-not-handed',
    message: 'The engine finds no /dev/kfd where it runs',
    hint: 'Install amdgpu-dkms there (https://rocm.docs.amd.com), then reboot',
  },
  {
    words: /error gathering device information|\/dev\/dri.*no such file/is,
    code: 'node-not-handed',
    message: 'The engine finds no such device node where it runs',
    hint: 'ls -l /dev/dri   on that machine; then correct init.devices in smesh.yaml',
  },
  {
    words: /bind source path does not exist|invalid mount config/i,
    code: 'icd-not-seen',
    message:
      "The engine does not see the entry for NVIDIA's OpenCL that lies on this host: it is on another machine, or from snap",
    hint: 'Use Docker Engine on this machine: https://docs.docker.com/engine/install/',
  },
  {
    words: /executable file not found|exec format error|no such file or directory: unknown/i,
    code: 'image-not-postcli',
    message: 'The image does not run postcli here',
    hint: 'init.image of smesh.yaml wants an image of postcli for this processor',
  },
  {
    words: /failed to get OpenCL providers/,
    code: 'no-opencl',
    message:
      'postcli finds no OpenCL platform inside, waits 20 s for one, and ends: there is neither a loader entry for a card nor pocl in the image',
    hint: 'Use the image spacemeshos/postcli, or one that is built on it: docker compose --profile init build',
  },
  {
    words: /LIBPOST|unsupported post-rs|version mismatch/i,
    code: 'postcli-library',
    message: 'postcli and its library in the image are of releases that do not go together',
    hint: 'Take a named release of spacemeshos/postcli',
  },
];

/** Why a container with a job's passthrough did not come to answer. Its own words stand in the message. */
export function failureFindings({ vendor, look }: VendorLook): readonly GpuFinding[] {
  if (look.kind !== 'failed') return [];
  const { reason, image } = look;
  const known = KNOWN.find(({ words }) => words.test(reason));
  if (known !== undefined) {
    return [finding('error', known.code, `${known.message} ("${shortened(reason)}")`, known.hint)];
  }
  return [
    finding(
      'error',
      'look-failed',
      `What postcli sees inside with the passthrough for ${vendor} is not known (${image}: "${shortened(reason)}")`,
      'Are there other containers on the card, or is the image not of postcli?',
    ),
  ];
}

/** Chains of the engine repeat themselves; the end says what it is about. */
function shortened(reason: string): string {
  const text = reason.replace(/\s+/g, ' ').trim();
  return text.length <= 160 ? text : `… ${text.slice(-158)}`;
}
