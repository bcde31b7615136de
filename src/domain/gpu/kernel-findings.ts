import { COMPUTING_DRIVERS, type DetectedGpu } from './detect.ts';
import { cardLabel, chosenCards, finding, type GpuSituation } from './judged.ts';
import { nvidiaSmiTrouble, nvidiaSmiWords } from './nvidia-smi.ts';
import type { CardVendor, GpuFinding } from './report.ts';

const GET_DRIVER: Readonly<Record<CardVendor, string>> = {
  nvidia:
    "Install NVIDIA's driver, then reboot. Ubuntu: sudo ubuntu-drivers install   Debian: sudo apt-get install nvidia-driver",
  amd: 'sudo modprobe amdgpu   A card newer than the kernel: install amdgpu-dkms (https://rocm.docs.amd.com), then reboot',
  intel:
    'sudo modprobe i915   or for newer cards: sudo modprobe xe   A card newer than the kernel needs a newer kernel',
};

/** Why a card cannot compute at all, whatever Docker does: what its kernel driver says. */
export function kernelFindings(situation: GpuSituation): readonly GpuFinding[] {
  return situation.cards
    .filter(({ vendor }) => situation.wanted.includes(vendor))
    .flatMap((card) => driverFinding(card))
    .concat(nvidiaFindings(situation), amdFindings(situation));
}

/** A card that is not bound to a driver that computes. */
export function driverFinding(card: DetectedGpu): readonly GpuFinding[] {
  const { vendor, pci } = card;
  if (pci === undefined) return [];
  const label = cardLabel(card);
  const cure = GET_DRIVER[vendor];
  switch (pci.kernelDriver) {
    case undefined:
      return [
        finding('error', 'driver-none', `${label} has no kernel driver: nothing can compute on it`, cure),
      ];
    case 'nouveau':
      return [
        finding(
          'error',
          'driver-nouveau',
          `${label} is driven by nouveau, which has no OpenCL: NVIDIA's own driver is needed`,
          cure,
        ),
      ];
    case 'vfio-pci':
      return [
        finding(
          'note',
          'driver-vfio',
          `${label} is set aside for virtual machines (vfio-pci): this host cannot compute on it`,
          'To use it here, take it out of the options of vfio-pci in /etc/modprobe.d, then reboot',
        ),
      ];
    default:
      return COMPUTING_DRIVERS[vendor].includes(pci.kernelDriver)
        ? []
        : [
            finding(
              'error',
              'driver-other',
              `${label} is driven by ${pci.kernelDriver}, which cannot compute; ${COMPUTING_DRIVERS[vendor].join(' or ')} can`,
              cure,
            ),
          ];
  }
}

function nvidiaFindings(situation: GpuSituation): readonly GpuFinding[] {
  const { facts, wanted } = situation;
  const bound = situation.cards.filter(
    ({ vendor, pci }) => vendor === 'nvidia' && (pci === undefined || pci.kernelDriver === 'nvidia'),
  );
  const trouble = nvidiaSmiTrouble(facts.nvidiaSmi);
  if (bound.length === 0 || !wanted.includes('nvidia')) return [];
  const words = nvidiaSmiWords(facts.nvidiaSmi);
  switch (trouble) {
    case undefined:
      return facts.nvidiaSmi.kind === 'absent'
        ? [
            finding(
              'warning',
              'nvidia-smi-missing',
              'nvidia-smi is not installed: how the cards are numbered, and whether the driver is whole, is not known',
              "Install the tools of the driver's release (nvidia-utils-…, Debian: nvidia-smi)",
            ),
          ]
        : [];
    case 'mismatch':
      return [
        finding(
          'error',
          'nvidia-mismatch',
          `NVIDIA's driver was updated and the old one is still loaded (${words}): no container gets a card until a reboot`,
          'Let running jobs end, then: sudo reboot',
        ),
      ];
    case 'no-driver':
      return [
        finding(
          'error',
          'nvidia-no-driver',
          `nvidia-smi does not reach the driver (${words})`,
          'Is its module built for this kernel? dkms status   then: sudo modprobe nvidia',
        ),
      ];
    case 'late':
      return [
        finding(
          'error',
          'nvidia-silent',
          'nvidia-smi does not answer: a card has probably died on the bus, and jobs on the others hang, too',
          'sudo dmesg | grep -i xid   tells which; only a reboot brings it back',
        ),
      ];
    case 'lost':
      return [
        finding(
          'error',
          'nvidia-lost',
          `A card has died on the bus (${words})`,
          'Power, riser or heat are the usual causes. The others go on; this one comes back with: sudo reboot',
        ),
      ];
    case 'other':
      return [
        finding(
          'error',
          'nvidia-smi-failed',
          `nvidia-smi fails (${words})`,
          'sudo dmesg | grep -iE "nvrm|xid"   says why',
        ),
      ];
  }
}

function amdFindings(situation: GpuSituation): readonly GpuFinding[] {
  const bound = chosenCards(situation, 'amd').filter(({ pci }) => pci?.kernelDriver === 'amdgpu');
  if (bound.length === 0) return [];
  const { nodes, kfd } = situation.facts;
  if (!nodes.some(({ path }) => path === '/dev/kfd')) {
    return [
      finding(
        'error',
        'kfd-missing',
        "/dev/kfd is not there: ROCm's OpenCL computes through it, so no job on an AMD card can start",
        'Is amdgpu of this kernel built without it? Install amdgpu-dkms (https://rocm.docs.amd.com), then reboot',
      ),
    ];
  }
  return bound
    .filter(({ device, target }) => kfd.length > 0 && device !== undefined && target === undefined)
    .map((card) =>
      finding(
        'warning',
        'kfd-passed-over',
        `${cardLabel(card)} is not among what ROCm computes on: the kernel has passed it over`,
        'sudo dmesg | grep -i kfd   says why (old card, slot without PCIe atomics)',
      ),
    );
}
