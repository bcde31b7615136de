import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GpuFinding, GpuReport } from '../../../src/domain/gpu/report.ts';
import { renderGpus } from '../../../src/ui/gpu.ts';
import { lookAtGpus } from '../../../src/usecases/gpu/look-at-gpus.ts';
import {
  ended,
  type GpuRig,
  gpuRig,
  NO_OPENCL,
  offers,
  projectWith,
  refused,
} from '../../helpers/gpu-rig.ts';
import { tempFolder } from '../../helpers/temp.ts';

type WrongSetUp = Omit<GpuRig, 'folder'> & {
  readonly title: string;
  readonly init?: Parameters<typeof projectWith>[0];
  readonly code: string;
  readonly severity?: GpuFinding['severity'];
  /** Must stand in the message. */
  readonly says: RegExp;
  /** Must stand in the cure. */
  readonly cure?: RegExp;
};

const ICD = 'icd /etc/OpenCL/vendors/nvidia.icd libnvidia-opencl.so.1\n';
const POCL_ICD = 'icd /etc/OpenCL/vendors/pocl.icd libpocl.so.2\n';
const POCL = 'clinfo\nPlatform #0: Portable Computing Language\n `-- Device #0: pthread-AMD EPYC\n';
const LIBRARY = 'library /usr/lib/x86_64-linux-gnu/libnvidia-opencl.so.1\n';
const NVIDIA_NODES = 'open /dev/nvidia0\nopen /dev/nvidiactl\nopen /dev/nvidia-uvm\n';
const hook = (text: string) =>
  refused(
    `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running hook #0: error running hook: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: ${text}: unknown`,
  );

/** What is inside where all is well with image and passthrough. */
const WELL_INSIDE: Readonly<Record<string, string>> = {
  nvidia: `${ICD + LIBRARY + NVIDIA_NODES}clinfo\n`,
  amd: 'icd /etc/OpenCL/vendors/amdocl64.icd libamdocl64.so\nopen /dev/dri/renderD128\nopen /dev/kfd\nclinfo\n',
  intel: 'icd /etc/OpenCL/vendors/intel.icd /usr/lib/libigdrcl.so\nopen /dev/dri/renderD128\nclinfo\n',
};

