import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPocl, parseClinfo } from '../../../src/domain/gpu/clinfo.ts';
import type { DetectedGpu } from '../../../src/domain/gpu/detect.ts';
import { LOOK_INSIDE, parseInside } from '../../../src/domain/gpu/inside.ts';
import { joinCards } from '../../../src/domain/gpu/join.ts';
import { nvidiaModuleVersion, parseNvidiaSmi } from '../../../src/domain/gpu/nvidia-smi.ts';
import { findPciName } from '../../../src/domain/gpu/pci-names.ts';
import { parseProviders } from '../../../src/domain/gpu/providers.ts';
import { spewProviders } from '../../helpers/spew.ts';
import { tempFolder } from '../../helpers/temp.ts';

const CPU = '[CPU] scrypt-jane';

describe('postcli -printProviders', () => {
  it('reads what Go spews', () => {
    const text = spewProviders(['[GPU] NVIDIA CUDA/NVIDIA GeForce RTX 3090', CPU]);
    expect(parseProviders(text)).toEqual([
      { id: 0, model: '[GPU] NVIDIA CUDA/NVIDIA GeForce RTX 3090', kind: 'gpu' },
      { id: 4_294_967_295, model: CPU, kind: 'cpu' },
    ]);
  });

  it('keeps quotes, commas and braces of a name', () => {
    const strange = '[GPU] Clover/AMD "Radeon", {gfx} \\ (x)';
    expect(parseProviders(spewProviders([strange]))[0]?.model).toBe(strange);
  });

  it('reads nothing from anything else', () => {
    expect(parseProviders('')).toEqual([]);
    expect(
      parseProviders('2026/11/20 12:38:44 failed to get OpenCL providers failed to fetch providers'),
    ).toEqual([]);
  });
});

describe('clinfo -l', () => {
  it('reads platforms and their devices, whatever draws the tree', () => {
    const text = [
      'Platform #0: NVIDIA CUDA',
      ' +-- Device #0: NVIDIA GeForce RTX 3090',
      ' `-- Device #1: NVIDIA GeForce RTX 3080',
      'Platform #1: Portable Computing Language',
      ' `-- Device #0: pthread-AMD EPYC 7542 32-Core Processor',
      '',
    ].join('\n');
    const platforms = parseClinfo(text);
    expect(platforms).toEqual([
      { name: 'NVIDIA CUDA', devices: ['NVIDIA GeForce RTX 3090', 'NVIDIA GeForce RTX 3080'] },
      { name: 'Portable Computing Language', devices: ['pthread-AMD EPYC 7542 32-Core Processor'] },
    ]);
    expect(platforms.map(isPocl)).toEqual([false, true]);
  });

  it('reads a platform without devices, and none', () => {
    expect(parseClinfo('Platform #0: Clover\n')).toEqual([{ name: 'Clover', devices: [] }]);
    expect(parseClinfo('')).toEqual([]);
  });
});

