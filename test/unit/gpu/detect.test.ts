import { describe, expect, it } from 'vitest';
import { detectCards, shownCard } from '../../../src/domain/gpu/detect.ts';
import type { HostGpu } from '../../../src/domain/gpu/report.ts';
import { gpuPortOf, plantHost } from '../../helpers/gpu-host.ts';
import { tempFolder } from '../../helpers/temp.ts';

const GIB = 1024 ** 3;

async function cardsOf(host: string): Promise<readonly HostGpu[]> {
  const facts = await gpuPortOf(plantHost(host, tempFolder('gpu'))).facts();
  return detectCards(facts).map(shownCard);
}

describe('cards of a host', () => {
  it('finds two of NVIDIA by bus and nvidia-smi, and passes the chip for the screen over', async () => {
    expect(await cardsOf('nvidia-two')).toEqual([
      {
        vendor: 'nvidia',
        name: 'NVIDIA GeForce RTX 3090',
        device: '0',
        uuid: 'GPU-5f1e2d3c-0a1b-4c2d-8e3f-112233445566',
        driver: 'nvidia 550.90.07',
        memoryBytes: 24 * GIB,
      },
      expect.objectContaining({ device: '1', uuid: 'GPU-77665544-3322-1100-9f8e-7d6c5b4a3928' }),
    ]);
  });

  it('knows them by what the kernel module says where nvidia-smi says nothing', async () => {
    for (const host of ['nvidia-no-tools', 'nvidia-updated', 'nvidia-broken']) {
      expect(await cardsOf(host), host).toEqual([
        {
          vendor: 'nvidia',
          name: 'NVIDIA GeForce RTX 3090',
          device: 'GPU-5f1e2d3c-0a1b-4c2d-8e3f-112233445566',
          uuid: 'GPU-5f1e2d3c-0a1b-4c2d-8e3f-112233445566',
          driver: 'nvidia 550.90.07',
        },
      ]);
    }
  });

  it('names a card without its driver by the list of PCI devices, and gives it no device', async () => {
    expect(await cardsOf('nvidia-nouveau')).toEqual([
      { vendor: 'nvidia', name: 'NVIDIA GeForce RTX 3090', driver: 'nouveau' },
    ]);
    expect(await cardsOf('nvidia-unbound')).toEqual([{ vendor: 'nvidia', name: 'NVIDIA GeForce RTX 4090' }]);
  });

  it('finds a card that only nvidia-smi knows (WSL)', async () => {
    expect(await cardsOf('nvidia-wsl')).toMatchObject([{ name: 'NVIDIA GeForce RTX 4090', device: '0' }]);
  });

  it('finds AMD and Intel with render node, driver and memory', async () => {
    expect(await cardsOf('amd')).toEqual([
      {
        vendor: 'amd',
        name: 'AMD Radeon RX 6800/6800 XT / 6900 XT',
        device: '/dev/dri/renderD128',
        driver: 'amdgpu',
        memoryBytes: 17_163_091_968,
      },
    ]);
    expect(await cardsOf('intel')).toEqual([
      { vendor: 'intel', name: 'Intel Arc A770', device: '/dev/dri/renderD128', driver: 'xe' },
    ]);
  });

  it('keeps vendors apart that share a host', async () => {
    expect((await cardsOf('two-vendors')).map(({ vendor, device }) => [vendor, device])).toEqual([
      ['nvidia', '0'],
      ['intel', '/dev/dri/renderD128'],
    ]);
  });

  it('finds nothing where nothing is, and not even a system', async () => {
    expect(await cardsOf('no-card')).toEqual([]);
    const empty = { root: tempFolder('gpu'), bin: '/nowhere' };
    expect(detectCards(await gpuPortOf(empty).facts())).toEqual([]);
  });

  it('knows what ROCm calls a card', async () => {
    const facts = await gpuPortOf(plantHost('amd', tempFolder('gpu'))).facts();
    expect(detectCards(facts)[0]?.target).toBe('gfx1030');
  });

  it("takes AMD's accelerators for cards, and Intel's for networks not", async () => {
    const found = async (host: string) => {
      const planted = plantHost(host, tempFolder('gpu'), ['0x030000', '0x120000']);
      return detectCards(await gpuPortOf(planted).facts()).map(({ vendor }) => vendor);
    };
    expect(await found('amd')).toEqual(['amd']);
    expect(await found('intel')).toEqual([]);
  });

  it('waits for no tool that hangs', async () => {
    const port = gpuPortOf(plantHost('nvidia-hangs', tempFolder('gpu')), 300);
    const began = Date.now();
    const facts = await port.facts();
    expect(Date.now() - began).toBeLessThan(5000);
    expect(facts.nvidiaSmi).toEqual({ kind: 'late' });
    expect(detectCards(facts)).toHaveLength(1);
  });
});