/** Each must be told by a message of its own. */
const SET_UPS: readonly WrongSetUp[] = [
  // The kernel's part.
  { title: 'nouveau', host: 'nvidia-nouveau', code: 'driver-nouveau', says: /nouveau/, cure: /driver/ },
  {
    title: 'no driver for NVIDIA',
    host: 'nvidia-unbound',
    code: 'driver-none',
    says: /4090.*no kernel driver/,
    cure: /reboot/,
  },
  {
    title: 'no driver for Intel',
    host: 'intel-unbound',
    code: 'driver-none',
    says: /A770.*no kernel driver/,
    cure: /modprobe/,
  },
  {
    title: 'vfio-pci',
    host: 'nvidia-vfio',
    code: 'driver-vfio',
    severity: 'note',
    says: /virtual machines/,
    cure: /modprobe\.d/,
  },
  {
    title: 'the old driver of AMD',
    host: 'amd-radeon',
    code: 'driver-other',
    says: /radeon.*amdgpu can/,
    cure: /amdgpu/,
  },
  {
    title: 'an update without a reboot',
    host: 'nvidia-updated',
    code: 'nvidia-mismatch',
    says: /version mismatch/,
    cure: /reboot/,
    providers: hook('initialization error: nvml error: driver/library version mismatch'),
  },
  {
    title: 'a tool that hangs',
    host: 'nvidia-hangs',
    toolMs: 200,
    code: 'nvidia-silent',
    says: /does not answer/,
    cure: /xid/,
  },
  {
    title: 'a card that has died',
    host: 'nvidia-lost',
    code: 'nvidia-lost',
    says: /0000:02:00\.0: GPU is lost/,
    cure: /reboot/,
  },
  {
    title: 'a module that is not built',
    host: 'nvidia-unloaded',
    code: 'nvidia-no-driver',
    says: /does not reach/,
    cure: /dkms/,
  },
  {
    title: 'another fault of nvidia-smi',
    host: 'nvidia-broken',
    code: 'nvidia-smi-failed',
    says: /Unknown Error/,
    cure: /dmesg/,
  },
  {
    title: 'no nvidia-smi',
    host: 'nvidia-no-tools',
    code: 'nvidia-smi-missing',
    severity: 'warning',
    says: /not installed/,
    cure: /nvidia-utils/,
  },
  {
    title: 'no /dev/kfd',
    host: 'amd-no-kfd',
    code: 'kfd-missing',
    says: /\/dev\/kfd is not there/,
    cure: /amdgpu-dkms/,
  },
  {
    title: 'a card that ROCm passes over',
    host: 'amd-passed-over',
    code: 'kfd-passed-over',
    severity: 'warning',
    says: /passed it over/,
    cure: /dmesg/,
  },
  // Who may open it.
  {
    title: 'S26: no render node',
    host: 'amd-no-render-node',
    code: 'render-node-missing',
    says: /no render node/,
    cure: /\/dev\/dri/,
  },
  {
    title: 'S26: no render group',
    host: 'amd-no-render-group',
    code: 'render-group-missing',
    says: /1000:1000.*group 993/,
    cure: /groupadd --system --gid 993/,
  },
  {
    title: 'S26: another group',
    host: 'amd-other-group',
    code: 'render-group-other',
    says: /gamers \(1500\)/,
    cure: /udev/,
  },
  {
    title: 'S26: a closed node',
    host: 'amd-closed',
    code: 'node-closed',
    says: /its group may not/,
    cure: /0660/,
  },
  // The engine.
  {
    title: 'no container toolkit',
    host: 'nvidia-one',
    code: 'toolkit-missing',
    says: /knows no container toolkit/,
    cure: /nvidia-ctk runtime configure/,
    providers: refused('could not select device driver "nvidia" with capabilities: [[gpu compute utility]]'),
  },
  {
    title: 'no container toolkit, and no image to ask with',
    host: 'nvidia-one',
    without: ['spacemeshos/postcli:v0.12.9'],
    code: 'toolkit-unseen',
    severity: 'warning',
    says: /names no runtime nvidia/,
    cure: /nvidia-ctk/,
  },
  {
    title: 'driver and toolkit apart',
    host: 'nvidia-one',
    code: 'toolkit-mismatch',
    says: /until a reboot/,
    cure: /reboot/,
    providers: hook('initialization error: nvml error: driver/library version mismatch'),
  },
  {
    title: 'no driver where the engine is',
    host: 'nvidia-one',
    code: 'toolkit-no-driver',
    says: /no NVIDIA driver/,
    cure: /nvidia-smi/,
    providers: hook(
      'initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory',
    ),
  },
  {
    title: 'a card that the toolkit does not know',
    host: 'nvidia-one',
    code: 'device-unknown',
    says: /does not know a card/,
    cure: /nvidia-smi -L/,
    providers: hook('device error: 0: unknown device'),
  },
  {
    title: 'a toolkit that must write',
    host: 'nvidia-one',
    code: 'toolkit-read-only',
    says: /read-only in a job/,
    cure: /runc/,
    providers: refused(
      'failed to create task for container: OCI runtime create failed: error running createContainer hook #6: exit status 1, stderr: failed to update ldcache: /usr/bin/nvidia-cdi-hook: open /etc/ld.so.cache~: read-only file system',
    ),
  },
  {
    title: 'no description of the cards',
    host: 'nvidia-one',
    code: 'cdi-missing',
    says: /CDI/,
    cure: /nvidia-ctk cdi generate/,
    providers: refused(
      'could not apply runtime modifications: error modifying OCI spec: failed to inject CDI devices: unresolvable CDI devices nvidia.com/gpu=all: unknown',
    ),
  },
  {
    title: 'another fault of the toolkit',
    host: 'nvidia-one',
    code: 'toolkit-failed',
    says: /ldcache error/,
    cure: /nvidia-container-cli/,
    providers: hook('ldcache error: process /sbin/ldconfig failed with error code: 1'),
  },
  {
    title: 'snap',
    host: 'amd',
    code: 'engine-snap',
    severity: 'warning',
    says: /snap/,
    cure: /docs\.docker\.com/,
    engine: { dataRoot: '/var/snap/docker/common/var-lib-docker' },
  },
  {
    title: 'rootless with NVIDIA',
    host: 'nvidia-one',
    code: 'rootless-nvidia',
    severity: 'warning',
    says: /without root/,
    cure: /no-cgroups/,
    engine: { rootless: true, securityOptions: ['seccomp', 'rootless'] },
  },
  {
    title: 'rootless with AMD',
    host: 'amd',
    code: 'rootless-groups',
    severity: 'warning',
    says: /groups of this host/,
    cure: /0666/,
    engine: { rootless: true, securityOptions: ['seccomp', 'rootless'] },
  },
  {
    title: 'mapped users',
    host: 'intel',
    code: 'userns-groups',
    severity: 'warning',
    says: /userns-remap/,
    cure: /daemon\.json/,
    engine: { securityOptions: ['seccomp', 'userns'] },
  },
  {
    title: 'Docker Desktop',
    host: 'nvidia-one',
    code: 'engine-desktop',
    says: /virtual machine/,
    cure: /Docker Engine/,
    engine: { desktop: true },
  },
  {
    title: 'another machine',
    host: 'nvidia-one',
    endpoint: 'tcp://10.0.0.7:2376',
    code: 'engine-remote',
    says: /10\.0\.0\.7/,
    cure: /that machine/,
  },
  {
    title: 'another machine whose cards are offered',
    host: 'nvidia-nouveau',
    endpoint: 'ssh://farm',
    code: 'engine-remote',
    severity: 'warning',
    says: /ssh:\/\/farm/,
    providers: offers('NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
  },
  {
    title: 'no /dev/kfd where the engine is',
    host: 'amd',
    code: 'kfd-not-handed',
    says: /no \/dev\/kfd where it runs/,
    cure: /amdgpu-dkms/,
    providers: refused(
      'error gathering device information while adding custom device "/dev/kfd": no such file or directory',
    ),
  },
  {
    title: 'no render node where the engine is',
    host: 'intel',
    code: 'node-not-handed',
    says: /no such device node/,
    cure: /ls -l \/dev\/dri/,
    providers: refused(
      'error gathering device information while adding custom device "/dev/dri": no such file or directory',
    ),
  },
  {
    title: 'an engine that does not see our files',
    host: 'nvidia-one',
    code: 'icd-not-seen',
    says: /does not see the entry/,
    cure: /this machine/,
    providers: refused(
      'invalid mount config for type "bind": bind source path does not exist: /tmp/x-nvidia.icd',
    ),
  },
  // The image.
  {
    title: 'no image',
    host: 'nvidia-one',
    engine: { runtimes: ['nvidia'] },
    without: ['spacemeshos/postcli:v0.12.9'],
    code: 'image-missing',
    severity: 'note',
    says: /is not here/,
    cure: /docker pull spacemeshos\/postcli:v0\.12\.9/,
  },
  {
    title: 'an image that nobody has built',
    host: 'amd',
    init: { gpu: 'amd' },
    without: ['smesh-compose/postcli-amd:v0.12.9'],
    code: 'image-unbuilt',
    severity: 'note',
    says: /built from postcli's/,
    cure: /^docker compose --profile init build$/,
  },
  {
    title: 'an image of something else',
    host: 'intel',
    code: 'image-not-postcli',
    says: /does not run postcli/,
    cure: /init\.image/,
    providers: refused('exec: "/bin/postcli": stat /bin/postcli: no such file or directory: unknown'),
  },
  {
    title: 'no OpenCL at all',
    host: 'intel',
    code: 'no-opencl',
    says: /waits 20 s/,
    cure: /spacemeshos\/postcli/,
    providers: NO_OPENCL,
  },
  {
    title: 'no entry for NVIDIA',
    host: 'nvidia-one',
    code: 'no-icd',
    says: /libnvidia-opencl\.so\.1/,
    cure: /generate/,
    inside: POCL_ICD + LIBRARY + NVIDIA_NODES + POCL,
  },
  {
    title: 'no capability compute',
    host: 'nvidia-one',
    code: 'no-compute',
    says: /capability compute \(here: utility\)/,
    cure: /capabilities/,
    inside: `${ICD + POCL_ICD + NVIDIA_NODES}env NVIDIA_DRIVER_CAPABILITIES=utility\n${POCL}`,
  },
  {
    title: 'an image without a runtime for AMD',
    host: 'amd',
    code: 'no-runtime',
    says: /ROCm's OpenCL runtime/,
    cure: /init build/,
    inside: `${POCL_ICD}open /dev/dri/renderD128\nopen /dev/kfd\n${POCL}`,
  },
  {
    title: 'S26: a node that the job may not open inside',
    host: 'intel',
    code: 'closed-inside',
    says: /may not open \/dev\/dri\/renderD128 there/,
    cure: /group/,
    inside: 'icd /etc/OpenCL/vendors/intel.icd /usr/lib/libigdrcl.so\nclosed /dev/dri/renderD128\nclinfo\n',
  },
  {
    title: 'no node inside',
    host: 'nvidia-one',
    code: 'no-node-inside',
    says: /no device node/,
    inside: `${ICD + LIBRARY}open /dev/nvidiactl\nclinfo\n`,
  },
  {
    title: 'a filter',
    host: 'nvidia-one',
    code: 'filtered',
    says: /a filter/,
    inside: `${ICD + LIBRARY + NVIDIA_NODES}env POST_OCL_DEVICES_BLACKLIST=3090\nclinfo\n`,
  },
  {
    title: 'a filter that moves numbers',
    host: 'nvidia-one',
    code: 'filter',
    severity: 'warning',
    says: /POST_OCL_PLATFORMS_BLACKLIST=Clover.*move up/,
    providers: offers('NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
    inside: 'env POST_OCL_PLATFORMS_BLACKLIST=Clover\n',
  },
  {
    title: 'a runtime that passes the card over',
    host: 'intel',
    code: 'not-offered',
    says: /passes the card over/,
    cure: /init\/Dockerfile/,
    inside: 'icd /etc/OpenCL/vendors/intel.icd /usr/lib/libigdrcl.so\nopen /dev/dri/renderD128\nclinfo\n',
  },
  {
    title: 'postcli and its library apart',
    host: 'nvidia-one',
    code: 'postcli-library',
    says: /do not go together/,
    providers: ended('', 'panic: unsupported post-rs library version', 2),
  },
  {
    title: 'postcli that does not answer',
    host: 'nvidia-one',
    code: 'look-failed',
    says: /no answer within 60 s/,
    providers: { kind: 'timed-out', stdout: '', stderr: '' },
  },
  // smesh.yaml.
  {
    title: 'a card that is not there',
    host: 'nvidia-one',
    init: { gpu: 'nvidia', devices: ['0', '3'] },
    providers: offers('NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
    code: 'device-missing',
    says: /names the card 3.*there are 0/,
    cure: /init\.devices/,
  },
  {
    title: 'a vendor that is not there',
    host: 'nvidia-one',
    init: { gpu: 'amd' },
    code: 'no-card-of-vendor',
    says: /init\.gpu of smesh\.yaml is amd.*but of NVIDIA/,
    cure: /lspci/,
  },
  {
    title: 'another vendor beside',
    host: 'two-vendors',
    init: { gpu: 'nvidia' },
    code: 'other-vendor',
    severity: 'note',
    says: /Cards of Intel/,
    providers: offers('NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
  },
  {
    title: 'two vendors and no project',
    host: 'two-vendors',
    code: 'two-vendors',
    severity: 'note',
    says: /one vendor/,
  },
  {
    title: 'pocl',
    host: 'no-card',
    code: 'pocl',
    severity: 'note',
    says: /only on the processor: pocl .*pthread-AMD EPYC.*4294967295/,
    inside: POCL_ICD + POCL,
  },
  {
    title: 'no card',
    host: 'no-card',
    code: 'no-card',
    severity: 'note',
    says: /no graphics card/,
    cure: /post init/,
  },
];

async function look({ init, ...rig }: Omit<WrongSetUp, 'title' | 'code' | 'says'>): Promise<GpuReport> {
  const inside = WELL_INSIDE[rig.host.split('-')[0] ?? ''] ?? '';
  const { context } = gpuRig({ inside, ...rig, folder: tempFolder('gpu') });
  return lookAtGpus(context, init === undefined ? undefined : projectWith(init));
}

describe('wrong set-ups', () => {
  it.each(SET_UPS)('$title', async ({ code, severity = 'error', says, cure, ...rig }) => {
    const { findings, ...report } = await look(rig);
    const found = findings.find((one) => one.code === code);
    expect(found, JSON.stringify(findings, null, 1)).toMatchObject({
      severity,
      message: expect.stringMatching(says),
    });
    if (cure !== undefined) expect(found?.hint).toMatch(cure);
    // One cause is told once.
    if (severity === 'error') {
      expect(findings.filter((one) => one.severity === 'error').map((one) => one.code)).toEqual([code]);
    }
    for (const line of renderGpus({ ...report, findings }, { columns: 100, color: false })) {
      expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  it('are told apart: no two have the same message', async () => {
    const messages = await Promise.all(
      SET_UPS.map(async (one) => (await look(one)).findings.find(({ code }) => code === one.code)?.message),
    );
    expect(new Set(messages).size).toBe(SET_UPS.length);
  });

  it('stand in the guide, each with its code', () => {
    const guide = readFileSync(new URL('../../../docs/guide/gpu.md', import.meta.url), 'utf8');
    expect(SET_UPS.map(({ code }) => code).filter((code) => !guide.includes(`\`${code}\``))).toEqual([]);
  });

  it('use every host that is laid out', () => {
    const used = new Set(['nvidia-two', 'nvidia-wsl', ...SET_UPS.map(({ host }) => host)]);
    const there = readdirSync(new URL('../../fixtures/gpu-hosts/', import.meta.url)).filter((name) =>
      name.endsWith('.txt'),
    );
    expect([...used].sort()).toEqual(there.map((name) => name.replace('.txt', '')).sort());
  });
});