describe('the look inside', () => {
  it('tells entries, library, nodes, filters and platforms of where it runs', () => {
    const folder = tempFolder('inside');
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/clinfo'), "#!/bin/bash\necho 'Platform #0: X'\n", { mode: 0o755 });
    const script = LOOK_INSIDE.replaceAll('/etc/OpenCL/vendors', folder).replaceAll(
      '/dev/',
      `${folder}/dev/`,
    );
    mkdirSync(join(folder, 'dev/dri'), { recursive: true });
    writeFileSync(join(folder, 'nvidia.icd'), 'libnvidia-opencl.so.1\n');
    writeFileSync(join(folder, 'dev/dri/renderD128'), '');
    writeFileSync(join(folder, 'dev/nvidiactl'), '');
    const stdout = execFileSync('/bin/bash', ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${join(folder, 'bin')}:/bin:/usr/bin`, POST_OCL_DEVICES_BLACKLIST: 'a=b|.*' },
    });
    const facts = parseInside(stdout);
    expect(facts.icds).toContainEqual({ file: 'nvidia.icd', library: 'libnvidia-opencl.so.1' });
    expect(facts.open).toEqual([`${folder}/dev/dri/renderD128`, `${folder}/dev/nvidiactl`]);
    expect(facts.closed).toEqual([]);
    expect(facts.nvidiaLibrary).toBe(existsSync('/usr/lib/x86_64-linux-gnu/libnvidia-opencl.so.1'));
    expect(facts.environment).toEqual({ POST_OCL_DEVICES_BLACKLIST: 'a=b|.*' });
    expect(facts.platforms).toEqual([{ name: 'X', devices: [] }]);
    expect(parseInside('').platforms).toBeUndefined();
  });
});

describe('nvidia-smi', () => {
  it('takes the lines that are cards', () => {
    expect(
      parseNvidiaSmi('garbage\n0, GPU-1, NVIDIA A100, [N/A], 1.2, 00000000:0A:00.0\n1, x, y\n\n'),
    ).toEqual([{ index: '0', uuid: 'GPU-1', name: 'NVIDIA A100', driver: '1.2', address: '0000:0a:00.0' }]);
  });

  it('finds the release of proprietary and open modules', () => {
    const open =
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build  (root@x)';
    expect(nvidiaModuleVersion(open)).toBe('560.35.03');
    expect(nvidiaModuleVersion(undefined)).toBeUndefined();
  });
});

describe('pci.ids', () => {
  it('looks only among the devices of the vendor', () => {
    const text =
      '1002  AMD\n\t2204  Not this\n10de  NVIDIA\n\t2204  GA102\n\t\t2204 0001  Not this\n8086  Intel\n\t9999  Nor this\n';
    expect(findPciName(text, '10de', '2204')).toBe('GA102');
    expect(findPciName(text, '10de', '9999')).toBeUndefined();
    expect(findPciName(text, 'ffff', '2204')).toBeUndefined();
  });
});

describe('joining', () => {
  const card = (name: string, rest: Partial<DetectedGpu> = {}): DetectedGpu => ({
    vendor: 'nvidia',
    name,
    ...rest,
  });
  const offer = (id: number, model: string) => ({
    askedFor: 'nvidia' as const,
    provider: { id, model: `[GPU] ${model}`, kind: 'gpu' as const },
  });
  const ids = (rows: ReturnType<typeof joinCards>) =>
    rows.map(({ host, inside }) => [host?.name, inside?.id]);

  it('goes by name before order, and by order among equals', () => {
    const cards = [
      card('NVIDIA GeForce RTX 3090'),
      card('NVIDIA GeForce RTX 4090'),
      card('NVIDIA GeForce RTX 3090'),
    ];
    const seen = [
      offer(0, 'NVIDIA CUDA/NVIDIA GeForce RTX 4090'),
      offer(1, 'NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
      offer(2, 'NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
    ];
    expect(ids(joinCards(cards, seen))).toEqual([
      ['NVIDIA GeForce RTX 3090', 1],
      ['NVIDIA GeForce RTX 4090', 0],
      ['NVIDIA GeForce RTX 3090', 2],
    ]);
  });

  it("finds AMD's card behind the name of its architecture", () => {
    const cards = [
      card('AMD Radeon VII', { vendor: 'amd', target: 'gfx906' }),
      card('AMD Radeon RX 6800', { vendor: 'amd', target: 'gfx1030' }),
    ];
    const seen = [
      offer(0, 'AMD Accelerated Parallel Processing/gfx1030'),
      offer(1, 'AMD Accelerated Parallel Processing/gfx906:sramecc+:xnack-'),
    ];
    expect(ids(joinCards(cards, seen))).toEqual([
      ['AMD Radeon VII', 1],
      ['AMD Radeon RX 6800', 0],
    ]);
  });

  it('never joins two vendors, and keeps what is alone', () => {
    const cards = [card('Intel Arc A770', { vendor: 'intel' })];
    const seen = [
      offer(0, 'NVIDIA CUDA/NVIDIA GeForce RTX 3090'),
      { askedFor: 'cpu' as const, provider: { id: 4_294_967_295, model: CPU, kind: 'cpu' as const } },
    ];
    expect(ids(joinCards(cards, seen))).toEqual([
      ['Intel Arc A770', undefined],
      [undefined, 0],
      [undefined, 4_294_967_295],
    ]);
  });

  it('joins names that say more on one side', () => {
    const cards = [card('Intel Arc A770', { vendor: 'intel' })];
    expect(
      ids(joinCards(cards, [offer(0, 'Intel(R) OpenCL Graphics/Intel(R) Arc(TM) A770 Graphics')])),
    ).toEqual([['Intel Arc A770', 0]]);
  });
});
