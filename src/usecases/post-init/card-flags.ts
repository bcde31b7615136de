import { CPU_PROVIDER } from '../../domain/compose/init-jobs.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { PostInitOptions } from './options.ts';

/** Flags about cards that cannot be meant together (exit 2). */
export function refuseContradictions({ gpu, providers, devices }: PostInitOptions): void {
  const usage = (message: string) =>
    new SmeshError('bad-option', ExitCode.usage, `${message}. Nothing was changed.`);
  if (devices.length > 0 && providers.length > 0)
    throw usage(
      '--device and --provider exclude each other: a job that has one device sees it as provider 0',
    );
  if (gpu === 'cpu' && devices.length > 0) throw usage('--gpu cpu has no --device to choose from');
  if (new Set(devices).size < devices.length) throw usage('One --device is named twice');
  if (new Set(providers).size < providers.length) throw usage('One --provider is named twice');
  const cpu = providers.includes(CPU_PROVIDER);
  if (cpu && providers.length > 1)
    throw usage(`--provider ${CPU_PROVIDER} is the processor, and goes with no other`);
  if (cpu && gpu !== undefined && gpu !== 'cpu')
    throw usage(`--provider ${CPU_PROVIDER} is the processor, and --gpu says ${gpu}`);
  if (gpu === 'cpu' && providers.length > 0 && !cpu)
    throw usage(`--gpu cpu is provider ${CPU_PROVIDER}, not ${providers.join(', ')}`);
}
