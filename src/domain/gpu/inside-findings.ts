import { isPocl } from './clinfo.ts';
import type { DetectedGpu } from './detect.ts';
import { cardLabel, chosenCards, finding, type GpuSituation, type VendorLook } from './judged.ts';
import { driverFinding } from './kernel-findings.ts';
import type { CardVendor, GpuFinding } from './report.ts';

const BUILD = 'docker compose --profile init build';

/** Which entry of OpenCL's loader belongs to which vendor's runtime. */
const ENTRY: Readonly<Record<CardVendor, RegExp>> = {
  nvidia: /nvidia/i,
  amd: /amdocl|rocm|rusticl|mesa/i,
  intel: /intel|igdrcl/i,
};

const RUNTIME: Readonly<Record<Exclude<CardVendor, 'nvidia'>, string>> = {
  amd: "ROCm's OpenCL runtime",
  intel: "Intel's OpenCL driver",
};

/** What a container that did answer tells: cards that are not offered, and why; pocl; filters. */
export function insideFindings(situation: GpuSituation, one: VendorLook): readonly GpuFinding[] {
  const { look, vendor } = one;
  if (look.kind === 'failed') return [];
  if (look.kind === 'not-asked') return notHere(situation, one);
  return [...(vendor === 'cpu' ? [] : missing(situation, one, vendor)), ...poclFinding(one), ...filters(one)];
}

/** An image is never pulled or built by a look. */
function notHere(situation: GpuSituation, { look, isBuilt }: VendorLook): readonly GpuFinding[] {
  if (look.kind !== 'not-asked' || look.image === undefined) return [];
  const seen = `What postcli is offered inside is not known: the image ${look.image} is not here`;
  if (!isBuilt) return [finding('note', 'image-missing', seen, `docker pull ${look.image}`)];
  return [
    finding(
      'note',
      'image-unbuilt',
      `${seen}; it is built from postcli's, which has no OpenCL driver for these cards`,
      situation.hasProject ? BUILD : `It is built in a project: smesh-compose post init   then: ${BUILD}`,
    ),
  ];
}

/** Cards that jobs are to use and that no provider stands for. */
function missing(situation: GpuSituation, one: VendorLook, vendor: CardVendor): readonly GpuFinding[] {
  const absent = chosenCards(situation, vendor).filter(
    (card) =>
      driverFinding(card).length === 0 &&
      !situation.joined.some(({ host, inside }) => host === card && inside !== undefined),
  );
  if (absent.length === 0) return [];
  return [whyMissing(one, vendor, absent)];
}

function whyMissing(one: VendorLook, vendor: CardVendor, absent: readonly DetectedGpu[]): GpuFinding {
  const cards = absent.map(cardLabel).join(', ');
  const { inside } = one;
  const not = `postcli is not offered ${cards} inside`;
  if (inside === undefined) {
    return finding('error', 'not-offered', `${not}; why could not be looked at in that image`);
  }
  const entries = inside.icds.filter(({ file, library }) => ENTRY[vendor].test(`${file} ${library}`));
  if (entries.length === 0) {
    return vendor === 'nvidia'
      ? finding(
          'error',
          'no-icd',
          `${not}: nothing in /etc/OpenCL/vendors names libnvidia-opencl.so.1`,
          'The emitted job mounts init/nvidia.icd, one line, there. Write it again: smesh-compose generate --force',
        )
      : finding('error', 'no-runtime', `${not}: the image has not ${RUNTIME[vendor]}`, BUILD);
  }
  if (vendor === 'nvidia' && !inside.nvidiaLibrary) {
    const capabilities = inside.environment['NVIDIA_DRIVER_CAPABILITIES'];
    return finding(
      'error',
      'no-compute',
      `${not}: the entry for NVIDIA's OpenCL is there, its library is not. The container toolkit brings it only with the capability compute${capabilities === undefined ? '' : ` (here: ${capabilities})`}`,
      'capabilities: [gpu, compute, utility] in the job; is it another in compose.override.yaml, or has the host no libnvidia-opencl (a driver without compute: nvidia-headless, nvidia-compute-utils)?',
    );
  }
  if (inside.closed.length > 0) {
    return finding(
      'error',
      'closed-inside',
      `${not}: the job's user may not open ${inside.closed.join(', ')} there`,
      vendor === 'nvidia'
        ? 'ls -l /dev/nvidia*   should say crw-rw-rw-; NVreg_DeviceFileMode in /etc/modprobe.d decides'
        : 'The node belongs to another group than render and video of /etc/group, or the engine maps users',
    );
  }
  const opened = inside.open.filter((path) => !path.endsWith('ctl') && !path.endsWith('uvm'));
  if (opened.length === 0) {
    return finding(
      'error',
      'no-node-inside',
      `${not}: no device node of it is in the container`,
      'The engine runs where that card is not: docker info',
    );
  }
  if (Object.keys(inside.environment).some((name) => name.startsWith('POST_OCL_'))) {
    return finding('error', 'filtered', `${not}: a filter of the environment leaves it out`);
  }
  return finding(
    'error',
    'not-offered',
    `${not}, although entry, library and device nodes are there: its runtime passes the card over`,
    vendor === 'nvidia'
      ? 'Is the driver of the card the one that is loaded? nvidia-smi   and in the job: clinfo -l'
      : `Is the card too new or too old for the runtime in the image? Then change init/Dockerfile and: ${BUILD}`,
  );
}

/** OpenCL on the processor: a device of type CPU, which postcli never offers (spacemesh.md §14.4). */
function poclFinding({ look }: VendorLook): readonly GpuFinding[] {
  if (look.kind !== 'asked') return [];
  const pocl = (look.platforms ?? []).filter(isPocl);
  const hasGpu = look.providers.some(({ kind }) => kind === 'gpu');
  if (pocl.length === 0 || hasGpu) return [];
  const devices = pocl.flatMap(({ devices: names }) => names).join(', ');
  return [
    finding(
      'note',
      'pocl',
      `OpenCL works inside, but only on the processor: pocl (Portable Computing Language${devices === '' ? '' : `: ${devices}`}). postcli takes OpenCL devices of type GPU only, so what it offers is its own provider for the processor, 4294967295`,
    ),
  ];
}

function filters({ inside }: VendorLook): readonly GpuFinding[] {
  const set = Object.entries(inside?.environment ?? {}).filter(([name]) => name.startsWith('POST_OCL_'));
  return set.map(([name, value]) =>
    finding(
      'warning',
      'filter',
      `${name}=${value} is set inside: what it names is not offered, and the numbers of all others move up`,
      'Take it out of the image or of compose.override.yaml; choose cards by init.devices instead',
    ),
  );
}
