import { join } from 'node:path';
import type { GpuFacts } from '../../domain/gpu/facts.ts';
import { NVIDIA_SMI_QUERY } from '../../domain/gpu/nvidia-smi.ts';
import type { GpuPort } from '../../ports/gpu.ts';
import { readKfd, readNodes, readNvidiaCards, readPciCards, readText } from './sysfs.ts';
import { runTool } from './tool.ts';

/** A driver that has to wake up takes seconds; one that says nothing for longer hangs. */
const TOOL_MS = 10_000;

export interface GpuPlaces {
  /** Where /dev, /sys, /proc, /etc and /usr of the host are; another folder for recorded trees in tests. */
  readonly root?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly toolMs?: number;
}

/** GpuPort of the machine that this process runs on. */
export function createGpu({ root = '/', env, toolMs = TOOL_MS }: GpuPlaces): GpuPort {
  // Messages must be in one language; tools in sbin are not in the PATH of everybody.
  const toolEnv = { ...env, PATH: `${env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  return {
    async facts(): Promise<GpuFacts> {
      const [cards, nodes, kfd, nvidiaCards, nvidiaModule, groups, nvidiaSmi] = await Promise.all([
        readPciCards(root),
        readNodes(root),
        readKfd(root),
        readNvidiaCards(root),
        readText(join(root, 'proc/driver/nvidia/version')),
        readText(join(root, 'etc/group')),
        runTool('nvidia-smi', NVIDIA_SMI_QUERY, toolEnv, toolMs),
      ]);
      return {
        cards,
        nodes,
        kfd,
        nvidiaCards,
        ...(nvidiaModule === undefined ? {} : { nvidiaModule }),
        nvidiaSmi,
        groups: groups ?? '',
      };
    },
  };
}
