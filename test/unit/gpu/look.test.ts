import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderGpus } from '../../../src/ui/gpu.ts';
import { lookAtGpus } from '../../../src/usecases/gpu/look-at-gpus.ts';
import { gpuRig, offers, projectWith } from '../../helpers/gpu-rig.ts';
import { tempFolder } from '../../helpers/temp.ts';

const RTX = 'NVIDIA CUDA/NVIDIA GeForce RTX 3090';
const HEALTHY = { runtimes: ['runc', 'nvidia'] };

describe('lookAtGpus', () => {
  it('asks for NVIDIA as a job is made, with the entry for its OpenCL, and leaves nothing behind', async () => {
    const folder = tempFolder('gpu');
    const { context, containers } = gpuRig({
      host: 'nvidia-two',
      folder,
      engine: HEALTHY,
      providers: offers(RTX, RTX),
    });
    const report = await lookAtGpus(context);
    expect(report.findings).toEqual([]);
    expect(report.joined.map(({ host, inside }) => [host?.device, inside?.id])).toEqual([
      ['0', 0],
      ['1', 1],
      [undefined, 4_294_967_295],
    ]);
    expect(containers).toHaveLength(2);
    for (const { image, user, passthrough, mounts } of containers) {
      expect(image).toBe('spacemeshos/postcli:v0.12.9');
      expect(user).toBe('1000:1000');
      expect(mounts).toEqual([]);
      expect(passthrough).toMatchObject({
        devices: [],
        deviceRequests: [{ driver: 'nvidia', count: -1, capabilities: ['gpu', 'compute', 'utility'] }],
        groups: [],
        mounts: [{ target: '/etc/OpenCL/vendors/nvidia.icd' }],
        environment: { HOME: '/tmp' },
      });
    }
    expect(readdirSync(folder).filter((name) => name.includes('icd'))).toEqual([]);
  });

  it("mounts the project's own entry where it is generated, and asks for the cards that it names", async () => {
    const folder = tempFolder('gpu');
    mkdirSync(join(folder, 'init'));
    writeFileSync(join(folder, 'init/nvidia.icd'), 'libnvidia-opencl.so.1\n');
    const { context, containers } = gpuRig({
      host: 'nvidia-two',
      folder,
      engine: HEALTHY,
      providers: offers(RTX),
    });
    const report = await lookAtGpus(context, projectWith({ devices: ['1'] }));
    expect(containers[0]?.passthrough?.mounts[0]?.source).toBe(join(folder, 'init/nvidia.icd'));
    expect(containers[0]?.passthrough?.deviceRequests).toEqual([
      { driver: 'nvidia', ids: ['1'], capabilities: ['gpu', 'compute', 'utility'] },
    ]);
    expect(existsSync(join(folder, 'init/nvidia.icd'))).toBe(true);
    // The other card is none of the project's: that nobody offers it is no fault.
    expect(report.findings).toEqual([]);
  });

  it('asks for every card where new jobs are to choose from them', async () => {
    const { context, containers } = gpuRig({
      host: 'nvidia-two',
      folder: tempFolder('gpu'),
      engine: HEALTHY,
      providers: offers(RTX, RTX),
    });
    const report = await lookAtGpus(context, projectWith({ devices: ['1'] }), { everyCard: true });
    expect(containers[0]?.passthrough?.deviceRequests[0]).toMatchObject({ count: -1 });
    expect(report.joined.filter(({ host, inside }) => host && inside)).toHaveLength(2);
  });

  it('hands AMD its nodes and numeric groups, in the image that is built for it', async () => {
    const rocm = 'AMD Accelerated Parallel Processing/gfx1030';
    const { context, containers } = gpuRig({
      host: 'amd',
      folder: tempFolder('gpu'),
      providers: offers(rocm),
    });
    const report = await lookAtGpus(context);
    expect(report.joined[0]).toMatchObject({ host: { device: '/dev/dri/renderD128' }, inside: { id: 0 } });
    expect(containers[0]?.image).toBe('smesh-compose/postcli-amd:v0.12.9');
    expect(containers[0]?.passthrough).toMatchObject({
      devices: ['/dev/kfd', '/dev/dri'],
      groups: [44, 109],
    });
    expect(report.findings).toEqual([]);
  });

  it('tells the host where the engine cannot be asked', async () => {
    const { context, containers } = gpuRig({ host: 'nvidia-two', folder: tempFolder('gpu'), engine: 'down' });
    const report = await lookAtGpus(context);
    expect(report.engine).toEqual({
      code: 'engine-down',
      message: 'No Docker engine answers',
      hint: 'start it',
    });
    expect(report.cards).toHaveLength(2);
    expect(report.joined.map(({ inside }) => inside)).toEqual([undefined, undefined]);
    expect(containers).toEqual([]);
    const lines = renderGpus(report, { columns: 100, color: false });
    expect(lines).toMatchInlineSnapshot(`
      [
        "2 graphics cards on this host",
        "",
        "CARD                     MEMORY  DRIVER            DEVICE  INSIDE",
        "NVIDIA GeForce RTX 3090  24 GiB  nvidia 550.90.07  0       not asked",
        "NVIDIA GeForce RTX 3090  24 GiB  nvidia 550.90.07  1       not asked",
        "",
        "error    No Docker engine answers",
        "         → start it",
      ]
    `);
  });

  it('looks at the vendor that is asked for before a project says it', async () => {
    const { context, containers } = gpuRig({
      host: 'two-vendors',
      folder: tempFolder('gpu'),
      engine: HEALTHY,
      providers: offers(RTX),
    });
    await lookAtGpus(context, undefined, { vendor: 'nvidia' });
    expect(new Set(containers.map(({ image }) => image))).toEqual(new Set(['spacemeshos/postcli:v0.12.9']));
  });

  it('does not say of smesh.yaml what --gpu said', async () => {
    const look = (vendor: 'amd' | 'nvidia') => {
      const { context } = gpuRig({ host: 'two-vendors', folder: tempFolder('gpu'), engine: HEALTHY });
      return lookAtGpus(context, undefined, { vendor });
    };
    const absent = await look('amd');
    expect(absent.findings[0]?.message).toMatch(/^--gpu is amd, and this host has no card of AMD, but of/);
    const other = await look('nvidia');
    const texts = [...absent.findings, ...other.findings].map(({ message, hint }) => `${message} ${hint}`);
    expect(texts.join('\n')).not.toContain('init.gpu');
  });

  it('reads well', async () => {
    const { context } = gpuRig({
      host: 'two-vendors',
      folder: tempFolder('gpu'),
      engine: HEALTHY,
      providers: offers(RTX),
      without: ['smesh-compose/postcli-intel:v0.12.9'],
    });
    const lines = renderGpus(await lookAtGpus(context), { columns: 100, color: false });
    expect(lines).toMatchInlineSnapshot(`
      [
        "2 graphics cards on this host, 1 of them offered inside",
        "",
        "CARD                     MEMORY  DRIVER            DEVICE               INSIDE",
        "NVIDIA GeForce RTX 3090  24 GiB  nvidia 550.90.07  0                    provider 0",
        "Intel UHD Graphics 630           i915              /dev/dri/renderD128  not asked",
        "the processor                                                           provider 4294967295",
        "",
        "Inside spacemeshos/postcli:v0.12.9, as a job for nvidia: 0 [GPU] NVIDIA CUDA/NVIDIA GeForce RTX",
        "3090, 4294967295 [CPU] scrypt-jane",
        "",
        "note     Cards of NVIDIA and Intel are here: the jobs of a project use those of one vendor",
        "         (init.gpu) [two-vendors]",
        "note     What postcli is offered inside is not known: the image",
        "         smesh-compose/postcli-intel:v0.12.9 is not here; it is built from postcli's, which has no",
        "         OpenCL driver for these cards [image-unbuilt]",
        "         → It is built in a project: smesh-compose post init",
        "           then: docker compose --profile init build",
      ]
    `);
  });
});
