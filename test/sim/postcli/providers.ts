import { accessSync, constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fatal, InitialisationFault } from './exits.ts';
import type { Knobs } from './knobs.ts';
import type { Log } from './log.ts';
import { CPU_PROVIDER } from './options.ts';

/** Makes sure that `provider` can compute; found out at the first batch, as in the real program. */
export async function openProvider(provider: number, knobs: Knobs, log: Log): Promise<void> {
  if (provider === CPU_PROVIDER) return;
  if (knobs.gpus === undefined) {
    await sleep(knobs.openclWaitMs);
    const cause = 'OclCoreError(ApiWrapper(GetPlatformIdsPlatformListUnavailable(10)))';
    log('error', `error creating initializer: ${cause}`, {
      module: 'post::initialization',
      file: 'ffi/src/initialization.rs',
      line: 160,
    });
  }
  if (gpusInReach(knobs)?.[provider] === undefined) {
    throw new InitialisationFault('failed to compute labels: initializing scrypter: invalid provider ID');
  }
}

/** `-printProviders`: GPUs first, the CPU last; without any OpenCL platform it fails after a while. */
export async function printProviders(knobs: Knobs): Promise<void> {
  if (knobs.gpus === undefined) {
    // It looks for platforms twice.
    await sleep(2 * knobs.openclWaitMs);
    throw new Fatal('failed to get OpenCL providers failed to fetch providers');
  }
  const gpus = gpusInReach(knobs) ?? [];
  const providers = [
    ...gpus.map((name, id) => ({ id, model: `[GPU] ${name}`, type: 'GPU' })),
    { id: CPU_PROVIDER, model: '[CPU] scrypt-jane', type: 'CPU' },
  ];
  const blocks = providers.map(
    ({ id, model, type }) =>
      ` (postrs.Provider) {\n  ID: (uint32) ${id},\n  Model: (string) (len=${model.length}) "${model}",\n  DeviceType: (postrs.DeviceClass) ${type}\n }`,
  );
  const count = providers.length;
  process.stdout.write(`([]postrs.Provider) (len=${count} cap=${count}) {\n${blocks.join(',\n')}\n}\n`);
}

/** A device node that is not there, or that this user may not open, hides the cards: OpenCL then knows of no GPU. */
function gpusInReach({ gpus, gpuNodes }: Knobs): readonly string[] | undefined {
  if (gpus === undefined) return undefined;
  try {
    for (const node of gpuNodes) accessSync(node, constants.R_OK | constants.W_OK);
    return gpus;
  } catch {
    return [];
  }
}
